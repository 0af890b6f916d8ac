"""An order: what was asked for, where it stands, and which steps it may still take."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from comanda.events import ChargeCreated, Line, PaymentApproved
from comanda.ids import ChargeId, CustomerId, EventId, OrderId, ReservationId, ShopId
from comanda.money import ZERO, Money
from workers.orders.instants import instant_text
from workers.orders.notices import Notice, NoticeKind
from workers.orders.steps import (
    BOARD,
    DEAD,
    PAID,
    STEPS,
    STEPS_BACK,
    TRANSITIONS,
    WAITING,
    OrderStatus,
    Rule,
    Step,
)

__all__ = [
    "BOARD",
    "PAID",
    "REFUNDED",
    "REFUSALS_KEPT",
    "STEPS",
    "TRANSITIONS",
    "AmountMismatch",
    "IllegalTransition",
    "Order",
    "OrderStatus",
    "Passage",
    "PaymentOnHold",
    "Pix",
    "Refusal",
    "Refused",
    "Rule",
    "SecondCharge",
    "SecondPayment",
    "Service",
    "Step",
    "TooLate",
]

# An item of DynamoDB holds 400 KB; a storm of late events must not fill it.
REFUSALS_KEPT = 50
# Nobody taps back and forth that often, and the history must not fill the item either.
MOST_PASSAGES = 60
REFUNDED = "refunded"
UNDO_COMPLETE_WITHIN = timedelta(minutes=15)


class Service(StrEnum):
    """Where the order is eaten."""

    DINE_IN = "dine_in"
    TAKEAWAY = "takeaway"


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


class TooLate(IllegalTransition):
    """What was handed over a quarter of an hour ago, or moved too often, stays where it is."""


class AmountMismatch(Refused):
    """The amount is not the total of the order."""


class SecondCharge(Refused):
    """The order has a charge already, and this is another."""


class SecondPayment(Refused):
    """The order is paid already, by another charge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """When an order came to a status; `by` is the subject of whoever moved it by hand."""

    status: OrderStatus
    at: datetime
    by: str | None = None
    note: str | None = None


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
    """One order of one shop; `owner` is the subject of the token that placed it.

    `day` is the shop's day, in which `call_number` is unique; `name` is called out at the counter.
    """

    id: OrderId
    shop_id: ShopId
    owner: str
    customer_id: CustomerId | None
    day: date
    call_number: int
    lines: tuple[Line, ...]
    total: Money
    placed_at: datetime
    service: Service = Service.DINE_IN
    name: str = ""
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
    notices: tuple[Notice, ...] = ()
    version: int = 1

    @property
    def placed_position(self) -> str:
        """Give where the order stands among those of its owner: by time."""
        return f"{instant_text(self.placed_at)}#{self.id}"

    @property
    def day_position(self) -> str:
        """Give where the order stands in its day: by call number."""
        return f"{self.call_number:06d}#{self.id}"

    @property
    def is_awaited(self) -> bool:
        """Tell whether neither the Pix code nor the end of the order is there yet."""
        return self.status is OrderStatus.PENDING_PAYMENT and self.pix is None

    @property
    def payable_pix(self) -> Pix | None:
        """Give the Pix code, unless the order is dead and nobody should pay it any more."""
        return None if self.status in DEAD else self.pix

    def waiting(self, *, now: datetime) -> timedelta:
        """Measure from placing until the order was ready or dead, or until now."""
        ended = now
        for passage in reversed(self.history):
            if passage.status in WAITING:
                break  # A recall makes the customer wait again, so only the last end counts.
            ended = passage.at
        return max(ended - self.placed_at, timedelta())

    @property
    def cooking_time(self) -> timedelta | None:
        """Measure from the payment until the order was ready first, if it was."""
        received = next((p.at for p in self.history if p.status is OrderStatus.RECEIVED), None)
        ready = next((p.at for p in self.history if p.status is OrderStatus.READY), None)
        return ready - received if ready and received else None

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
        if self.status in DEAD:
            return self  # It is known already, or follows from the cancellation of the order.
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

    def advance(self, step: Step, *, at: datetime, by: str | None = None) -> Self:
        """Take a step of the kitchen; raise `IllegalTransition`, `PaymentOnHold` or `TooLate`."""
        if self.held is not None:
            raise PaymentOnHold(step, status=self.status)
        if step in STEPS_BACK and self._is_settled(step, at=at):
            raise TooLate(step, status=self.status)
        return self._take(step, at=at, by=by)

    def cancel(
        self, step: Step, *, reason: str, at: datetime, by: str | None, note: str | None = None
    ) -> Self:
        """Cancel as the customer (`CANCEL`) or as staff (`CALL_OFF`); doing it again is nothing."""
        if self.status is OrderStatus.CANCELLED:
            return self
        return self._take(step, at=at, reason=reason, by=by, note=note)

    def tell(self, kind: NoticeKind, *, at: datetime) -> Self:
        """Record that the customer is told, once of each kind."""
        if any(notice.kind is kind for notice in self.notices):
            return self
        return replace(self, notices=(*self.notices, Notice(kind=kind, at=at)))

    def record(self, refusal: Refusal) -> Self:
        """Keep what was refused, the newest ones."""
        return replace(self, refusals=(*self.refusals, refusal)[-REFUSALS_KEPT:])

    def _take(
        self,
        step: Step,
        *,
        at: datetime,
        reason: str | None = None,
        by: str | None = None,
        note: str | None = None,
    ) -> Self:
        rule = STEPS[step]
        if self.status not in rule.sources:
            raise IllegalTransition(step, status=self.status)
        passage = Passage(status=rule.target, at=at, by=by, note=note)
        return replace(self, status=rule.target, reason=reason, history=(*self.history, passage))

    def _is_settled(self, step: Step, *, at: datetime) -> bool:
        if len(self.history) >= MOST_PASSAGES:
            return True
        is_old = bool(self.history) and at - self.history[-1].at > UNDO_COMPLETE_WITHIN
        return step is Step.UNDO_COMPLETE and is_old
