"""How long a new order will take: from what was made ready of late, or no answer."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from comanda.ids import OrderId, ShopId
from comanda.money import ZERO
from tests.orders_builders import NOW, SHOP
from workers.orders.feed import EntryKind, FeedEntry
from workers.orders.load import LEAST_READY, KitchenLoad, estimate
from workers.orders.model import Order, OrderStatus

S = OrderStatus


def ready(*, minutes: Sequence[float], cooked: int = 300) -> list[FeedEntry]:
    return [
        FeedEntry(
            shop_id=SHOP,
            order_id=OrderId(str(number)),
            call_number=number,
            kind=EntryKind.MOVED,
            before=S.IN_PREPARATION,
            after=S.READY,
            total=ZERO,
            at=NOW + timedelta(minutes=minute),
            version=3,
            cooked_seconds=cooked,
        )
        for number, minute in enumerate(minutes)
    ]


def test_too_few_orders_are_no_reason_to_promise_anything() -> None:
    found = estimate(ahead=3, ready=ready(minutes=range(LEAST_READY - 1)))

    assert (found.wait, found.made_ready) == (None, LEAST_READY - 1)


@pytest.mark.parametrize(
    ("ahead", "seconds"),
    [(0, 300), (1, 300), (9, 1200)],
)
def test_the_longer_of_usual_time_and_queue_is_told(ahead: int, seconds: int) -> None:
    found = estimate(ahead=ahead, ready=ready(minutes=[0, 2, 4, 6, 8]))

    assert found.wait == timedelta(seconds=seconds)


def test_a_quiet_quarter_of_an_hour_does_not_make_the_kitchen_slow() -> None:
    busy = estimate(ahead=9, ready=ready(minutes=[0, 1, 2, 3, 4]))
    quiet = estimate(ahead=9, ready=ready(minutes=[0, 1, 2, 3, 19]))

    assert busy.wait == quiet.wait == timedelta(minutes=10)


class Reader:
    """A store that counts how often it is asked."""

    def __init__(self) -> None:
        self.counted = 0
        self.read = 0

    async def in_flight(self, shop_id: ShopId, day: date) -> int:
        self.counted += 1
        return self.counted

    async def board(self, shop_id: ShopId) -> list[Order]:
        return []

    async def feed(
        self, shop_id: ShopId, *, after: str, before: str, limit: int
    ) -> list[FeedEntry]:
        self.read += 1
        return ready(minutes=range(6))


async def test_a_rush_of_customers_is_one_read_a_second() -> None:
    seconds, reader = {"now": 0.0}, Reader()
    load = KitchenLoad(reader, ticks=lambda: seconds["now"])
    today = NOW.date()

    rush = [await load.in_flight(SHOP, today) for _ in range(50)]
    estimates = [await load.estimate(SHOP, now=NOW) for _ in range(50)]
    seconds["now"] = 1.0
    later = await load.in_flight(SHOP, today)
    tomorrow = await load.in_flight(SHOP, today + timedelta(days=1))

    assert (set(rush), later, tomorrow) == ({1}, 2, 3)
    assert (reader.read, estimates[0].wait) == (1, timedelta(seconds=300))
