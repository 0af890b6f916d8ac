"""The laptop's robot: invented customers and cooks, bounded, and gone when told."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.demo.client import SoldOut, WalkFailed
from local.robot.cooks import COOKING, ON_THE_COUNTER, PANS, next_steps
from local.robot.running import MOST_INSIDE, Robot
from local.robot.visits import Manner, next_visit

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@dataclass
class OpenShop:
    """A shop that sells what it has and notes what was done in it."""

    done: Counter[str] = field(default_factory=Counter)
    left: int = 100
    fault: Exception | None = None
    inside: int = 0

    async def guest_token(self, shop: str) -> str:
        return "token"

    async def menu(self, shop: str) -> list[dict[str, Any]]:
        return [{"id": "x"}]

    async def as_staff(self, shop: str, path: str) -> dict[str, Any]:
        if path.endswith("/board"):
            return {"orders": []}
        return {"levels": [{"product_id": "x", "left": self.left}]}

    async def order(self, shop: str, lines: Any, **_: Any) -> dict[str, Any]:
        self.inside += 1
        if self.fault is not None:
            raise self.fault
        return {"pix": {"code": "000201"}}

    async def pay(self, code: str) -> None:
        self.done["paid"] += 1

    async def pay_too_late(self, order: Any) -> None:
        self.done["paid late"] += 1

    async def give_up(self, order: Any, *, token: str) -> None:
        self.done["gave up"] += 1


async def without_delay(seconds: float) -> None:
    await asyncio.sleep(0)


async def live(shop: OpenShop, *, until: int, sleep: Any = without_delay) -> Robot:
    robot = Robot(
        shop,
        shops=("a", "b"),
        rate=5,
        rng=random.Random(7),
        pay_too_late=shop.pay_too_late,
        sleep=sleep,
    )
    living = asyncio.create_task(robot.live())
    while robot.tally.total() < until:
        await asyncio.sleep(0)
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
    return robot


def an_order(status: str, *, age: float, number: int = 1) -> dict[str, Any]:
    at = (NOW - timedelta(seconds=age)).isoformat()
    return {"id": number, "status": status, "paid_at": at, "placed_at": at, "history": [{"at": at}]}


def test_the_same_seed_invents_the_same_customers_and_all_manners_come() -> None:
    first, second = (
        [next_visit(("a",), rng=rng) for _ in range(300)] for rng in map(random.Random, (5, 5))
    )

    assert first == second
    assert {visit.manner for visit in first} == set(Manner)


async def test_who_pays_has_paid_and_who_walks_away_has_not() -> None:
    shop = OpenShop()

    robot = await live(shop, until=200)

    paying = sum(robot.tally[m] for m in (Manner.PAYS, Manner.HESITATES))
    assert shop.done["paid late"] >= robot.tally[Manner.PAYS_LATE] > 0
    assert paying <= shop.done["paid"] <= shop.inside
    assert robot.tally[Manner.WALKS_AWAY] > 0
    assert shop.done["gave up"] >= robot.tally[Manner.GIVES_UP] > 0


@pytest.mark.parametrize(
    ("fault", "word"), [(SoldOut("x"), "sold out"), (WalkFailed("x"), "refused")]
)
async def test_a_door_that_refuses_does_not_end_the_robot(fault: Exception, word: str) -> None:
    robot = await live(OpenShop(fault=fault), until=50)

    assert robot.tally[word] >= 50


async def test_what_is_nearly_gone_is_not_ordered() -> None:
    shop = OpenShop(left=1)

    robot = await live(shop, until=20)

    assert (shop.inside, robot.tally["sold out"] >= 20) == (0, True)


async def test_no_more_than_a_hundred_are_inside_and_all_leave_when_it_ends() -> None:
    never = asyncio.Event()
    shop = OpenShop()

    async def forever(_: Any) -> None:
        await never.wait()

    shop.pay = forever  # type: ignore[method-assign]
    before = len(asyncio.all_tasks())
    robot = Robot(
        shop,
        shops=("a",),
        rate=20,
        rng=random.Random(1),
        pay_too_late=forever,
        sleep=without_delay,
    )
    living = asyncio.create_task(robot.live())
    while not robot.tally["found it full"]:
        await asyncio.sleep(0)
    inside = len(asyncio.all_tasks()) - before
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)

    # The robot itself and its one cook are tasks too.
    assert inside <= MOST_INSIDE + 2
    assert len(asyncio.all_tasks()) == before


@pytest.mark.parametrize("rate", [0.0, 0.05, 21.0])
def test_a_rate_out_of_bounds_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Robot(
            OpenShop(),
            shops=("a",),
            rate=rate,
            rng=random.Random(1),
            pay_too_late=OpenShop().pay_too_late,
        )


def test_a_cook_begins_what_fits_and_finishes_what_is_done() -> None:
    cooking = [an_order("IN_PREPARATION", age=COOKING - 1, number=n) for n in range(PANS - 1)]
    board = [
        an_order("RECEIVED", age=5, number=20),
        an_order("RECEIVED", age=50, number=21),
        an_order("READY", age=ON_THE_COUNTER + 1, number=22),
        *cooking,
    ]

    steps = [(order["id"], step) for order, step in next_steps(board, now=NOW)]

    assert steps == [(22, "complete"), (21, "start")]


def test_an_order_is_ready_after_its_time_in_the_pan() -> None:
    done = next_steps([an_order("IN_PREPARATION", age=COOKING + 1)], now=NOW)

    assert [step for _, step in done] == ["ready"]
