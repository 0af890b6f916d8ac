"""Restart every API and worker of the laptop, one after the other, while people go on buying."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.supervisor import System

# Those who hold no state of ours; the door in front is not restarted, nor are the stand-ins.
ROLLED = (
    *(f"{name}-worker" for name in ("orders", "payments", "catalog")),
    *("catalog", "payments", "orders", "auth", "webhooks"),
)
# Slow enough for the limits of a shop, by which a crowd would be turned away.
_PAUSE = 0.2


@dataclass(kw_only=True, slots=True)
class Seen:
    """What clients that never try again saw: statuses by what they asked, and the longest wait."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    orders: list[str] = field(default_factory=list)
    longest: float = 0.0
    restarted: list[str] = field(default_factory=list)

    @property
    def errors(self) -> dict[tuple[str, int], int]:
        """Give what was answered with an error, and how often; 0 is no answer at all."""
        return {k: n for k, n in self.answers.items() if not 200 <= k[1] < 400}


async def roll(system: System, *, names: tuple[str, ...] = ROLLED) -> Seen:
    """Restart the named processes by SIGTERM under load; give what the clients saw."""
    seen, is_over = Seen(), asyncio.Event()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        shops = doors_of(system).shops
        shopper = Shopper(session, doors_of(system))
        people = [_Person(session, system, shop, seen) for shop in shops for _ in range(2)]
        for person in people:
            await person.come_in(shopper)
        crowd = asyncio.gather(*(person.stay(is_over) for person in people))
        for name in names:
            await asyncio.sleep(0.3)
            await system.halt(name)
            await system.resume(name)
            seen.restarted.append(name)
        await asyncio.sleep(0.3)
        is_over.set()
        await crowd
    return seen


class _Person:
    """Somebody who reads the menu, orders and looks at the order, and tries nothing twice."""

    def __init__(
        self, session: aiohttp.ClientSession, system: System, shop: str, seen: Seen
    ) -> None:
        self._session = session
        self._edge = system.urls["edge"]
        self._shop = shop
        self._seen = seen
        self._lines: list[dict[str, Any]] = []
        self._headers: dict[str, str] = {}

    async def come_in(self, shopper: Shopper) -> None:
        product = (await shopper.menu(self._shop))[-1]
        self._lines = [{"product_id": product["id"], "quantity": 1}]

    async def stay(self, is_over: asyncio.Event) -> None:
        """Ask until it is over."""
        orders = f"/apis/orders/{self._shop}/orders"
        while not is_over.is_set():
            await self._ask("menu", "GET", f"/apis/catalog/{self._shop}/menu")
            kiosk = {"kiosk": uuid4().hex[:12]}
            guest = await self._ask("guest", "POST", f"/apis/auth/{self._shop}/guests", json=kiosk)
            if guest is None:
                continue
            self._headers = {"Authorization": f"Bearer {guest['access_token']}"}
            key = {"Idempotency-Key": str(uuid4())}
            order = await self._ask("order", "POST", orders, more=key, json={"lines": self._lines})
            if order is not None:
                self._seen.orders.append(order["id"])
                await self._ask("look", "GET", f"{orders}/{order['id']}")
            await asyncio.sleep(_PAUSE)

    async def _ask(
        self, what: str, method: str, path: str, *, more: dict[str, str] | None = None, **body: Any
    ) -> dict[str, Any] | None:
        began, status, content = time.monotonic(), 0, None
        try:
            async with self._session.request(
                method, self._edge + path, headers={**self._headers, **(more or {})}, **body
            ) as answer:
                status, content = answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError):
            pass  # It counts as status 0: no answer.
        self._seen.answers[what, status] += 1
        self._seen.longest = max(self._seen.longest, time.monotonic() - began)
        return content if 200 <= status < 300 else None
