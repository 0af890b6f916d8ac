"""Customers of the day: most eat, some walk away from their code, some pay when it is over."""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from local.demo.client import Shopper, SoldOut, WalkFailed
from local.demo.day.receipts import Drawer, Fate
from local.demo.day.sheet import SCARCE

WALKING_AWAY = 0.05
PAYING_LATE = 0.02
_CHOICES = 30
_PATIENCE_SECONDS = 90.0
_PAUSE_SECONDS = 0.25
_STEPS = ("start", "ready", "complete")
Line = dict[str, Any]


def draw_fates(orders: int, *, rng: random.Random) -> list[Fate]:
    """Decide how each visit goes: 5 % walk away, 2 % pay late, at least one of either."""
    walking, late = (max(1, round(orders * share)) for share in (WALKING_AWAY, PAYING_LATE))
    fates = [Fate.WALKED_AWAY] * walking + [Fate.PAID_LATE] * late
    fates += [Fate.EATEN] * (orders - len(fates))
    rng.shuffle(fates)
    return fates


class Counter:
    """The counter of one shop: whoever comes is served, and leaves a receipt in the drawer."""

    def __init__(self, shopper: Shopper, shop: str, *, drawer: Drawer, rng: random.Random) -> None:
        self.shopper = shopper
        self.shop = shop
        self.drawer = drawer
        self._rng = rng
        self._menu: list[dict[str, Any]] = []

    async def read_menu(self) -> list[dict[str, Any]]:
        """Look at the menu anew."""
        self._menu = await self.shopper.menu(self.shop)
        return self._menu

    async def serve(self, fate: Fate) -> None:
        """Serve one visitor; who leaves without what they came for is angry, and is named."""
        try:
            token, order = await self.order_something()
            await self.see_through(order, fate=fate, token=token)
        except WalkFailed as exc:
            self.drawer.angry.append(str(exc)[:300])

    async def order_something(self) -> tuple[str, dict[str, Any]]:
        """Order until the menu holds what was chosen; give the token and the order with a code."""
        token = await self.shopper.guest_token(self.shop)
        for _ in range(_CHOICES):
            try:
                return token, await self.order(self._choose(), token=token)
            except SoldOut:
                await asyncio.sleep(_PAUSE_SECONDS)
                await self.read_menu()
        raise WalkFailed(f"{_CHOICES} choices in a row could not be had")

    async def order(self, lines: Sequence[Line], *, token: str) -> dict[str, Any]:
        """Place one order and wait for its code; an order that ends before is a receipt too."""
        placed = await self.shopper.place(
            self.shop, list(lines), token=token, key=str(uuid4()), wait=10
        )
        try:
            return await self.shopper.order_until(placed, token=token, has="pix")
        except SoldOut:
            ended = await self._until_ended(placed, token=token)
            self.drawer.keep(ended, Fate.TURNED_AWAY)
            raise

    async def see_through(self, order: dict[str, Any], *, fate: Fate, token: str) -> None:
        """Let the visit end as it was drawn."""
        if fate is Fate.EATEN:
            order = await self._eat(order, token=token)
        elif fate is Fate.PAID_LATE:
            order = await self._pay_late(order, token=token)
        self.drawer.keep(order, fate)

    async def end_codes(self) -> None:
        """Let the codes run out from which people walked away."""
        for receipt in self.drawer.of(Fate.WALKED_AWAY):
            await self._expire(receipt.order_id)

    async def _eat(self, order: dict[str, Any], *, token: str) -> dict[str, Any]:
        await self.shopper.pay(order["pix"]["code"])
        order = await self.shopper.order_until(order, token=token, has="paid_at")
        for step in _STEPS:
            order = await self.shopper.advance(order, step)
        return order

    async def _pay_late(self, order: dict[str, Any], *, token: str) -> dict[str, Any]:
        code = order["pix"]["code"]
        await self._expire(order["id"])
        ended = await self._until_ended(order, token=token)
        await self.shopper.tell_bank("pay", pix_code=code, late=True)
        return ended

    async def _expire(self, order_id: str) -> None:
        path = f"/apis/payments/{self.shop}/charges?order_id={order_id}"
        for charge in (await self.shopper.as_staff(self.shop, path))["charges"]:
            await self.shopper.tell_bank("expire", id=charge["id"])

    async def _until_ended(self, order: dict[str, Any], *, token: str) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while order["status"] not in ("CANCELLED", "PAYMENT_FAILED"):
            if time.monotonic() > deadline:
                raise WalkFailed(f"order {order['id']} is still {order['status']}")
            await asyncio.sleep(_PAUSE_SECONDS)
            order = await self.shopper.read(order, token=token)
        return order

    def _choose(self) -> list[Line]:
        dishes = [p for p in self._menu if p["name"].startswith("Prato ")]
        chosen = self._rng.sample(dishes, k=self._rng.randint(1, 3))
        return [{"product_id": p["id"], "quantity": self._rng.randint(1, 2)} for p in chosen]

    def dish(self, name: str = SCARCE) -> dict[str, Any]:
        """Find a dish of the menu by its name."""
        return next(product for product in self._menu if product["name"] == name)
