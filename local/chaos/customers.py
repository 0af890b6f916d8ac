"""People who order, pay in time, twice, late or never, repeat themselves, and cooks who cook."""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp

from local.chaos.history import History
from local.demo.client import Shopper, SoldOut, WalkFailed
from local.demo.doors import Doors

_NEVER, _LATE, _TWICE, _REPEATS = 0.08, 0.14, 0.22, 0.15
_FORGIVABLE = (WalkFailed, aiohttp.ClientError, TimeoutError)


@dataclass(frozen=True, kw_only=True)
class Customers:
    """Drive customers through the public doors until the time is over."""

    shopper: Shopper
    session: aiohttp.ClientSession
    doors: Doors
    history: History
    dice: random.Random

    async def crowd(self, *, until: float, people: int) -> None:
        """Let so many people buy one after the other until `until` (monotonic seconds)."""
        await asyncio.gather(*(self._person(n, until=until) for n in range(people)))

    async def _person(self, number: int, *, until: float) -> None:
        shop = self.doors.shops[number % len(self.doors.shops)]
        while time.monotonic() < until:
            try:
                await self._buy(shop)
            except SoldOut:
                continue
            except _FORGIVABLE as exc:
                # Whoever gives up at the counter is angry, and is owed the same books.
                self.history.given_up.append(str(exc)[:200])
            await asyncio.sleep(self.dice.uniform(0, 0.3))

    async def _buy(self, shop: str) -> None:
        token = await self.shopper.guest_token(shop)
        menu = await self.shopper.menu(shop)
        chosen = self.dice.sample(menu, k=min(len(menu), self.dice.randint(1, 3)))
        lines = [{"product_id": p["id"], "quantity": self.dice.randint(1, 2)} for p in chosen]
        key, asked = str(uuid4()), time.monotonic()
        order = await self.shopper.order(shop, lines, token=token, key=key)
        self.history.saw(order, asked=asked)
        self.history.placed(order, key=key, wanted=lines)
        if self.dice.random() < _REPEATS:
            again = time.monotonic()
            repeated = await self.shopper.order(shop, lines, token=token, key=key)
            self.history.saw(repeated, asked=again)
            self.history.placed(repeated, key=key, wanted=lines)
        if await self._pay(order):
            await self._follow(order, token=token)

    async def _pay(self, order: dict[str, Any]) -> bool:
        how, code = self.dice.random(), order["pix"]["code"]
        if how < _NEVER:
            return False
        if how < _LATE:
            await asyncio.sleep(self.dice.uniform(1, 6))
            await self._bank("pay", pix_code=code, late=True)
            return False
        await self.shopper.pay(code)
        if how < _TWICE:
            await self._bank("pay", pix_code=code, again=True)
        return True

    async def _bank(self, name: str, **words: Any) -> None:
        """Do something at the bank that it may refuse."""
        async with self.session.post(f"{self.doors.bank}/_control/{name}", json=words) as answer:
            await answer.read()

    async def _follow(self, order: dict[str, Any], *, token: str) -> None:
        asked = time.monotonic()
        order = await self.shopper.order_until(order, token=token, has="paid_at")
        self.history.saw(order, asked=asked)
        for step in ("start", "ready", "complete"):
            asked = time.monotonic()
            order = await self.shopper.advance(order, step)
            self.history.saw(order, asked=asked)
