"""The one function that applies a provider's fact to a charge; webhook, poll and replay call it.

A fact arrives from the provider's own API, never from a notification's body. What leaves is an
outcome, which a unit of work saves whole: the charge, its events, its ledger line and its case.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from comanda.events import ChargeCreated, ChargeRefused, Event, PaymentApproved, PaymentFailed
from workers.payments.model import (
    CLOSED,
    OPEN,
    TRANSITIONS,
    Case,
    CaseKind,
    Charge,
    ChargeStatus,
    Entry,
    EntryKind,
    Outcome,
    ProviderFact,
    ProviderStatus,
    Verdict,
    next_check,
)

# What our request asks for; it stands in when the answer does not say when the code ends.
ASKED_LIFETIME = timedelta(minutes=30)
_TARGETS = {
    ProviderStatus.PROCESSING: ChargeStatus.UNKNOWN,
    ProviderStatus.WAITING: ChargeStatus.WAITING,
    ProviderStatus.PAID: ChargeStatus.PAID,
    ProviderStatus.EXPIRED: ChargeStatus.EXPIRED,
    ProviderStatus.CANCELLED: ChargeStatus.CANCELLED,
    ProviderStatus.REJECTED: ChargeStatus.REJECTED,
    ProviderStatus.PARTIALLY_REFUNDED: ChargeStatus.PARTIALLY_REFUNDED,
    ProviderStatus.REFUNDED: ChargeStatus.REFUNDED,
    ProviderStatus.DISPUTED: ChargeStatus.DISPUTED,
    ProviderStatus.CHARGED_BACK: ChargeStatus.CHARGED_BACK,
}
_MONEY_WENT_BACK = frozenset(
    {
        ChargeStatus.PARTIALLY_REFUNDED,
        ChargeStatus.REFUNDED,
        ChargeStatus.DISPUTED,
        ChargeStatus.CHARGED_BACK,
    }
)


def apply_fact(charge: Charge, *, fact: ProviderFact, now: datetime) -> Outcome:
    """Apply what the provider says; a charge never moves backwards and is approved at most once."""
    mismatch = _mismatch(charge, fact)
    if mismatch is not None:
        return _review(charge, fact=fact, kind=mismatch, now=now)
    if fact.status is ProviderStatus.UNRECOGNISED:
        return Outcome(charge=_asked(charge, fact=fact, now=now), verdict=Verdict.UNRECOGNISED)
    if charge.provider_updated_at is not None and fact.updated_at < charge.provider_updated_at:
        return Outcome(charge=_asked(charge, fact=fact, now=now), verdict=Verdict.STALE)
    return _move(_known(charge, fact=fact, now=now), fact=fact, now=now)


def refuse_charge(charge: Charge, *, reason: str, now: datetime) -> Outcome:
    """Record that the provider would not make this charge."""
    if ChargeStatus.REFUSED not in TRANSITIONS[charge.status]:
        return Outcome(charge=charge, verdict=Verdict.REFUSED, refused=ChargeStatus.REFUSED)
    event = ChargeRefused(
        shop_id=charge.shop_id, order_id=charge.order_id, charge_id=charge.id, reason=reason
    )
    return Outcome(
        charge=_moved(charge, to=ChargeStatus.REFUSED, now=now),
        verdict=Verdict.APPLIED,
        events=(event,),
    )


def doubt_charge(charge: Charge, *, detail: str, now: datetime) -> Outcome:
    """Record that the provider knows our key with another body: a fault of ours, for a human."""
    if ChargeStatus.UNKNOWN not in TRANSITIONS[charge.status]:
        return Outcome(charge=charge, verdict=Verdict.REFUSED, refused=ChargeStatus.UNKNOWN)
    # The same bytes would be refused again, so only a webhook or a human moves this charge on.
    doubted = replace(charge, status=ChargeStatus.UNKNOWN, next_check_at=None)
    case = _case(charge, kind=CaseKind.KEY_REUSED, detail=detail, now=now)
    return Outcome(charge=doubted, verdict=Verdict.APPLIED, case=case)


def cancel_order(charge: Charge, *, now: datetime) -> Outcome:
    """Record on the charge that its order was cancelled; money that came already is a case."""
    cancelled = replace(charge, order_cancelled_at=charge.order_cancelled_at or now)
    case = None
    if charge.paid_at is not None and charge.status is not ChargeStatus.REFUNDED:
        detail = "the order was cancelled after it was paid"
        case = _case(charge, kind=CaseKind.PAID_AND_CANCELLED, detail=detail, now=now)
    return Outcome(charge=cancelled, verdict=Verdict.APPLIED, case=case)


def _mismatch(charge: Charge, fact: ProviderFact) -> CaseKind | None:
    is_paid = fact.status is ProviderStatus.PAID
    checks = (
        (charge.provider_id in (None, fact.provider_id), CaseKind.SECOND_PROVIDER_ORDER),
        (fact.receiver == charge.receiver, CaseKind.RECEIVER_MISMATCH),
        (fact.reference == charge.id, CaseKind.REFERENCE_MISMATCH),
        (fact.currency == "BRL", CaseKind.CURRENCY_MISMATCH),
        (fact.method == "pix", CaseKind.METHOD_MISMATCH),
        (fact.amount == charge.amount, CaseKind.AMOUNT_MISMATCH),
        (not is_paid or fact.paid == charge.amount, CaseKind.AMOUNT_MISMATCH),
    )
    return next((kind for is_equal, kind in checks if not is_equal), None)


def _review(charge: Charge, *, fact: ProviderFact, kind: CaseKind, now: datetime) -> Outcome:
    detail = (
        f"provider order {fact.provider_id} ({fact.status}): amount {fact.amount}, paid"
        f" {fact.paid} {fact.currency} by {fact.method} to {fact.receiver} for {fact.reference};"
        f" expected {charge.amount} BRL by pix to {charge.receiver} for {charge.id}"
    )
    seen = _asked(charge, fact=fact, now=now)
    # Another order of the provider's says nothing about this one, so only the case is opened.
    is_about_this = kind is not CaseKind.SECOND_PROVIDER_ORDER
    if is_about_this and ChargeStatus.REVIEW in TRANSITIONS[charge.status]:
        seen = _moved(seen, to=ChargeStatus.REVIEW, now=now)
        if kind is not CaseKind.REFERENCE_MISMATCH:
            seen = replace(seen, provider_id=fact.provider_id)
    case = _case(charge, kind=kind, detail=detail, now=now)
    return Outcome(charge=seen, verdict=Verdict.MISMATCH, case=case)


def _move(charge: Charge, *, fact: ProviderFact, now: datetime) -> Outcome:
    target = _target(charge, fact)
    if target is charge.status or _says_less(charge.status, target):
        return Outcome(charge=charge, verdict=Verdict.UNCHANGED)
    if target in _MONEY_WENT_BACK and charge.status in OPEN:
        # It was paid and paid back unseen: nothing to make, and nothing to be silent about.
        target = ChargeStatus.REVIEW
    if target not in TRANSITIONS[charge.status]:
        return Outcome(charge=charge, verdict=Verdict.REFUSED, refused=target)
    moved = _moved(charge, to=target, now=now)
    is_first_money = charge.paid_at is None and target in (
        ChargeStatus.PAID,
        ChargeStatus.PAID_LATE,
    )
    if is_first_money:
        moved = replace(moved, paid_at=fact.updated_at)
    return Outcome(
        charge=moved,
        verdict=Verdict.APPLIED,
        events=_events(charge, moved=moved, fact=fact),
        case=_case_of(moved, fact=fact, now=now),
        entry=Entry(kind=EntryKind.CHARGED, amount=charge.amount, at=now)
        if is_first_money
        else None,
    )


def _target(charge: Charge, fact: ProviderFact) -> ChargeStatus:
    target = _TARGETS[fact.status]
    if target in (ChargeStatus.WAITING, ChargeStatus.UNKNOWN):
        # Without a code it is an asynchronous creation, and the code comes with a later fact.
        return ChargeStatus.WAITING if charge.pix_code else ChargeStatus.UNKNOWN
    is_dead = charge.status in CLOSED or charge.status is ChargeStatus.REFUSED
    is_unwanted = charge.order_cancelled_at is not None and charge.status in OPEN
    if target is ChargeStatus.PAID and (is_dead or is_unwanted):
        return ChargeStatus.PAID_LATE
    return target


def _says_less(status: ChargeStatus, target: ChargeStatus) -> bool:
    """Tell whether the fact repeats, in the provider's coarser words, what is known already."""
    late = (ChargeStatus.PAID_LATE, ChargeStatus.REFUNDING)
    return target is ChargeStatus.PAID and status in late


