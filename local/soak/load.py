"""Customers who come at a rate, whether or not those before them were served."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

import aiohttp

from local.demo.client import Shopper, SoldOut, WalkFailed

_FAULTS = (WalkFailed, aiohttp.ClientError, TimeoutError)


@dataclass(kw_only=True, slots=True)
class Served:
    """What customers met: seconds from order to Pix code, from payment to kitchen, and faults."""

    code_seconds: list[float] = field(default_factory=list)
    kitchen_seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


# Where word is left at this moment.
Tell = Callable[[], Served]


@dataclass(frozen=True, kw_only=True, slots=True)
class Counter:
    """Where customers order, one of a shop's products each."""

    shopper: Shopper
    shops: tuple[str, ...]
    tell: Tell
    sold_out: set[str] = field(default_factory=set)

    async def measure(self, *, seconds: float, people: int) -> float:
        """Let so many people buy as fast as they can; give the orders a second."""
        until, served = time.monotonic() + seconds, Served()
        began = time.monotonic()

        async def person(number: int) -> None:
            while time.monotonic() < until:
                await self._buy(number, lambda: served)

        await asyncio.gather(*(person(number) for number in range(people)))
        return len(served.kitchen_seconds) / (time.monotonic() - began)

    async def crowd(self, *, rate: float, until: float) -> None:
        """Let `rate` customers a second come until `until` (monotonic seconds), and serve all."""
        async with asyncio.TaskGroup() as group:
            began, number = time.monotonic(), 0
            while time.monotonic() < until:
                group.create_task(self._buy(number, self.tell))
                number += 1
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))

    async def _buy(self, number: int, tell: Tell) -> None:
        shop = self.shops[number % len(self.shops)]
        try:
            await self._be_served(shop, number, tell)
        except SoldOut:
            return  # The last of what is scarce went to somebody else.
        except _FAULTS as exc:
            tell().faults.append(str(exc)[:200])

    async def _be_served(self, shop: str, number: int, tell: Tell) -> None:
        token = await self.shopper.guest_token(shop)
        menu = [it["id"] for it in await self.shopper.menu(shop) if it["id"] not in self.sold_out]
        product = menu[number % len(menu)]
        lines = [{"product_id": product, "quantity": 1}]
        began = time.monotonic()
        try:
            order = await self.shopper.order(shop, lines, token=token, key=str(uuid4()))
        except SoldOut:
            self.sold_out.add(product)
            raise
        # Where the slow leave word, too, however late they are.
        tell().code_seconds.append(time.monotonic() - began)
        began = time.monotonic()
        await self.shopper.pay(order["pix"]["code"])
        order = await self.shopper.order_until(order, token=token, has="paid_at")
        tell().kitchen_seconds.append(time.monotonic() - began)
        for step in ("start", "ready", "complete"):
            order = await self.shopper.advance(order, step)
