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


Lines = tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """One answer that somebody got about an order; asked and told are monotonic seconds.

    `lines` are products and quantities, in order.
    """

    order_id: str
    status: str
    asked: float
    told: float
    version: int = 0
    lines: Lines = ()
    total: str = ""


@dataclass(kw_only=True, slots=True)
class History:
    """The journal of all clients."""

    sights: list[Sight] = field(default_factory=list)
    keys: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    given_up: list[str] = field(default_factory=list)
    wanted: dict[str, Lines] = field(default_factory=dict)

    def saw(self, order: Mapping[str, Any], *, asked: float) -> None:
        """Note an answer about an order."""
        sight = Sight(
            order_id=order["id"],
            status=order["status"],
            asked=asked,
            told=time.monotonic(),
            version=order["version"],
            lines=lines_of(order["lines"]),
            total=order["total"],
        )
        self.sights.append(sight)

    def placed(
        self, order: Mapping[str, Any], *, key: str, wanted: Iterable[Mapping[str, Any]]
    ) -> None:
        """Note what was ordered under which key, and which order that became."""
        self.keys[key].add(order["id"])
        self.wanted[order["id"]] = lines_of(wanted)

    @property
    def orders(self) -> set[str]:
        """Give the orders whose existence was acknowledged."""
        return {sight.order_id for sight in self.sights}


def lines_of(lines: Iterable[Mapping[str, Any]]) -> Lines:
    """Give products and quantities of an order's lines, or of what is asked for, in order."""
    return tuple(sorted((line["product_id"], line["quantity"]) for line in lines))


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
        found += _contradicted(order_id, sights)
        wanted = history.wanted.get(order_id, sights[0].lines)
        found += [
            f"{order_id} was ordered as {wanted} and shown as {lines}"
            for lines in sorted({sight.lines for sight in sights} - {wanted})
        ]
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
        newest = max((s.version for s in before), default=later.version)
        if later.version < newest:
            yield f"{order_id} was at version {newest} and later at {later.version}"


def _contradicted(order_id: str, sights: list[Sight]) -> Iterable[str]:
    """One version of an order is one truth, whoever reads it and whenever."""
    told: dict[int, set[str]] = defaultdict(set)
    for sight in sights:
        told[sight.version].add(sight.status)
    for version, statuses in told.items():
        if version and len(statuses) > 1:
            yield f"{order_id} was {' and '.join(sorted(statuses))} in one version, {version}"
    totals = sorted({sight.total for sight in sights})
    if len(totals) > 1:
        yield f"{order_id} was said to cost {' and '.join(totals)}"


def _overtaken(order_id: str, sights: list[Sight], last: str) -> Iterable[str]:
    for sight in sights:
        # A paid order may still be called off; nothing else goes back.
        if _RANK[sight.status] > _RANK[last]:
            yield f"{order_id} was seen {sight.status} and ended as {last}"
