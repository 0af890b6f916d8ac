"""What the handlers and the API of payments ask of a store and of the provider."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from comanda.envelope import Envelope
from comanda.events import RawRequest
from comanda.ids import ChargeId, CustomerId, EventId, OrderId, ShopId
from comanda.money import Money
from workers.payments.model import Case, Charge, ChargeStatus, Outcome, ProviderFact


class ProviderUnavailable(Exception):
    """The provider gave no usable answer; whether it acted is not known."""

    def __init__(self, detail: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class ProviderRefused(Exception):
    """The provider will not make this charge; asking again would change nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderKeyReused(Exception):
    """The provider knows this idempotency key with another body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """The exact bytes of a request, and whose account the money must reach."""

    receiver: str
    request: bytes


class Provider(Protocol):
    """Mercado Pago, as payments sees it; no call is made inside a transaction."""

    async def prepare(
        self, charge_id: ChargeId, *, shop_id: ShopId, amount: Money, payer_email: str | None
    ) -> Prepared:
        """Write the request; without a payer it names the shop's own address."""

    async def create(self, charge: Charge) -> ProviderFact:
        """Send the bytes of the charge under its own key; the same key makes one order."""

    async def fetch(self, shop_id: ShopId, provider_id: str) -> ProviderFact | None:
        """Read the provider's order; `None` when it has none of that id."""


class NotificationVerdict(StrEnum):
    """Why a notification was not applied; one that was has the verdict of its fact."""

    COVERED = "covered"
    OTHER_TOPIC = "other_topic"
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


class PaymentsUnit(Protocol):
    """One unit of work: all that is done through it happens, or none of it."""

    @property
    def now(self) -> datetime:
        """Give the instant at which the unit began."""

    async def open(self, charge: Charge) -> Charge | None:
        """Insert the charge unless its order has one, and give the one there is.

        `None` means that the order was cancelled before it had a charge.
        """

    async def lock(self, shop_id: ShopId, charge_id: ChargeId) -> Charge | None:
        """Read and lock a charge."""

    async def lock_of_order(self, shop_id: ShopId, order_id: OrderId) -> Charge | None:
        """Read and lock the charge of an order."""

    async def save(self, outcome: Outcome, *, source: str) -> None:
        """Save the charge with its events, ledger line, case and refused transition."""

    async def open_case(self, case: Case) -> None:
        """Open a case unless the same one is open."""

    async def record(self, notification: Notification) -> None:
        """Write down a notification and its verdict."""

    async def cancel_order(self, shop_id: ShopId, order_id: OrderId) -> None:
        """Remember that the order is cancelled, also when its charge comes later."""

    async def register_payer(self, shop_id: ShopId, customer_id: CustomerId, *, email: str) -> None:
        """Store a payer's address, unless the customer was erased."""

    async def forget_payer(self, shop_id: ShopId, customer_id: CustomerId) -> None:
        """Forget a payer's address for good."""


class Payments(Protocol):
    """The store in which handlers work."""

    def begin(self, cause: Envelope | None = None) -> AbstractAsyncContextManager[PaymentsUnit]:
        """Open a unit of work; raise `AlreadyHandled` when the effect of `cause` is committed."""

    async def payer_email(self, shop_id: ShopId, customer_id: CustomerId) -> str | None:
        """Give the address of a customer, unless we never had it or forgot it."""

    async def find(self, shop_id: ShopId, provider_id: str) -> Charge | None:
        """Read the charge of a provider's order."""

    async def claim_due(self, *, limit: int) -> Sequence[Charge]:
        """Take charges whose next check is due; nobody else gets them for a while."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """What a shop's payments add up to; `paid` is the sum of its ledger."""

    charges: int
    by_status: Mapping[ChargeStatus, int]
    paid: Money
    open_cases: int


class PaymentsReader(Protocol):
    """What the API shows."""

    async def charges(self, shop_id: ShopId, order_id: OrderId) -> Sequence[Charge]:
        """List the charges of an order."""

    async def totals(self, shop_id: ShopId) -> Totals:
        """Add up, in one snapshot."""

    async def open_cases(self, shop_id: ShopId, *, limit: int) -> Sequence[Case]:
        """List open cases, oldest first."""

    async def notifications(self, shop_id: ShopId, resource_id: str) -> Sequence[Notification]:
        """List what the provider said of a resource, oldest first."""

    async def ping(self) -> None:
        """Reach the store, or raise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """All that a handler of payments works with."""

    payments: Payments
    provider: Provider
    clock: Callable[[], datetime]
    new_charge_id: Callable[[datetime], ChargeId]
