"""What is decided about a charge without a fact: it is refused, doubted, unwanted, or paid back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from comanda.events import ChargeRefused
from comanda.money import ZERO, Money
from workers.payments import moves
from workers.payments.attempts import Attempt
from workers.payments.cases import CaseKind
from workers.payments.model import TRANSITIONS, Charge, ChargeStatus, Outcome, Verdict

_S = ChargeStatus
CANCELLED_REASON = "the order was cancelled after it was paid"
REFUNDABLE = frozenset({_S.PAID, _S.PARTIALLY_REFUNDED, _S.PAID_LATE, _S.REFUNDING})


class NotRefundable(Exception):
    """The charge holds no money that could be paid back, or not so much; the text says which."""


def refuse_charge(charge: Charge, *, reason: str, now: datetime) -> Outcome:
    """Record that the provider would not make this charge."""
    if _S.REFUSED not in TRANSITIONS[charge.status]:
        return Outcome(charge=charge, verdict=Verdict.REFUSED, refused=_S.REFUSED)
    event = ChargeRefused(
        shop_id=charge.shop_id, order_id=charge.order_id, charge_id=charge.id, reason=reason
    )
    return Outcome(
        charge=moves.moved(charge, to=_S.REFUSED, now=now),
        verdict=Verdict.APPLIED,
        events=() if charge.order_cancelled_at else (event,),
    )


def doubt_charge(charge: Charge, *, detail: str, request: bytes, now: datetime) -> Outcome:
    """Record that the provider knows our key with another body: a fault of ours, for a human.

    `request` are the bytes without the payer, for a charge may stay like this for years.
    """
    if _S.UNKNOWN not in TRANSITIONS[charge.status]:
        return Outcome(charge=charge, verdict=Verdict.REFUSED, refused=_S.UNKNOWN)
    # The same bytes would be refused again, so only a webhook or a human moves this charge on.
    doubted = replace(charge, status=_S.UNKNOWN, request=request, next_check_at=None)
    case = moves.case(charge, kind=CaseKind.KEY_REUSED, detail=detail, now=now)
    return Outcome(charge=doubted, verdict=Verdict.APPLIED, cases=(case,))


def cancel_order(charge: Charge, *, now: datetime) -> Outcome:
    """Give up a charge whose order is cancelled: what waits is cancelled, what came goes back."""
    cancelled = replace(charge, order_cancelled_at=charge.order_cancelled_at or now)
    if charge.status is _S.WAITING:
        plan = moves.plan_cancel(charge, reason="the order was cancelled", now=now)
        return Outcome(charge=cancelled, verdict=Verdict.APPLIED, attempts=(plan,))
    left = charge.balance.left
    if charge.status not in (_S.PAID, _S.PARTIALLY_REFUNDED, _S.DISPUTED) or left == ZERO:
        return Outcome(charge=cancelled, verdict=Verdict.APPLIED)
    case = moves.case(charge, kind=CaseKind.PAID_AND_CANCELLED, detail=CANCELLED_REASON, now=now)
    # While the payer's bank disputes the money, paying it back could pay it back twice.
    is_disputed = charge.status is _S.DISPUTED
    refund = moves.plan_refund(charge, amount=left, reason=CANCELLED_REASON, now=now)
    return Outcome(
        charge=cancelled,
        verdict=Verdict.APPLIED,
        cases=(case,),
        attempts=() if is_disputed else (refund,),
    )


def refund_charge(charge: Charge, *, wanted: Attempt, others: Sequence[Attempt]) -> Attempt:
    """Allow an operator's refund of what is left and not on its way; raise `NotRefundable`."""
    if charge.status not in REFUNDABLE:
        raise NotRefundable(f"a charge that is {charge.status} has nothing to pay back")
    planned = sum(
        (
            other.amount or ZERO
            for other in others
            # Cancellations have no amount, and refunds of second payments are about other money.
            if other.is_open and not other.resource_id
        ),
        ZERO,
    )
    left = charge.balance.left
    free = left - min(planned, left)
    amount: Money = free if wanted.is_whole else wanted.amount or ZERO
    if not ZERO < amount <= free:
        raise NotRefundable(f"{free} can be paid back: {left} is left and {planned} on its way")
    return replace(wanted, amount=amount)
