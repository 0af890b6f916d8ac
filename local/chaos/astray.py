"""Money going astray: all faults of the provider at once, and people who pay as people do.

Each order's fate is drawn from the seed and its number, so that a run can be had again, as far as
a race can.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

from local.demo.client import Shopper, SoldOut, WalkFailed
from local.demo.doors import doors_of
from local.supervisor import System

VICTIM = "payments-worker"
PEOPLE = 16
FAULTS: tuple[Mapping[str, Any], ...] = (
    {"kind": "error", "rate": 0.05},
    {"kind": "error_after", "rate": 0.05},
    {"kind": "html", "rate": 0.05},
    {"kind": "truncated", "rate": 0.05},
    {"kind": "drop_before", "rate": 0.05},
    {"kind": "drop_after", "rate": 0.05},
    {"kind": "rate_limited", "rate": 0.03, "value": "1"},
    {"kind": "unauthorized", "rate": 0.02},
    {"kind": "stale_read", "rate": 0.1},
    {"kind": "async_creation", "rate": 0.1, "value": 1},
    {"kind": "webhook_first", "rate": 0.2},
    {"kind": "webhook_never", "rate": 0.1},
    {"kind": "webhook_duplicated", "rate": 0.2, "value": 3},
    {"kind": "webhook_out_of_order", "rate": 0.1, "value": 3},
    {"kind": "webhook_payment_topic", "rate": 0.2},
    {"kind": "webhook_wrong_secret", "rate": 0.05},
    {"kind": "webhook_ipn", "rate": 0.1},
    {"kind": "wrong_amount", "rate": 0.05},
    {"kind": "wrong_currency", "rate": 0.03},
    {"kind": "wrong_reference", "rate": 0.03},
    {"kind": "wrong_receiver", "rate": 0.03},
    {"kind": "paid_twice", "rate": 0.1},
    {"kind": "refund_contingency", "rate": 0.3, "value": 2},
    {"kind": "refund_async", "rate": 0.3, "value": 2},
    {"kind": "refund_fails", "rate": 0.1, "value": 2},
    {"kind": "dispute", "rate": 0.05},
)
_LOOK_EVERY = 0.1
_NEVER, _LATE, _TWICE, _CALLED_OFF = 0.1, 0.2, 0.3, 0.4


@dataclass(frozen=True, kw_only=True, slots=True)
class Storm:
    """So many orders, bought while the worker dies every few seconds; `seconds` ends it early."""

    orders: int
    seed: int
    # From being ready to the next death; six within a minute are more than a supervisor forgives.
    lives: tuple[float, float] = (2.5, 6.0)
    most_deaths: int | None = None
    seconds: float = 3600.0


@dataclass(kw_only=True, slots=True)
class Astray:
    """What was done: how orders were paid for, how often the worker died, whom faults met."""

    fates: Counter[str] = field(default_factory=Counter)
    deaths: int = 0
    met: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


async def go_astray(system: System, storm: Storm) -> Astray:
    """Run the storm on a laptop, end all faults, and tell what was done."""
    done, began = Astray(), time.monotonic()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        crowd = Crowd(system, session, storm=storm)
        for fault in FAULTS:
            await crowd.bank("faults", **fault)
        killing = asyncio.create_task(_kill(system, storm, done=done))
        numbers = iter(range(storm.orders))
        await asyncio.gather(*(crowd.person(numbers, done=done) for _ in range(PEOPLE)))
        killing.cancel()
        done.met += Counter({rule["kind"]: rule["asked"] for rule in await crowd.heal()})
    done.seconds = time.monotonic() - began
    return done


async def _kill(system: System, storm: Storm, *, done: Astray) -> None:
    dice = random.Random(f"{storm.seed}:deaths")
    while storm.most_deaths is None or done.deaths < storm.most_deaths:
        # On a busy machine a start may take longer than a life; then nothing would ever be done.
        while not system.processes[VICTIM].is_ready:  # noqa: ASYNC110  # The supervisor tells nobody.
            await asyncio.sleep(_LOOK_EVERY)
        await asyncio.sleep(dice.uniform(*storm.lives))
        # Whoever is being started again cannot be killed just now.
        with suppress(ProcessLookupError):
            system.kill(VICTIM)
            done.deaths += 1


class Crowd:
    """People of all shops at the public doors and at their banks."""

    def __init__(self, system: System, session: aiohttp.ClientSession, *, storm: Storm) -> None:
        self._doors = doors_of(system)
        self._shopper = Shopper(session, self._doors)
        self._session = session
        self._storm = storm
        self._until = time.monotonic() + storm.seconds

    async def person(self, numbers: Iterator[int], *, done: Astray) -> None:
        """Buy one order after the other, and go on when one goes wrong at the counter."""
        for number in numbers:
            if time.monotonic() > self._until:
                done.fates["not bought, for the time was over"] += 1
                continue
            try:
                done.fates[await self._buy(number)] += 1
            except (WalkFailed, aiohttp.ClientError, TimeoutError):
                # The provider may have refused the order; the books are owed all the same.
                done.fates["given up at the counter"] += 1

    async def bank(self, name: str, **words: Any) -> None:
        """Tell the simulator what happens at the bank; it may refuse."""
        url = f"{self._doors.bank}/_control/{name}"
        async with self._session.post(url, json=words) as answer:
            await answer.read()

    async def heal(self) -> list[dict[str, Any]]:
        """End all faults, and give the rules as they stood."""
        url = f"{self._doors.bank}/_control/faults"
        async with self._session.get(url) as answer:
            rules: list[dict[str, Any]] = (await answer.json())["faults"]
        async with self._session.delete(url) as answer:
            await answer.read()
        return rules

    async def _buy(self, number: int) -> str:
        dice = random.Random(f"{self._storm.seed}:{number}")
        shop = self._doors.shops[number % len(self._doors.shops)]
        order, token = await self._order(shop, dice)
        code, how = order["pix"]["code"], dice.random()
        if how < _NEVER:
            return "never paid"
        if how < _LATE:
            await self.bank("expire", id=await self._charge_of(order))
            # Some pay before we hear that the code is over, and some after.
            await asyncio.sleep(dice.uniform(0, 6))
            await self.bank("pay", pix_code=code, late=True)
            return "paid late"
        if _TWICE <= how < _CALLED_OFF:
            await asyncio.gather(self._shopper.pay(code), self._shopper.give_up(order, token=token))
            return "called off while being paid"
        await self._shopper.pay(code)
        if how < _TWICE:
            await self.bank("pay", pix_code=code, again=True)
            return "paid twice"
        return "paid"

    async def _order(self, shop: str, dice: random.Random) -> tuple[dict[str, Any], str]:
        token = await self._shopper.guest_token(shop)
        menu = await self._shopper.menu(shop)
        for product in dice.sample(menu, k=len(menu)):
            lines = [{"product_id": product["id"], "quantity": 1}]
            with suppress(SoldOut):
                order = await self._shopper.order(shop, lines, token=token, key=str(uuid4()))
                return order, token
        raise WalkFailed("everything is sold out")

    async def _charge_of(self, order: Mapping[str, Any]) -> str:
        path = f"/apis/payments/{order['shop_id']}/charges?order_id={order['id']}"
        (charge,) = (await self._shopper.as_staff(order["shop_id"], path))["charges"]
        return str(charge["id"])
