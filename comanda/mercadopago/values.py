"""What both APIs of Mercado Pago tell us, in one vocabulary; amounts are exact decimals."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Flavour(StrEnum):
    """Which of the provider's two APIs holds a resource."""

    ORDERS = "orders"
    PAYMENTS = "payments"


class Standing(StrEnum):
    """Where an order or payment of the provider's stands; what we do not know is never "paid"."""

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


class RefundState(StrEnum):
    """What became of a refund; `IN_PROCESS` is followed until it is something else."""

    IN_PROCESS = "in_process"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderRefund:
    """A refund as the provider lists it."""

    id: str
    amount: Decimal | None
    state: RefundState


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderPayment:
    """One payment inside a provider's order; `reference_id` is its number in the Payments API."""

    id: str
    reference_id: str
    is_paid: bool
    paid: Decimal | None
    refunded: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderOrder:
    """An order, or a lone payment, of the provider's; an amount is `None` if it is unreadable."""

    id: str
    flavour: Flavour
    external_reference: str
    user_id: str
    currency: str
    standing: Standing
    status_detail: str
    total_amount: Decimal | None
    paid_amount: Decimal | None
    refunded_amount: Decimal | None
    fee: Decimal | None
    last_updated_at: datetime
    payment_method: str
    pix_code: str | None
    expires_at: datetime | None
    payments: tuple[ProviderPayment, ...] = ()
    refunds: tuple[ProviderRefund, ...] = ()
    order_id: str | None = None
    request_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPage:
    """One page of a search; `is_last` means that there is nothing behind it."""

    orders: tuple[ProviderOrder, ...]
    is_last: bool
