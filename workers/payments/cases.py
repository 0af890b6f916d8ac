"""Cases: what a human must settle about money, by name, until somebody says why it is settled."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comanda.ids import OrderId, ShopId


class CaseKind(StrEnum):
    """Why a human must look: each is a named condition, opened once per subject."""

    AMOUNT_MISMATCH = "amount_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"
    REFERENCE_MISMATCH = "reference_mismatch"
    RECEIVER_MISMATCH = "receiver_mismatch"
    METHOD_MISMATCH = "method_mismatch"
    SECOND_PROVIDER_ORDER = "second_provider_order"
    SECOND_PAYMENT = "second_payment"
    KEY_REUSED = "key_reused"
    PAID_LATE = "paid_late"
    PAID_AND_CANCELLED = "paid_and_cancelled"
    PAID_AND_UNKNOWN = "paid_and_unknown"
    REFUND_FAILED = "refund_failed"
    REFUND_STUCK = "refund_stuck"
    CANCEL_STUCK = "cancel_stuck"
    DISPUTED = "disputed"
    CHARGED_BACK = "charged_back"
    CLAIM = "claim"
    FRAUD_ALERT = "fraud_alert"
    UNRECOGNISED_STATUS = "unrecognised_status"
    LOST_BY_PROVIDER = "lost_by_provider"


# What a refund of all that came settles by itself.
SETTLED_BY_REFUND = (
    CaseKind.PAID_LATE,
    CaseKind.PAID_AND_CANCELLED,
    CaseKind.REFUND_FAILED,
    CaseKind.REFUND_STUCK,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Something that a human must settle; the same subject has one open case of a kind."""

    shop_id: ShopId
    kind: CaseKind
    subject: str
    order_id: OrderId | None
    detail: str
    opened_at: datetime
    id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settlement:
    """That the open case of a kind and subject, if there is one, is over, and why."""

    kind: CaseKind
    subject: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """Who closed a case, and why."""

    by: str
    reason: str
