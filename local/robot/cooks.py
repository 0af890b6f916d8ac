"""An invented cook: looks at the board, takes the oldest order, takes their time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from local.demo.client import Shopper, WalkFailed

# How many pans a kitchen has, and how long (seconds) an order takes in it and on the counter.
PANS = 6
COOKING = 12.0
ON_THE_COUNTER = 8.0
_LOOKS_EVERY = 1.0
# No kitchen does more with its hands in one look.
_MOST_AT_ONCE = 4
Step = tuple[dict[str, Any], str]


async def cook_for_ever(
    shopper: Shopper,
    shop: str,
    *,
    tally: Counter[str],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Cook until cancelled; a step that is refused was somebody else's."""
    while True:
        try:
            board = (await shopper.as_staff(shop, f"/apis/orders/{shop}/board"))["orders"]
            for order, step in next_steps(board, now=datetime.now(UTC)):
                await shopper.advance(order, step)
                tally[step] += 1
        except WalkFailed:
            tally["kitchen refused"] += 1
        await sleep(_LOOKS_EVERY)


def next_steps(board: Sequence[dict[str, Any]], *, now: datetime) -> list[Step]:
    """Say what to do now: hand over, finish, begin; the oldest first, a few at once."""
    by_status: dict[str, list[dict[str, Any]]] = {}
    for order in sorted(board, key=lambda it: str(it["paid_at"])):
        by_status.setdefault(order["status"], []).append(order)
    cooking = by_status.get("IN_PREPARATION", [])
    steps = [
        (it, "complete") for it in by_status.get("READY", []) if _age(it, now) > ON_THE_COUNTER
    ]
    steps += [(it, "ready") for it in cooking if _age(it, now) > COOKING]
    free = max(0, PANS - len(cooking))
    steps += [(it, "start") for it in by_status.get("RECEIVED", [])[:free]]
    return steps[:_MOST_AT_ONCE]


def _age(order: dict[str, Any], now: datetime) -> float:
    """Give for how many seconds an order is what it is."""
    since = order["history"][-1]["at"] if order["history"] else order["placed_at"]
    return (now - datetime.fromisoformat(since)).total_seconds()