def _events(charge: Charge, *, moved: Charge, fact: ProviderFact) -> tuple[Event, ...]:
    shop, order, amount = charge.shop_id, charge.order_id, charge.amount
    if moved.status is ChargeStatus.WAITING and moved.pix_code:
        expires = moved.expires_at or fact.updated_at + ASKED_LIFETIME
        return (
            ChargeCreated(
                shop_id=shop,
                order_id=order,
                charge_id=charge.id,
                amount=amount,
                pix_code=moved.pix_code,
                expires_at=expires,
            ),
        )
    # A dispute that was won brings the charge back to PAID, and the order was approved long ago.
    if moved.status is ChargeStatus.PAID and charge.paid_at is None:
        at = fact.updated_at
        return (
            PaymentApproved(
                shop_id=shop, order_id=order, charge_id=charge.id, amount=amount, approved_at=at
            ),
        )
    if moved.status in CLOSED:
        reason = fact.detail or moved.status.lower()
        return (PaymentFailed(shop_id=shop, order_id=order, charge_id=charge.id, reason=reason),)
    return ()


def _case_of(charge: Charge, *, fact: ProviderFact, now: datetime) -> Case | None:
    said = f"provider order {fact.provider_id} is {fact.status}, paid {fact.paid}"
    if charge.status is ChargeStatus.PAID_LATE:
        return _case(charge, kind=CaseKind.PAID_LATE, detail=said, now=now)
    if _TARGETS[fact.status] in _MONEY_WENT_BACK:
        return _case(charge, kind=CaseKind.MONEY_WENT_BACK, detail=said, now=now)
    return None


