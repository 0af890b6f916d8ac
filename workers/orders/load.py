"""How busy a kitchen is: how many orders are in flight, and how long a new one will take.

Both answers are kept for a moment, so that a rush of customers costs the store no rush of reads.
"""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Protocol

from comanda.ids import ShopId
from workers.orders.feed import FeedEntry
from workers.orders.instants import instant_text
from workers.orders.model import Order, OrderStatus

_FRESH_SECONDS = 1.0
_ESTIMATE_FRESH_SECONDS = 10.0
_LOOK_BACK = timedelta(minutes=30)
_MOST_ENTRIES = 2_000
# Fewer say nothing about how fast the kitchen is today.
LEAST_READY = 5
_TO_MAKE = (OrderStatus.RECEIVED, OrderStatus.IN_PREPARATION)


class LoadReader(Protocol):
    """What is read to know how busy a kitchen is."""

    async def in_flight(self, shop_id: ShopId, day: date) -> int:
        """Count the orders of a day that wait for their payment or are to be made."""

    async def board(self, shop_id: ShopId) -> list[Order]:
        """List what the kitchen sees."""

    async def feed(
        self, shop_id: ShopId, *, after: str, before: str, limit: int
    ) -> list[FeedEntry]:
        """List entries of the feed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """How long a new order will take, from the orders made ready in the last half hour.

    `wait` is unknown while those are fewer than five: better no promise than an invented one.
    """

    ahead: int
    made_ready: int
    wait: timedelta | None


def estimate(*, ahead: int, ready: Sequence[FeedEntry]) -> Estimate:
    """Take what is longer: an order's usual time, or that of the queue at the recent pace.

    The pace is the median pause between two orders that became ready, which a quiet quarter of an
    hour does not spoil.
    """
    cooked = [entry.cooked_seconds for entry in ready if entry.cooked_seconds is not None]
    if len(cooked) < LEAST_READY:
        return Estimate(ahead=ahead, made_ready=len(cooked), wait=None)
    pauses = [(later.at - sooner.at).total_seconds() for sooner, later in pairwise(ready)]
    seconds = max(statistics.median(cooked), (ahead + 1) * statistics.median(pauses))
    return Estimate(ahead=ahead, made_ready=len(cooked), wait=timedelta(seconds=math.ceil(seconds)))


class KitchenLoad:
    """Ask the store at most once a second for each shop."""

    def __init__(self, reader: LoadReader, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._ticks = ticks
        self._counts: dict[tuple[ShopId, date], tuple[float, int]] = {}
        self._estimates: dict[ShopId, tuple[float, Estimate]] = {}

    async def in_flight(self, shop_id: ShopId, day: date) -> int:
        """Count what is in flight; an order of the last second may be missing."""
        read_at, count = self._counts.get((shop_id, day), (float("-inf"), 0))
        now = self._ticks()
        if now - read_at < _FRESH_SECONDS:
            return count
        count = await self._reader.in_flight(shop_id, day)
        # Yesterday's count is of no use to anybody.
        self._counts = {k: v for k, v in self._counts.items() if k[0] != shop_id}
        self._counts[shop_id, day] = now, count
        return count

    async def estimate(self, shop_id: ShopId, *, now: datetime) -> Estimate:
        """Estimate how long a new order will take; at most ten seconds old."""
        known = self._estimates.get(shop_id)
        ticks = self._ticks()
        if known is not None and ticks - known[0] < _ESTIMATE_FRESH_SECONDS:
            return known[1]
        after = instant_text(now - _LOOK_BACK)
        entries = await self._reader.feed(
            shop_id, after=after, before=instant_text(now), limit=_MOST_ENTRIES
        )
        ready = [entry for entry in entries if entry.cooked_seconds is not None]
        board = await self._reader.board(shop_id)
        ahead = sum(order.status in _TO_MAKE for order in board)
        found = estimate(ahead=ahead, ready=ready)
        self._estimates[shop_id] = ticks, found
        return found
