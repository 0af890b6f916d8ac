"""Let invented customers in at a rate, and cooks cook, until told to stop."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from local.demo.client import Shopper, SoldOut, WalkFailed
from local.robot.cooks import cook_for_ever
from local.robot.visits import Manner, Visit, next_visit

MOST_INSIDE = 100
# A product that is nearly gone makes customers come in vain.
_PLENTY = 5

Sleep = Callable[[float], Awaitable[None]]
PayTooLate = Callable[[dict[str, Any]], Awaitable[None]]


class Robot:
    """At `rate` customers a second (0.1 to 20), no more than a hundred of them inside at once.

    Customers who find the shop full, and those whom a door refuses, are counted and gone.
    """

    def __init__(
        self,
        shopper: Shopper,
        *,
        shops: tuple[str, ...],
        rate: float,
        rng: random.Random,
        pay_too_late: PayTooLate,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if not 0.1 <= rate <= 20:
            raise ValueError("a rate is 0.1 to 20 customers a second")
        self._shopper = shopper
        self._shops = shops
        self._rate = rate
        self._rng = rng
        self._pay_too_late = pay_too_late
        self._sleep = sleep
        self.tally: Counter[str] = Counter()
        self._inside: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        """Go on until cancelled; whoever is inside then leaves at once."""
        cooks = [
            asyncio.create_task(
                cook_for_ever(self._shopper, shop, tally=self.tally, sleep=self._sleep)
            )
            for shop in self._shops
        ]
        try:
            while True:
                await self._sleep(self._rng.expovariate(self._rate))
                self._let_in(next_visit(self._shops, rng=self._rng))
        finally:
            leaving = [*cooks, *self._inside]
            for task in leaving:
                task.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)

    def _let_in(self, visit: Visit) -> None:
        if len(self._inside) >= MOST_INSIDE:
            self.tally["found it full"] += 1
            return
        task = asyncio.create_task(self._visit(visit))
        self._inside.add(task)
        task.add_done_callback(self._inside.discard)

    async def _visit(self, visit: Visit) -> None:
        try:
            await self._order_and_leave(visit)
            self.tally[visit.manner] += 1
        except SoldOut:
            self.tally["sold out"] += 1
        except WalkFailed:
            self.tally["refused"] += 1

    async def _order_and_leave(self, visit: Visit) -> None:
        token = await self._shopper.guest_token(visit.shop)
        menu = await self._in_stock(visit.shop)
        if not menu:
            raise SoldOut(visit.shop)
        await self._sleep(visit.choosing)
        chosen = self._rng.sample(menu, k=min(visit.lines, len(menu)))
        lines = [{"product_id": p["id"], "quantity": self._rng.randint(1, 2)} for p in chosen]
        order = await self._shopper.order(
            visit.shop, lines, token=token, key=str(uuid4()), name=visit.name
        )
        if visit.manner is Manner.WALKS_AWAY:
            return
        await self._sleep(visit.after_code)
        if visit.manner is Manner.GIVES_UP:
            await self._shopper.give_up(order, token=token)
        elif visit.manner is Manner.PAYS_LATE:
            await self._pay_too_late(order)
        else:
            await self._shopper.pay(order["pix"]["code"])

    async def _in_stock(self, shop: str) -> list[dict[str, Any]]:
        menu = await self._shopper.menu(shop)
        stock = await self._shopper.as_staff(shop, f"/apis/catalog/{shop}/stock")
        left = {level["product_id"]: level["left"] for level in stock["levels"]}
        return [product for product in menu if left.get(product["id"], _PLENTY) >= _PLENTY]
