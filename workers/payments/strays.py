"""Payments that came for one of our charges but are not its own: a second payment goes back.

They arrive by the provider's list or by a notification. Only money that is certainly too much is
refunded by itself: the charge has its own payment, or is over. Anything else is a case.
"""

from datetime import datetime

from comanda.money import ZERO
from workers.payments import moves
from workers.payments.booking import book
from workers.payments.cases import CaseKind, Settlement
from workers.payments.ledger import Entry
from workers.payments.model import (
    OPEN,
    Charge,
    Outcome,
    ProviderFact,
    ProviderStatus,
    Verdict,
)

SECOND_REASON = "a second payment came for one order"
_P = ProviderStatus
_PAID = frozenset({_P.PAID, _P.PARTIALLY_REFUNDED})


def is_stray(charge: Charge, fact: ProviderFact) -> bool:
    """Tell whether the fact is about another resource of the provider's than the charge's own."""
    return charge.provider_id is not None and charge.provider_id != fact.provider_id


def apply_stray(charge: Charge, *, fact: ProviderFact, now: datetime) -> Outcome:
    """Book a second payment and plan its refund; the charge itself stays as it is."""
    is_ours = (fact.receiver, fact.currency) == (charge.receiver, "BRL")
    is_empty = fact.status in _PAID and (fact.paid or ZERO) == ZERO
    if charge.status in OPEN or not is_ours or is_empty:
        return _second_order(charge, fact=fact, now=now)
    entries = book(charge, fact=fact, now=now, resource_id=fact.provider_id)
    if fact.status in _PAID:
        return _pay_back(charge, fact=fact, entries=entries, now=now)
    if fact.status is _P.REFUNDED:
        over = Settlement(
            kind=CaseKind.SECOND_PAYMENT, subject=fact.provider_id, reason="it went back"
        )
        verdict = Verdict.APPLIED if entries else Verdict.UNCHANGED
        return Outcome(charge=charge, verdict=verdict, entries=entries, settled=(over,))
    if entries:  # A dispute about a payment that should not be there.
        case = moves.case(
            charge,
            kind=CaseKind.DISPUTED,
            subject=fact.provider_id,
            detail=f"second payment {fact.provider_id} is {fact.status}",
            now=now,
        )
        return Outcome(charge=charge, verdict=Verdict.APPLIED, entries=entries, cases=(case,))
    return Outcome(charge=charge, verdict=Verdict.UNCHANGED)


def doubt_second_payment(charge: Charge, *, fact: ProviderFact, now: datetime) -> Outcome:
    """Open a case for a payment of which nobody can tell whether it is the charge's own."""
    detail = f"payment {fact.provider_id} of {fact.paid} may be a second one for this order"
    case = moves.case(
        charge, kind=CaseKind.SECOND_PAYMENT, subject=fact.provider_id, detail=detail, now=now
    )
    return Outcome(charge=charge, verdict=Verdict.MISMATCH, cases=(case,))


def _pay_back(
    charge: Charge, *, fact: ProviderFact, entries: tuple[Entry, ...], now: datetime
) -> Outcome:
    if not entries:
        return Outcome(charge=charge, verdict=Verdict.UNCHANGED)
    paid, back = fact.paid or ZERO, fact.refunded or ZERO
    left = paid - min(back, paid)
    refunds = (
        (moves.plan_refund(charge, amount=left, reason=SECOND_REASON, now=now, resource=fact),)
        if left > ZERO
        else ()
    )
    case = moves.case(
        charge,
        kind=CaseKind.SECOND_PAYMENT,
        subject=fact.provider_id,
        detail=f"{fact.provider_id} paid {fact.paid} on top of {charge.provider_id}",
        now=now,
    )
    return Outcome(
        charge=charge, verdict=Verdict.APPLIED, entries=entries, cases=(case,), attempts=refunds
    )


def _second_order(charge: Charge, *, fact: ProviderFact, now: datetime) -> Outcome:
    detail = (
        f"{fact.provider_id} ({fact.status}) of {fact.amount} {fact.currency} to {fact.receiver}"
        f" names this charge, whose own is {charge.provider_id}"
    )
    case = moves.case(
        charge,
        kind=CaseKind.SECOND_PROVIDER_ORDER,
        subject=f"{charge.id}/{fact.provider_id}",
        detail=detail,
        now=now,
    )
    return Outcome(charge=charge, verdict=Verdict.MISMATCH, cases=(case,))
