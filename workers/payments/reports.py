"""What the API and the gauges of payments show, and the port that reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from comanda.ids import ChargeId, OrderId, ShopId
from comanda.money import ZERO, Money
from workers.payments.attempts import Attempt
from workers.payments.cases import Case
from workers.payments.ledger import Entry, EntryKind
from workers.payments.model import Charge, ChargeStatus
from workers.payments.ports import Notification

# From an instant on, until before another.
Window = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourcedEntry:
    """A line of the ledger with who told it."""

    entry: Entry
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """What a shop's payments add up to; amounts are sums of its ledger, `pending` of codes."""

    charges: int
    by_status: Mapping[ChargeStatus, int]
    paid: Money
    open_cases: int
    refunded: Money = ZERO
    disputed: Money = ZERO
    pending: Money = ZERO


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """What asking found that no notification had told."""

    charge_id: ChargeId
    before: ChargeStatus
    after: ChargeStatus
    source: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciliation:
    """How our books and the provider's compare since an instant.

    `matched` charges are settled and were told by the provider's own notifications or answers;
    `waiting` ones may still be paid, and `refunding` refunds are followed to their end.
    """

    since: datetime
    matched: int
    waiting: int
    refunding: int
    repaired: tuple[Repair, ...]
    open_cases: int
    swept_until: Mapping[str, datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRow:
    """A charge with all that the invariants are about."""

    charge: Charge
    open_cases: int
    open_attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseMark:
    """That there is or was a case about a subject; `is_resolved` says that a person closed it."""

    id: int
    kind: str
    subject: str
    order_id: str | None
    is_open: bool
    is_resolved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Movements:
    """What the ledger booked in a window, and the cases that were opened then and are open now."""

    sums: Mapping[EntryKind, Money]
    cases_opened: int
    open_cases: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Exposure:
    """What the gauges of one shop show; `swept_ago` is by the name of the sweep."""

    shop_id: ShopId
    open_cases: Mapping[str, int]
    unaccounted: int
    open_attempts: int
    oldest_attempt: timedelta
    oldest_unsettled: timedelta
    overdue_checks: int
    repairs_of_a_day: int
    refusals_of_a_day: int
    swept_ago: Mapping[str, timedelta]


class PaymentsReader(Protocol):
    """What the API shows."""

    async def charges(self, shop_id: ShopId, order_id: OrderId) -> Sequence[Charge]:
        """List the charges of an order."""

    async def totals(self, shop_id: ShopId) -> Totals:
        """Add up, in one snapshot."""

    async def open_cases(self, shop_id: ShopId, *, limit: int) -> Sequence[Case]:
        """List open cases, oldest first."""

    async def attempts_of(self, shop_id: ShopId, charge_id: ChargeId) -> Sequence[Attempt]:
        """List the refunds and cancellations of a charge, oldest first."""

    async def ledger(self, shop_id: ShopId, charge_id: ChargeId) -> Sequence[SourcedEntry]:
        """List the lines of a charge's ledger, oldest first."""

    async def reconciliation(self, shop_id: ShopId, *, since: datetime) -> Reconciliation:
        """Compare our books with the provider's, as far as it was asked."""

    async def audit(self, shop_id: ShopId, *, after: str, limit: int) -> Sequence[AuditRow]:
        """List charges behind an id, in the order of ids."""

    async def charges_of_orders(
        self, shop_id: ShopId, *, window: Window, after: str, limit: int
    ) -> Sequence[AuditRow]:
        """List the charges of orders begun in a window, behind an order's id, in their order."""

    async def movements(self, shop_id: ShopId, *, window: Window) -> Movements:
        """Add up what was booked in a window."""

    async def case_marks(self, shop_id: ShopId, *, after: int, limit: int) -> Sequence[CaseMark]:
        """List all cases behind an id, closed ones too."""

    async def notifications(self, shop_id: ShopId, resource_id: str) -> Sequence[Notification]:
        """List what the provider said of a resource, oldest first."""

    async def ping(self) -> None:
        """Reach the store, or raise."""
