"""An order: what was asked for, where it stands, and which steps it may still take."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from comanda.events import ChargeCreated, Line, PaymentApproved
from comanda.ids import ChargeId, CustomerId, EventId, OrderId, ReservationId, ShopId
from comanda.money import ZERO, Money

# An item of DynamoDB holds 400 KB; a storm of late events must not fill it.
REFUSALS_KEPT = 50
REFUNDED = "refunded"


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING_PAYMENT = "PENDING_PAYMENT"
    RECEIVED = "RECEIVED"
    IN_PREPARATION = "IN_PREPARATION"
    READY = "READY"
    COMPLETED = "COMPLETED"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    CANCELLED = "CANCELLED"


class Step(StrEnum):
    """What may be asked of an order."""

    APPROVE = "approve"
    FAIL_PAYMENT = "fail_payment"
    REJECT_STOCK = "reject_stock"
    TAKE_BACK = "take_back"
    START = "start"
    MAKE_READY = "make_ready"
    COMPLETE = "complete"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """From which statuses a step may be taken, and where it leads."""

    sources: frozenset[OrderStatus]
    target: OrderStatus


_S = OrderStatus
# A rejection of stock that comes after the payment contradicts it, so it may not cancel a paid
# order, while money that went back may.
STEPS: Mapping[Step, Rule] = {
    Step.APPROVE: Rule(sources=frozenset({_S.PENDING_PAYMENT}), target=_S.RECEIVED),
    Step.FAIL_PAYMENT: Rule(sources=frozenset({_S.PENDING_PAYMENT}), target=_S.PAYMENT_FAILED),
    Step.REJECT_STOCK: Rule(sources=frozenset({_S.PENDING_PAYMENT}), target=_S.CANCELLED),
    Step.TAKE_BACK: Rule(sources=frozenset({_S.PENDING_PAYMENT, _S.RECEIVED}), target=_S.CANCELLED),
    Step.START: Rule(sources=frozenset({_S.RECEIVED}), target=_S.IN_PREPARATION),
    Step.MAKE_READY: Rule(sources=frozenset({_S.IN_PREPARATION}), target=_S.READY),
    Step.COMPLETE: Rule(sources=frozenset({_S.READY}), target=_S.COMPLETED),
}
TRANSITIONS: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    status: frozenset(rule.target for rule in STEPS.values() if status in rule.sources)
    for status in OrderStatus
}
# What the kitchen sees, in this order; nothing else is ever on the board.
BOARD = (OrderStatus.READY, OrderStatus.IN_PREPARATION, OrderStatus.RECEIVED)
PAID = frozenset({_S.RECEIVED, _S.IN_PREPARATION, _S.READY, _S.COMPLETED})
_WAITING = frozenset({_S.PENDING_PAYMENT, _S.RECEIVED, _S.IN_PREPARATION})


class Refused(Exception):
    """The order would not have it; the class names the condition."""


class IllegalTransition(Refused):
    """The order does not stand where this step begins."""

    def __init__(self, step: Step, *, status: OrderStatus) -> None:
        super().__init__(f"{step} is not possible for an order that is {status}")
        self.step = step
        self.status = status


class PaymentOnHold(IllegalTransition):
    """The provider suspects fraud, and nobody has looked into it yet."""


class AmountMismatch(Refused):
    """The amount is not the total of the order."""


class SecondCharge(Refused):
    """The order has a charge already, and this is another."""


class SecondPayment(Refused):
    """The order is paid already, by another charge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """When an order came to a status."""

    status: OrderStatus
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Pix:
    """What the customer pays with, until then."""

    charge_id: ChargeId
    code: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A fact that the order did not follow, and the name of the reason."""

    event_id: EventId
    event_type: str
    name: str
    detail: str
    status: OrderStatus
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One order of one shop; `owner` is the subject of the token that placed it."""

    id: OrderId
    shop_id: ShopId
    owner: str
    customer_id: CustomerId | None
    call_number: int
    lines: tuple[Line, ...]
    total: Money
    placed_at: datetime
    status: OrderStatus = OrderStatus.PENDING_PAYMENT
    history: tuple[Passage, ...] = ()
    reservation_id: ReservationId | None = None
    pix: Pix | None = None
    reason: str | None = None
    paid_by: ChargeId | None = None
    paid_at: datetime | None = None
    refunded: Money = ZERO
    held: str | None = None
    refusals: tuple[Refusal, ...] = ()
    version: int = 1

    @property
    def is_awaited(self) -> bool:
        """Tell whether neither the Pix code nor the end of the order is there yet."""
        return self.status is OrderStatus.PENDING_PAYMENT and self.pix is None

    @property
    def payable_pix(self) -> Pix | None:
        """Give the Pix code, unless the order is dead and nobody should pay it any more."""
        is_dead = self.status in (OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED)
        return None if is_dead else self.pix

    def waiting(self, *, now: datetime) -> timedelta:
        """Measure from placing until the order was ready or dead, or until now."""
        ended = next((p.at for p in self.history if p.status not in _WAITING), now)
        return max(ended - self.placed_at, timedelta())

    def reserve(self, reservation_id: ReservationId) -> Self:
        """Note which reservation holds the stock; the status does not depend on it."""
        return self if self.reservation_id else replace(self, reservation_id=reservation_id)

    def reject_stock(self, reason: str, *, at: datetime) -> Self:
        """Cancel for want of stock."""
        if self.status is OrderStatus.CANCELLED:
            return self  # The same news came twice; the first one won.
        return self._take(Step.REJECT_STOCK, at=at, reason=reason)

    def attach(self, charge: ChargeCreated) -> Self:
        """Note the Pix code; an order that was paid or died meanwhile stays where it is."""
        if self.pix is not None and self.pix.charge_id == charge.charge_id:
            return self
        if self.pix is not None:
            raise SecondCharge(f"{self.pix.charge_id} came first, then {charge.charge_id}")
        if charge.amount != self.total:
            raise AmountMismatch(f"the total is {self.total}, the charge is {charge.amount}")
        pix = Pix(charge_id=charge.charge_id, code=charge.pix_code, expires_at=charge.expires_at)
        return replace(self, pix=pix)

    def approve(self, payment: PaymentApproved, *, at: datetime) -> Self:
        """Take the payment: the kitchen may begin."""
        if self.paid_by == payment.charge_id:
            return self  # The approval was told twice; the first one won.
        if self.paid_by is not None:
            raise SecondPayment(f"paid by {self.paid_by}, then by {payment.charge_id}")
        if payment.amount != self.total:
            raise AmountMismatch(f"the total is {self.total}, approved was {payment.amount}")
        received = self._take(Step.APPROVE, at=at)
        return replace(received, paid_by=payment.charge_id, paid_at=payment.approved_at)

    def fail_payment(self, reason: str, *, at: datetime) -> Self:
        """End the order: it will not be paid."""
        if self.status is OrderStatus.PAYMENT_FAILED:
            return self  # A refused charge and a failed payment are the same news.
        return self._take(Step.FAIL_PAYMENT, at=at, reason=reason)

    def refund(self, amount: Money, *, at: datetime) -> Self:
        """Note what went back; an order that nobody cooks yet is cancelled when all of it did."""
        refunded = self.refunded + amount
        is_over = refunded >= self.total and self.status in STEPS[Step.TAKE_BACK].sources
        order = self._take(Step.TAKE_BACK, at=at, reason=REFUNDED) if is_over else self
        return replace(order, refunded=refunded)

    def hold(self, reason: str) -> Self:
        """Stop the kitchen until the payment is released; what is cooked is not handed over."""
        return self if self.held else replace(self, held=reason)

    def release(self) -> Self:
        """Let the kitchen go on."""
        return replace(self, held=None) if self.held else self

    def advance(self, step: Step, *, at: datetime) -> Self:
        """Take a step of the kitchen; raise `IllegalTransition` or `PaymentOnHold`."""
        if self.held is not None:
            raise PaymentOnHold(step, status=self.status)
        return self._take(step, at=at)

    def record(self, refusal: Refusal) -> Self:
        """Keep what was refused, the newest ones."""
        return replace(self, refusals=(*self.refusals, refusal)[-REFUSALS_KEPT:])

    def _take(self, step: Step, *, at: datetime, reason: str | None = None) -> Self:
        rule = STEPS[step]
        if self.status not in rule.sources:
            raise IllegalTransition(step, status=self.status)
        passage = Passage(status=rule.target, at=at)
        return replace(self, status=rule.target, reason=reason, history=(*self.history, passage))
