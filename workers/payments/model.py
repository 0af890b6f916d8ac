"""The charge of an order: its states, what the provider may say of it, and what it leads to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from comanda.events import Event
from comanda.ids import ChargeId, OrderId, ShopId
from comanda.money import Money


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


class CaseKind(StrEnum):
    """Why a human must look: each is a named condition, opened once per subject."""

    AMOUNT_MISMATCH = "amount_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"
    REFERENCE_MISMATCH = "reference_mismatch"
    RECEIVER_MISMATCH = "receiver_mismatch"
    METHOD_MISMATCH = "method_mismatch"
    SECOND_PROVIDER_ORDER = "second_provider_order"
    KEY_REUSED = "key_reused"
    PAID_LATE = "paid_late"
    PAID_AND_CANCELLED = "paid_and_cancelled"
    PAID_AND_UNKNOWN = "paid_and_unknown"
    MONEY_WENT_BACK = "money_went_back"


class ProviderStatus(StrEnum):
    """What the provider says, in one vocabulary for all of its flavours."""

    PROCESSING = "processing"
    WAITING = "waiting"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    CHARGED_BACK = "charged_back"
    UNRECOGNISED = "unrecognised"


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
    detail: str = ""
    pix_code: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """One attempt to be paid for one order; its id is the idempotency key and the reference."""

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

    @property
    def is_to_create(self) -> bool:
        """Tell whether the same bytes must be sent (again): the provider's answer is not known."""
        return self.status in (_S.CREATING, _S.UNKNOWN) and self.provider_id is None

    def is_fetched_since(self, instant: datetime) -> bool:
        """Tell whether a fetch that began after the instant is recorded."""
        return self.fetch_began_at is not None and self.fetch_began_at > instant


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Something that a human must settle; the same subject has one open case of a kind."""

    shop_id: ShopId
    kind: CaseKind
    subject: str
    order_id: OrderId | None
    detail: str
    opened_at: datetime


class EntryKind(StrEnum):
    """What a line of the ledger says."""

    CHARGED = "charged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A line of the ledger: so much moved, then; lines are added and never changed."""

    kind: EntryKind
    amount: Money
    at: datetime


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
    case: Case | None = None
    entry: Entry | None = None
    refused: ChargeStatus | None = None


FIRST_CHECK = timedelta(seconds=15)
LONGEST_CHECK = timedelta(minutes=40)
AFTER_EXPIRY = timedelta(seconds=20)
RESEND_AFTER = timedelta(seconds=10)
LONGEST_RESEND = timedelta(minutes=2)


def next_check(charge: Charge, *, now: datetime) -> datetime | None:
    """Say when the provider is asked next: sooner at first, once just after the code expires."""
    if charge.status not in OPEN:
        return None
    # Beyond 2**10 both schedules have long reached their longest pause.
    growth = 1 << min(charge.checks, 10)
    if charge.is_to_create:
        return now + min(RESEND_AFTER * growth, LONGEST_RESEND)
    due = now + min(FIRST_CHECK * growth, LONGEST_CHECK)
    end = charge.expires_at + AFTER_EXPIRY if charge.expires_at else None
    return min(due, end) if end is not None and end > now else due
