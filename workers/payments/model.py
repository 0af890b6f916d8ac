"""The charge of an order: its states, what the provider may say of it, and what it leads to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from comanda.events import Event
from comanda.ids import ChargeId, OrderId, ShopId
from comanda.mercadopago.values import Flavour, RefundState, Standing
from comanda.money import ZERO, Money
from workers.payments.attempts import Attempt
from workers.payments.cases import Case, Settlement
from workers.payments.ledger import Balance, Entry, Line, balance


class ChargeStatus(StrEnum):
    """Where a charge stands."""

    CREATING = "CREATING"
    WAITING = "WAITING"
    PAID = "PAID"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    REVIEW = "REVIEW"
    PAID_LATE = "PAID_LATE"
    REFUNDING = "REFUNDING"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    DISPUTED = "DISPUTED"
    CHARGED_BACK = "CHARGED_BACK"


_S = ChargeStatus
CLOSED = frozenset({_S.EXPIRED, _S.CANCELLED, _S.REJECTED})
OPEN = frozenset({_S.CREATING, _S.UNKNOWN, _S.WAITING})
# A webhook may overtake the answer to our own call, so the provider's word can settle a charge
# that is still CREATING here.
_SETTLED = CLOSED | {_S.PAID, _S.PAID_LATE, _S.REVIEW}

TRANSITIONS: Mapping[ChargeStatus, frozenset[ChargeStatus]] = {
    _S.CREATING: frozenset({_S.WAITING, _S.REFUSED, _S.UNKNOWN}) | _SETTLED,
    _S.UNKNOWN: frozenset({_S.WAITING, _S.REFUSED}) | _SETTLED,
    _S.WAITING: _SETTLED,
    _S.PAID: frozenset({_S.PARTIALLY_REFUNDED, _S.REFUNDED, _S.DISPUTED}),
    _S.REFUSED: frozenset({_S.PAID_LATE}),
    _S.EXPIRED: frozenset({_S.PAID_LATE}),
    _S.CANCELLED: frozenset({_S.PAID_LATE}),
    _S.REJECTED: frozenset({_S.PAID_LATE}),
    _S.REVIEW: frozenset(),
    _S.PAID_LATE: frozenset({_S.REFUNDING, _S.REFUNDED}),
    _S.REFUNDING: frozenset({_S.REFUNDED}),
    _S.PARTIALLY_REFUNDED: frozenset({_S.REFUNDED, _S.DISPUTED}),
    _S.REFUNDED: frozenset(),
    _S.DISPUTED: frozenset({_S.PAID, _S.REFUNDED, _S.CHARGED_BACK}),
    _S.CHARGED_BACK: frozenset(),
}


# The provider's words and ours for where one of its orders stands are the same.
ProviderStatus = Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundFact:
    """A refund in the provider's own list."""

    id: str
    amount: Money | None
    state: RefundState


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderFact:
    """The provider's answer about one of its orders; `asked_at` is when our call began.

    An amount is `None` when what stood there is not an amount of reais.
    """

    provider_id: str
    reference: str
    receiver: str
    currency: str
    method: str
    status: ProviderStatus
    amount: Money | None
    paid: Money | None
    updated_at: datetime
    asked_at: datetime
    refunded: Money | None = ZERO
    fee: Money | None = None
    detail: str = ""
    pix_code: str | None = None
    expires_at: datetime | None = None
    flavour: Flavour = Flavour.ORDERS
    # The payment inside an order, by which a part of it is refunded.
    payment_id: str | None = None
    # Of an order: the numbers of its payments. Of a payment: the order that it belongs to.
    numbers: frozenset[str] = frozenset()
    parent_id: str | None = None
    refunds: tuple[RefundFact, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """One attempt to be paid for one order; its id is the idempotency key and the reference.

    `lines` are read from the ledger; a balance is never kept anywhere else.
    """

    id: ChargeId
    shop_id: ShopId
    order_id: OrderId
    amount: Money
    receiver: str
    created_at: datetime
    status: ChargeStatus = ChargeStatus.CREATING
    request: bytes | None = None
    provider_id: str | None = None
    pix_code: str | None = None
    expires_at: datetime | None = None
    provider_updated_at: datetime | None = None
    fetch_began_at: datetime | None = None
    paid_at: datetime | None = None
    order_cancelled_at: datetime | None = None
    checks: int = 0
    next_check_at: datetime | None = None
    flavour: Flavour = Flavour.ORDERS
    payment_id: str | None = None
    lines: tuple[Line, ...] = ()

    @property
    def balance(self) -> Balance:
        """Add up the charge's own payment."""
        return balance(self.lines)

    def balance_of(self, resource_id: str) -> Balance:
        """Add up another payment that came for this charge; "" is its own."""
        return balance(self.lines, resource_id=resource_id)

    @property
    def is_to_create(self) -> bool:
        """Tell whether the same bytes must be sent (again): the provider's answer is not known."""
        return self.status in (_S.CREATING, _S.UNKNOWN) and self.provider_id is None

    def is_fetched_since(self, instant: datetime) -> bool:
        """Tell whether a fetch that began after the instant is recorded."""
        return self.fetch_began_at is not None and self.fetch_began_at > instant


class Verdict(StrEnum):
    """What became of a fact."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"
    REFUSED = "refused"
    MISMATCH = "mismatch"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A charge after a fact, and all that must be saved with it."""

    charge: Charge
    verdict: Verdict
    events: tuple[Event, ...] = ()
    cases: tuple[Case, ...] = ()
    settled: tuple[Settlement, ...] = ()
    entries: tuple[Entry, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    refused: ChargeStatus | None = None


FIRST_CHECK = timedelta(seconds=15)
LONGEST_CHECK = timedelta(minutes=40)
AFTER_EXPIRY = timedelta(seconds=20)
FIRST_CODE_CHECK = timedelta(seconds=1)
DISPUTE_CHECK = timedelta(hours=6)
RESEND_AFTER = timedelta(seconds=10)
LONGEST_RESEND = timedelta(minutes=2)


def next_check(charge: Charge, *, now: datetime) -> datetime | None:
    """Say when the provider is asked next: sooner at first, once just after the code expires."""
    if charge.status is _S.DISPUTED:
        return now + DISPUTE_CHECK
    if charge.status not in OPEN:
        return None
    # Beyond 2**10 both schedules have long reached their longest pause.
    growth = 1 << min(charge.checks, 10)
    if charge.is_to_create:
        return now + min(RESEND_AFTER * growth, LONGEST_RESEND)
    # A charge made without a code is being finished by the provider, which takes seconds.
    first = FIRST_CHECK if charge.pix_code else FIRST_CODE_CHECK
    due = now + min(first * growth, LONGEST_CHECK)
    end = charge.expires_at + AFTER_EXPIRY if charge.expires_at else None
    return min(due, end) if end is not None and end > now else due
