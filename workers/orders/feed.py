"""What happened to the orders of a shop, one entry for each change, in the order of time.

An entry is written in the transaction of the change, so none is missing and none is of something
that did not happen. Its position begins with the instant at which its unit began, and a unit may
commit up to its deadline later: only what is older than `SETTLED_AFTER` can no longer be overtaken
by an entry with an earlier position, so readers are given nothing younger and skip nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from comanda.ids import OrderId, ShopId
from comanda.money import ZERO, Money
from workers.orders.instants import instant_text
from workers.orders.steps import PAID, OrderStatus

# The store's deadline of four seconds, and two for clocks that differ.
SETTLED_AFTER = timedelta(seconds=6)
KEPT = timedelta(days=35)
BEGINNING = "0"


class EntryKind(StrEnum):
    """Whether an order moved, or refused to."""

    MOVED = "moved"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedEntry:
    """One change of one order; `cooked_seconds` is there when it became ready first."""

    shop_id: ShopId
    order_id: OrderId
    call_number: int
    kind: EntryKind
    before: OrderStatus | None
    after: OrderStatus
    total: Money
    at: datetime
    version: int
    cooked_seconds: int | None = None

    @property
    def position(self) -> str:
        """Give where the entry stands in the feed; no two stand alike."""
        return f"{instant_text(self.at)}#{self.order_id}#{self.version:06d}"


def settled_until(now: datetime) -> str:
    """Give the position up to which nothing can be added any more."""
    return instant_text(now - SETTLED_AFTER)


@dataclass(kw_only=True, slots=True)
class Totals:
    """What the orders of a shop add up to, folded from the feed."""

    by_status: dict[OrderStatus, int] = field(default_factory=dict)
    paid_cents: int = 0
    refused_transitions: int = 0

    @property
    def paid_total(self) -> Money:
        """Give the worth of the orders that are paid."""
        # Clocks of two machines may let an order be taken back just before it was paid.
        return Money(self.paid_cents) if self.paid_cents > 0 else ZERO

    def fold(self, entries: Iterable[FeedEntry]) -> Self:
        """Add entries, each once."""
        for entry in entries:
            if entry.kind is EntryKind.REFUSED:
                self.refused_transitions += 1
                continue
            if entry.before is not None:
                self._count(entry.before, -1, total=entry.total)
            self._count(entry.after, +1, total=entry.total)
        return self

    def _count(self, status: OrderStatus, sign: int, *, total: Money) -> None:
        count = self.by_status.pop(status, 0) + sign
        if count:
            self.by_status[status] = count
        if status in PAID:
            self.paid_cents += sign * total.cents


@dataclass(frozen=True, kw_only=True, slots=True)
class TotalsAt:
    """Totals of everything up to a position."""

    totals: Totals
    position: str = BEGINNING
