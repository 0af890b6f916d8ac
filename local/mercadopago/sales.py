"""What the provider holds: a sale with its one Pix payment, its refunds and its disputes.

A sale is made through the Orders API, the Payments API, or outside Comanda; both APIs only show it
in different words (`WORDS`).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from comanda.money import ZERO, Money

FEE_RATE = Decimal("0.0099")


class Api(StrEnum):
    """Through which API a sale was made."""

    ORDERS = "orders"
    PAYMENTS = "payments"


class State(StrEnum):
    """What became of a sale."""

    CREATED = "created"
    PROCESSING = "processing"
    WAITING = "waiting"
    PAID = "paid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REFUNDED = "refunded"
    IN_MEDIATION = "in_mediation"
    CHARGED_BACK = "charged_back"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.CREATED: frozenset({State.WAITING, State.PROCESSING, State.CANCELLED, State.EXPIRED}),
    State.PROCESSING: frozenset({State.WAITING, State.CANCELLED, State.EXPIRED, State.REJECTED}),
    State.WAITING: frozenset({State.PAID, State.CANCELLED, State.EXPIRED, State.REJECTED}),
    # Money that left the bank in time may still arrive late.
    State.CANCELLED: frozenset({State.PAID}),
    State.EXPIRED: frozenset({State.PAID}),
    State.REJECTED: frozenset({State.PAID}),
    State.PAID: frozenset({State.REFUNDED, State.IN_MEDIATION, State.CHARGED_BACK}),
    State.IN_MEDIATION: frozenset({State.PAID, State.REFUNDED, State.CHARGED_BACK}),
    State.REFUNDED: frozenset({State.CHARGED_BACK}),
    State.CHARGED_BACK: frozenset(),
}
OPEN = frozenset({State.CREATED, State.PROCESSING, State.WAITING})
LATE = frozenset({State.CANCELLED, State.EXPIRED, State.REJECTED})
# Status and detail by phase: first as the Orders API says it, then the Payments API.
WORDS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "created": (("created", "created"), ("pending", "pending_waiting_payment")),
    "processing": (("processing", "in_process"), ("in_process", "offline_process")),
    "waiting": (("action_required", "waiting_transfer"), ("pending", "pending_waiting_transfer")),
    "paid": (("processed", "accredited"), ("approved", "accredited")),
    "partially_refunded": (("processed", "partially_refunded"), ("approved", "partially_refunded")),
    "cancelled": (("canceled", "canceled"), ("cancelled", "by_collector")),
    "expired": (("expired", "expired"), ("cancelled", "expired")),
    "rejected": (("failed", "rejected_other_reason"), ("rejected", "rejected_by_bank")),
    "refunded": (("refunded", "refunded"), ("refunded", "refunded")),
    "in_mediation": (("in_mediation", "in_mediation"), ("in_mediation", "pending")),
    "charged_back": (("charged_back", "in_process"), ("charged_back", "in_process")),
    "settled": (("charged_back", "settled"), ("charged_back", "settled")),
    "reimbursed": (("charged_back", "reimbursed"), ("charged_back", "reimbursed")),
}


class IllegalTransition(ValueError):
    """A sale in this state cannot become that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """Money on its way back; `status` is `in_process`, `approved` or `rejected`."""

    id: str
    amount: Money
    status: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispute:
    """A chargeback (`in_process`, `settled`, `reimbursed`) or a claim (`opened`, `closed`)."""

    id: str
    kind: str
    stage: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Sale:
    """One sale; `number` is the payment's, `receiver` the account that gets the money."""

    id: str
    api: Api
    kind: str
    number: str
    shop: str
    reference: str
    amount: Money
    receiver: str
    pix_code: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    state: State
    currency: str = "BRL"
    paid: Money = ZERO
    paid_at: datetime | None = None
    payer_email: str = ""
    description: str = ""
    notification_url: str = ""
    processing_mode: str = "automatic"
    metadata: dict[str, Any] = field(default_factory=dict)
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def payment_id(self) -> str:
        """Give the id of the transaction within an order."""
        return f"PAY{self.id.removeprefix('ORD')}" if self.api is Api.ORDERS else self.number

    @property
    def refunded(self) -> Money:
        """Give what really went back."""
        return _sum(self, "approved")

    @property
    def refundable(self) -> Money:
        """Give what can still be asked back: what is under way counts as gone."""
        return self.paid - _sum(self, "approved", "in_process")

    @property
    def fee(self) -> Money:
        """Give the provider's fee, half a cent rounded up."""
        fee = Decimal(self.paid.cents) * FEE_RATE
        return Money(int(fee.to_integral_value(ROUND_HALF_UP)))

    @property
    def phase(self) -> str:
        """Name the state as finely as the provider's words do."""
        if self.state is State.PAID and self.refunded != ZERO:
            return "partially_refunded"
        if self.state is State.CHARGED_BACK:
            stages = [d.stage for d in self.disputes if d.kind == "chargeback"]
            return stages[-1] if stages and stages[-1] in WORDS else "charged_back"
        return self.state.value

    @property
    def order_words(self) -> tuple[str, str]:
        """Give status and detail as the Orders API says them."""
        return WORDS[self.phase][0]

    @property
    def payment_words(self) -> tuple[str, str]:
        """Give status and detail as the Payments API says them."""
        return WORDS[self.phase][1]

    def become(self, state: State, *, at: datetime, **changes: Any) -> "Sale":
        """Give the sale in another state; raise `IllegalTransition`."""
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(f"{self.state} cannot become {state}")
        return self.changed(at=at, state=state, **changes)

    def changed(self, *, at: datetime, **changes: Any) -> "Sale":
        """Give the sale with other facts; time never stands still between two changes."""
        return replace(self, updated_at=max(at, self.updated_at + _TICK), **changes)


_TICK = datetime.resolution


def _sum(sale: Sale, *statuses: str) -> Money:
    return sum((r.amount for r in sale.refunds if r.status in statuses), ZERO)
