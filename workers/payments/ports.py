"""What the handlers of payments ask of their store, and the desk at which they work."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from comanda.envelope import Envelope
from comanda.events import Event, RawRequest
from comanda.ids import ChargeId, CustomerId, EventId, OrderId, ShopId
from workers.payments.attempts import Attempt
from workers.payments.cases import Case, Resolution, Settlement
from workers.payments.model import Charge, ChargeStatus, Outcome
from workers.payments.pace import Pace
from workers.payments.provider import Provider


class NotificationVerdict(StrEnum):
    """Why a notification was not applied; one that was has the verdict of its fact."""

    COVERED = "covered"
    OTHER_TOPIC = "other_topic"
    RECORDED = "recorded"
    NOT_FOUND = "not_found"
    FOREIGN = "foreign"
    PAID_AND_UNKNOWN = "paid_and_unknown"
    NOT_KNOWN_HERE = "not_known_here"
    THROTTLED = "throttled"
    LEFT_TO_RECONCILIATION = "left_to_reconciliation"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """A notification as it came in, with our verdict; `doubt` says why it was not verified."""

    event_id: EventId
    shop_id: ShopId
    topic: str
    resource_id: str
    received_at: datetime
    request: RawRequest
    verdict: str
    charge_id: ChargeId | None = None
    doubt: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """A search of the provider's list that is due; `swept_until` says how far the last one came."""

    shop_id: ShopId
    name: str
    swept_until: datetime | None


class PaymentsUnit(Protocol):
    """One unit of work: all that is done through it happens, or none of it."""

    @property
    def now(self) -> datetime:
        """Give the instant at which the unit began."""

    async def lock(self, shop_id: ShopId, charge_id: ChargeId) -> Charge | None:
        """Read and lock a charge."""

    async def lock_of_order(self, shop_id: ShopId, order_id: OrderId) -> Charge | None:
        """Read and lock the charge of an order."""

    async def save(
        self, outcome: Outcome, *, source: str, note: Notification | None = None
    ) -> None:
        """Save the charge with its events, ledger lines, cases and the notification that told."""

    async def save_charge(self, charge: Charge) -> None:
        """Save a charge alone."""

    async def open_case(self, case: Case) -> None:
        """Open a case unless the same one is open, or was closed with the same detail."""

    async def settle_case(self, shop_id: ShopId, settlement: Settlement) -> None:
        """Close the open case of a kind and subject, if there is one."""

    async def resolve_case(
        self, shop_id: ShopId, case_id: int, resolution: Resolution
    ) -> Case | None:
        """Close an open case and give it; `None` if there is no open one of that id."""

    async def attempts(self, charge_id: ChargeId) -> Sequence[Attempt]:
        """List the attempts of a charge, oldest first; lock the charge before."""

    async def add_attempt(self, attempt: Attempt) -> None:
        """Write down an attempt unless it is there."""

    async def save_attempt(self, attempt: Attempt) -> None:
        """Save what became of an attempt."""

    async def note_repair(self, charge: Charge, *, before: ChargeStatus, source: str) -> None:
        """Write down that asking found what no notification had told."""

    def emit(self, event: Event) -> None:
        """Save an outgoing event that no outcome holds."""

    async def record(self, notification: Notification) -> None:
        """Write down a notification and its verdict."""

    async def cancel_order(self, shop_id: ShopId, order_id: OrderId) -> None:
        """Remember that the order is cancelled, also when its charge comes later."""

    async def register_payer(
        self, shop_id: ShopId, customer_id: CustomerId, *, email: str, told_at: datetime
    ) -> None:
        """Store a payer's address, unless the customer was erased or told of another one since."""

    async def forget_payer(self, shop_id: ShopId, customer_id: CustomerId) -> None:
        """Forget a payer's address for good."""


class Payments(Protocol):
    """The store in which handlers work."""

    def begin(self, cause: Envelope | None = None) -> AbstractAsyncContextManager[PaymentsUnit]:
        """Open a unit of work; raise `AlreadyHandled` when the effect of `cause` is committed."""

    async def open(self, charge: Charge) -> Charge | None:
        """Insert the charge unless its order has one, and give the one there is.

        `None` means that the order was cancelled before it had a charge.
        """

    async def payer_email(self, shop_id: ShopId, customer_id: CustomerId) -> str | None:
        """Give the address of a customer, unless we never had it or forgot it."""

    async def find(self, shop_id: ShopId, provider_id: str) -> Charge | None:
        """Read the charge of a provider's order."""

    async def claim_due(self, *, limit: int) -> Sequence[Charge]:
        """Take charges whose next check is due; nobody else gets them for a while."""

    async def claim_attempts(self, *, limit: int) -> Sequence[Attempt]:
        """Take attempts that are due; nobody else gets them for a while."""

    async def charges_of(self, shop_id: ShopId, charge_ids: Sequence[str]) -> Mapping[str, Charge]:
        """Read many charges at once, by id."""

    async def claim_sweep(self, shop_id: ShopId, *, name: str, every: timedelta) -> Sweep | None:
        """Take a sweep that is due; nobody else gets it for a while."""

    async def finish_sweep(self, sweep: Sweep, *, until: datetime) -> None:
        """Remember how far a sweep came."""

    async def forget_notifications(self, *, before: datetime, limit: int) -> int:
        """Delete the oldest notifications; return how many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """All that a handler of payments works with."""

    payments: Payments
    provider: Provider
    clock: Callable[[], datetime]
    new_charge_id: Callable[[datetime], ChargeId]
    pace: Pace = field(default_factory=Pace)
