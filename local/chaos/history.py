"""What clients saw, and whether a system that keeps its word could have shown it."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# How far an order is; what has ended stays ended.
_RANK = {
    "PENDING_PAYMENT": 0,
    "RECEIVED": 1,
    "IN_PREPARATION": 2,
    "READY": 3,
    "COMPLETED": 4,
    "PAYMENT_FAILED": 9,
    "CANCELLED": 9,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """One answer that somebody got about an order; asked and told are monotonic seconds."""

    order_id: str
    status: str
    asked: float
    told: float


@dataclass(kw_only=True, slots=True)
class History:
    """The journal of all clients."""

    sights: list[Sight] = field(default_factory=list)
    keys: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    given_up: list[str] = field(default_factory=list)

    def saw(self, order: Mapping[str, Any], *, asked: float, key: str | None = None) -> None:
        """Note an answer about an order, and under which key it was placed."""
        told = time.monotonic()
        sight = Sight(order_id=order["id"], status=order["status"], asked=asked, told=told)
        self.sights.append(sight)
        if key is not None:
            self.keys[key].add(order["id"])

    @property
    def orders(self) -> set[str]:
        """Give the orders whose existence was acknowledged."""
        return {sight.order_id for sight in self.sights}


def violations(history: History, *, final: Mapping[str, str]) -> list[str]:
    """Name what cannot be: `final` holds the status of every order in the end."""
    found = [f"{order} was acknowledged and is gone" for order in history.orders - set(final)]
    for key, orders in history.keys.items():
        if len(orders) > 1:
            found.append(f"key {key} made {len(orders)} orders: {sorted(orders)}")
    by_order = defaultdict(list)
    for sight in history.sights:
        by_order[sight.order_id].append(sight)
    for order_id, sights in by_order.items():
        found += _backwards(order_id, sights)
        last = final.get(order_id)
        if last is not None:
            found += _overtaken(order_id, sights, last)
    return found


def _backwards(order_id: str, sights: list[Sight]) -> Iterable[str]:
    """Two reads of which one ended before the other began must agree with their order."""
    for later in sights:
        before = [s for s in sights if s.told < later.asked]
        furthest = max(before, key=lambda s: _RANK[s.status], default=None)
        if furthest is not None and _RANK[later.status] < _RANK[furthest.status]:
            yield f"{order_id} was {furthest.status} and later {later.status}"


def _overtaken(order_id: str, sights: list[Sight], last: str) -> Iterable[str]:
    for sight in sights:
        # A paid order may still be called off; nothing else goes back.
        if _RANK[sight.status] > _RANK[last]:
            yield f"{order_id} was seen {sight.status} and ended as {last}"