def _case(charge: Charge, *, kind: CaseKind, detail: str, now: datetime) -> Case:
    return Case(
        shop_id=charge.shop_id,
        kind=kind,
        subject=charge.id,
        order_id=charge.order_id,
        detail=detail,
        opened_at=now,
    )


def _asked(charge: Charge, *, fact: ProviderFact, now: datetime) -> Charge:
    began = max(fact.asked_at, charge.fetch_began_at or fact.asked_at)
    asked = replace(charge, fetch_began_at=began)
    return replace(asked, next_check_at=next_check(asked, now=now))


def _known(charge: Charge, *, fact: ProviderFact, now: datetime) -> Charge:
    known = replace(
        charge,
        provider_id=fact.provider_id,
        provider_updated_at=fact.updated_at,
        pix_code=charge.pix_code or fact.pix_code,
        expires_at=charge.expires_at or fact.expires_at,
    )
    return _asked(known, fact=fact, now=now)


def _moved(charge: Charge, *, to: ChargeStatus, now: datetime) -> Charge:
    # The bytes hold the payer's address, which is not kept longer than they may have to be resent.
    moved = replace(charge, status=to, checks=0)
    if not moved.is_to_create:
        moved = replace(moved, request=None)
    return replace(moved, next_check_at=next_check(moved, now=now))
