"""What a shop's kitchen has in hand, read once for everybody who looks.

A board is read whole and again and again while somebody looks, and at once after a step that was
taken here. What is sent is always all of it, so a change that was missed heals with the next one.
The feed of orders is settled six seconds after a change, which is too late for a cook.
"""

import asyncio
import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from comanda.ids import ShopId
from console.screens.contexts import OutOfReach, Refused
from console.screens.rendering import render

log = logging.getLogger(__name__)
COLUMNS = ("RECEIVED", "IN_PREPARATION", "READY")
READ_EVERY = timedelta(milliseconds=250)
# Whoever left and comes back within this finds the reader still going.
_LINGER = 5.0
Orders = Sequence[Mapping[str, Any]]
Read = Callable[[ShopId, str], Awaitable[Orders]]


@dataclass(kw_only=True, slots=True, eq=False)
class Frame:
    """A board as it was at one time; each way of showing it is rendered once."""

    shop: ShopId
    number: int
    orders: Orders
    digest: str
    _shown: dict[str, str] = field(default_factory=dict)

    def show(self, template: str) -> str:
        """Render, or give what was rendered."""
        known = self._shown.get(template)
        if known is None:
            columns = {s: [o for o in self.orders if o["status"] == s] for s in COLUMNS}
            known = render(template, shop=self.shop, columns=columns, all_day=all_day(self.orders))
            self._shown[template] = known
        return known


class Board:
    """One shop's board in this process."""

    def __init__(self, shop: ShopId, *, read: Read, pause: timedelta = READ_EVERY) -> None:
        self._shop = shop
        self._read = read
        self._pause = pause.total_seconds()
        self._changed = asyncio.Condition()
        self._poked = asyncio.Event()
        self._reading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._watchers = 0
        self._left_at = 0.0
        self._token = ""
        self._read_at = time.monotonic()
        self._frame: Frame | None = None

    @property
    def silence(self) -> float:
        """Give the seconds since the board was read last."""
        return time.monotonic() - self._read_at

    def poke(self) -> None:
        """Read at once, for something was changed."""
        self._poked.set()

    async def look(self, token: str) -> Frame:
        """Read now, and give the board; raise `Refused` or `OutOfReach`."""
        self._token = token
        await self._look()
        assert self._frame is not None  # A look that raised nothing made one.
        return self._frame

    async def next(self, token: str, *, after: int, limit: float) -> Frame | None:
        """Wait for a frame newer than `after`; None when the limit is over."""
        self._token = token
        self._watchers += 1
        try:
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run(), name=f"board {self._shop}")
            async with self._changed, asyncio.timeout(limit):
                await self._changed.wait_for(
                    lambda: self._frame is not None and self._frame.number > after
                )
            return self._frame
        except TimeoutError:
            return None
        finally:
            self._watchers -= 1
            self._left_at = time.monotonic()

    async def _run(self) -> None:
        while self._watchers or time.monotonic() - self._left_at < _LINGER:
            self._poked.clear()
            try:
                await self._look()
            except (Refused, OutOfReach) as exc:
                log.warning("board not read", extra={"shop": self._shop, "reason": str(exc)})
            try:
                async with asyncio.timeout(self._pause):
                    await self._poked.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        # One at a time, lest an older reading that took longer came after a newer one.
        async with self._reading:
            orders = await self._read(self._shop, self._token)
            self._read_at = time.monotonic()
            await self._frame_of(orders)

    async def _frame_of(self, orders: Orders) -> None:
        digest = _digest(orders)
        last = self._frame
        if last is not None and last.digest == digest:
            return
        async with self._changed:
            number = last.number + 1 if last else 1
            self._frame = Frame(shop=self._shop, number=number, orders=orders, digest=digest)
            self._changed.notify_all()


class Boards:
    """The boards of all shops in this process."""

    def __init__(self, read: Read, *, pause: timedelta = READ_EVERY) -> None:
        self._read = read
        self._pause = pause
        self._boards: dict[ShopId, Board] = {}

    def of(self, shop: ShopId) -> Board:
        """Give the board of a shop."""
        if shop not in self._boards:
            self._boards[shop] = Board(shop, read=self._read, pause=self._pause)
        return self._boards[shop]


def all_day(orders: Orders) -> list[tuple[str, int]]:
    """Count what is still to be made, over all orders; the most wanted first."""
    counts: Counter[str] = Counter()
    for order in orders:
        if order["status"] in ("RECEIVED", "IN_PREPARATION"):
            for line in order["lines"]:
                counts[line["name"]] += line["quantity"]
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _digest(orders: Orders) -> str:
    # The waiting time grows by itself, so it is no change; pages count it on their own.
    marks = [(order["id"], order["version"]) for order in orders]
    return hashlib.sha256(json.dumps(marks).encode()).hexdigest()[:16]
