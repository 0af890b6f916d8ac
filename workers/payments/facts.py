"""The one function that applies a provider's fact to a charge; whoever brings it calls it.

A fact arrives from the provider's own API, never from a notification's body. What leaves is an
outcome, which a unit of work saves whole: the charge, its events, its ledger lines, its cases and
what is now to be asked of the provider.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from comanda.events import ChargeCreated, Event, PaymentApproved, PaymentFailed, PaymentRefunded
from comanda.money import ZERO, Money
from workers.payments import moves
from workers.payments.attempts import Attempt
from workers.payments.booking import book
from workers.payments.cases import Case, CaseKind, Settlement
from workers.payments.ledger import Entry, EntryKind
from workers.payments.model import (
    CLOSED,
    OPEN,
    TRANSITIONS,
    Charge,
    ChargeStatus,
    Outcome,
    ProviderFact,
    ProviderStatus,
    Verdict,
)
from workers.payments.strays import apply_stray, is_stray

# What our request asks for; it stands in when the answer does not say when the code ends.
ASKED_LIFETIME = timedelta(minutes=30)
LATE_REASON = "it came after the charge or its order was over"
_S, _P = ChargeStatus, ProviderStatus
_LATE = (_S.PAID_LATE, _S.REFUNDING)
_CLOSING = {
    _P.EXPIRED: _S.EXPIRED,
    _P.CANCELLED: _S.CANCELLED,
    _P.REJECTED: _S.REJECTED,
}
_LOSSES = frozenset({EntryKind.REFUNDED, EntryKind.DISPUTED})
_GROSS = frozenset({_P.PAID, _P.PARTIALLY_REFUNDED})


def apply_fact(charge: Charge, *, fact: ProviderFact, now: datetime) -> Outcome:
    """Apply what the provider says; a charge never moves backwards and is approved at most once."""
    if is_stray(charge, fact):
        return apply_stray(charge, fact=fact, now=now)
    mismatch = _mismatch(charge, fact)
    if mismatch is not None:
        return _review(charge, fact=fact, kind=mismatch, now=now)
    if fact.status is _P.UNRECOGNISED:
        return _puzzled(charge, fact=fact, now=now)
    if charge.provider_updated_at is not None and fact.updated_at < charge.provider_updated_at:
        return Outcome(charge=moves.asked(charge, fact=fact, now=now), verdict=Verdict.STALE)
    return _follow(moves.known(charge, fact=fact, now=now), fact=fact, now=now)


def _mismatch(charge: Charge, fact: ProviderFact) -> CaseKind | None:
    has_gross = fact.status in _GROSS
    checks = (
        (fact.receiver == charge.receiver, CaseKind.RECEIVER_MISMATCH),
        (fact.reference == charge.id, CaseKind.REFERENCE_MISMATCH),
        (fact.currency == "BRL", CaseKind.CURRENCY_MISMATCH),
        (fact.method == "pix", CaseKind.METHOD_MISMATCH),
        (fact.amount == charge.amount, CaseKind.AMOUNT_MISMATCH),
        (not has_gross or charge.amount in _grosses(fact), CaseKind.AMOUNT_MISMATCH),
    )
    return next((kind for is_equal, kind in checks if not is_equal), None)


def _grosses(fact: ProviderFact) -> tuple[Money, ...]:
    if fact.paid is None:
        return ()
    # What is left after a refund is "paid" to some servers, what came to others.
    return (fact.paid, fact.paid + (fact.refunded or ZERO))


def _review(charge: Charge, *, fact: ProviderFact, kind: CaseKind, now: datetime) -> Outcome:
    detail = (
        f"provider's {fact.provider_id} ({fact.status}): amount {fact.amount}, paid"
        f" {fact.paid} {fact.currency} by {fact.method} to {fact.receiver} for {fact.reference};"
        f" expected {charge.amount} BRL by pix to {charge.receiver} for {charge.id}"
    )
    seen = moves.asked(charge, fact=fact, now=now)
    if _S.REVIEW in TRANSITIONS[charge.status]:
        seen = moves.moved(seen, to=_S.REVIEW, now=now)
        if kind is not CaseKind.REFERENCE_MISMATCH:
            seen = replace(seen, provider_id=fact.provider_id)
    case = moves.case(charge, kind=kind, detail=detail, now=now)
    # Money that the shop's people paid back from the panel needs no second case.
    is_over = fact.status is _P.REFUNDED and charge.status is _S.REVIEW
    return Outcome(charge=seen, verdict=Verdict.MISMATCH, cases=() if is_over else (case,))


def _puzzled(charge: Charge, *, fact: ProviderFact, now: datetime) -> Outcome:
    detail = f"provider's {fact.provider_id} is in a status that we do not know: {fact.detail}"
    case = moves.case(charge, kind=CaseKind.UNRECOGNISED_STATUS, detail=detail, now=now)
    seen = moves.asked(charge, fact=fact, now=now)
    return Outcome(charge=seen, verdict=Verdict.UNRECOGNISED, cases=(case,))


def _follow(charge: Charge, *, fact: ProviderFact, now: datetime) -> Outcome:
    """Take the steps that lead to what the fact says, as far as the table allows."""
    steps = tuple(step for step in _path(charge, fact) if step is not charge.status)
    # What a human must look at is not booked before; the case stands for the money.
    is_open_question = charge.status is _S.REVIEW or _S.REVIEW in steps
    entries = () if is_open_question else book(charge, fact=fact, now=now)
    at, refused = charge, None
    taken: list[ChargeStatus] = []
    for step in steps:
        if step not in TRANSITIONS[at.status]:
            refused = step
            break
        at = moves.moved(at, to=step, now=now)
        taken.append(step)
    if refused:
        # Where the table ends, only what takes money away is still booked.
        has_come = charge.balance.charged > ZERO
        entries = tuple(entry for entry in entries if has_come and entry.kind in _LOSSES)
    if at.paid_at is None and any(entry.kind is EntryKind.CHARGED for entry in entries):
        at = replace(at, paid_at=fact.updated_at)
    return Outcome(
        charge=at,
        verdict=_verdict(taken=bool(taken or entries), refused=refused),
        events=_events(charge, steps=taken, fact=fact, entries=entries),
        cases=_cases(charge, steps=taken, fact=fact, entries=entries, now=now),
        settled=_settled(at, steps=taken, entries=entries),
        entries=entries,
        attempts=_attempts(charge, after=at, steps=taken, entries=entries, now=now),
        refused=refused,
    )


def _verdict(*, taken: bool, refused: ChargeStatus | None) -> Verdict:
    if taken:
        return Verdict.APPLIED
    return Verdict.REFUSED if refused else Verdict.UNCHANGED


def _path(charge: Charge, fact: ProviderFact) -> tuple[ChargeStatus, ...]:
    said = fact.status
    if said in (_P.WAITING, _P.PROCESSING):
        # Without a code it is an asynchronous creation, and the code comes with a later fact.
        return (_S.WAITING if charge.pix_code else _S.UNKNOWN,)
    if said in _CLOSING:
        return (_CLOSING[said],)
    if said in (_P.DISPUTED, _P.CHARGED_BACK):
        return _path_of_dispute(charge, said)
    return _path_of_money(charge, said)


def _path_of_money(charge: Charge, said: ProviderStatus) -> tuple[ChargeStatus, ...]:
    status = charge.status
    is_dead = status in CLOSED or status is _S.REFUSED
    is_unwanted = is_dead or (charge.order_cancelled_at is not None and status in OPEN)
    if said is _P.REFUNDED:
        # It came and went back unseen: nothing is to be cooked for it.
        is_news = is_dead or status in OPEN
        return (_S.PAID_LATE, _S.REFUNDED) if is_news else (_S.REFUNDED,)
    if is_unwanted:
        return (_S.PAID_LATE,)
    if status in _LATE:
        return ()  # The provider's words are coarser than ours; this is known.
    if said is _P.PARTIALLY_REFUNDED:
        is_first = status in OPEN or status is _S.DISPUTED
        return (_S.PAID, _S.PARTIALLY_REFUNDED) if is_first else (_S.PARTIALLY_REFUNDED,)
    return (_S.PAID,)


def _path_of_dispute(charge: Charge, said: ProviderStatus) -> tuple[ChargeStatus, ...]:
    status = charge.status
    if status in CLOSED or status is _S.REFUSED:
        return (_S.PAID_LATE,)
    if status in _LATE:
        return ()
    if status in OPEN:
        return (_S.REVIEW,)  # Paid and disputed unseen: a human decides before anybody cooks.
    if said is _P.CHARGED_BACK and status is _S.CHARGED_BACK:
        return ()
    if said is _P.CHARGED_BACK and status is not _S.DISPUTED:
        return (_S.DISPUTED, _S.CHARGED_BACK)
    return (_S.DISPUTED if said is _P.DISPUTED else _S.CHARGED_BACK,)


def _events(
    charge: Charge, *, steps: list[ChargeStatus], fact: ProviderFact, entries: tuple[Entry, ...]
) -> tuple[Event, ...]:
    shop, order, own = charge.shop_id, charge.order_id, charge.id
    is_wanted = charge.order_cancelled_at is None
    events: list[Event] = []
    is_new = charge.status in (_S.CREATING, _S.UNKNOWN) and set(steps) & {_S.WAITING, _S.PAID}
    if is_new and charge.pix_code and is_wanted:
        # A payment may be the first that we hear of a charge; whoever follows the order still
        # learns of its code first.
        events.append(
            ChargeCreated(
                shop_id=shop,
                order_id=order,
                charge_id=own,
                amount=charge.amount,
                pix_code=charge.pix_code,
                expires_at=charge.expires_at or fact.updated_at + ASKED_LIFETIME,
            )
        )
    if _S.PAID in steps and charge.paid_at is None:
        events.append(
            PaymentApproved(
                shop_id=shop,
                order_id=order,
                charge_id=own,
                amount=charge.amount,
                approved_at=fact.updated_at,
            )
        )
    is_over = set(steps) & CLOSED or (_S.REFUNDED in steps and charge.status in OPEN)
    if is_over and is_wanted:
        reason = fact.detail or steps[-1].lower()
        events.append(PaymentFailed(shop_id=shop, order_id=order, charge_id=own, reason=reason))
    events += [
        PaymentRefunded(shop_id=shop, order_id=order, charge_id=own, amount=entry.amount)
        for entry in entries
        if entry.kind is EntryKind.REFUNDED
    ]
    return tuple(events)


def _cases(
    charge: Charge,
    *,
    steps: list[ChargeStatus],
    fact: ProviderFact,
    entries: tuple[Entry, ...],
    now: datetime,
) -> tuple[Case, ...]:
    said = f"provider's {fact.provider_id} is {fact.status}, paid {fact.paid}"
    kinds: list[CaseKind] = []
    if _S.PAID_LATE in steps and _S.REFUNDED not in steps:
        kinds.append(CaseKind.PAID_LATE)
    if any(entry.kind is EntryKind.DISPUTED for entry in entries) or _S.REVIEW in steps:
        kinds.append(CaseKind.DISPUTED)
    if _S.CHARGED_BACK in steps:
        kinds.append(CaseKind.CHARGED_BACK)
    return tuple(moves.case(charge, kind=kind, detail=said, now=now) for kind in kinds)


def _settled(
    charge: Charge, *, steps: list[ChargeStatus], entries: tuple[Entry, ...]
) -> tuple[Settlement, ...]:
    settled: tuple[Settlement, ...] = ()
    if charge.status is _S.REFUNDED and entries:
        settled += moves.settled_by_refund(charge)
    won = any(entry.kind is EntryKind.REGAINED for entry in entries)
    if won or _S.CHARGED_BACK in steps:
        reason = "the dispute was won" if won else "the dispute was lost: see its own case"
        settled += (Settlement(kind=CaseKind.DISPUTED, subject=charge.id, reason=reason),)
    return settled


def _attempts(
    charge: Charge,
    *,
    after: Charge,
    steps: list[ChargeStatus],
    entries: tuple[Entry, ...],
    now: datetime,
) -> tuple[Attempt, ...]:
    is_disputed = any(entry.kind is EntryKind.DISPUTED for entry in entries)
    # Paying back what the payer's bank is taking back could pay it back twice.
    if after.status is _S.PAID_LATE and not is_disputed:
        came = sum((e.amount for e in entries if e.kind is EntryKind.CHARGED), ZERO)
        back = sum((e.amount for e in entries if e.kind is EntryKind.REFUNDED), ZERO)
        left = came - min(back, came)
        if left > ZERO:
            return (moves.plan_refund(charge, amount=left, reason=LATE_REASON, now=now),)
    if _S.WAITING in steps and charge.order_cancelled_at is not None:
        # The order died while its charge was being made: nobody may pay it any more.
        return (moves.plan_cancel(after, reason="the order was cancelled", now=now),)
    return ()
