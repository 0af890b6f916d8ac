"""How an attempt ends, judged from the provider's own list; nothing here asks anybody anything."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from comanda.mercadopago.values import RefundState
from workers.payments import moves
from workers.payments.attempts import Attempt, AttemptStatus, next_try
from workers.payments.cases import Case, CaseKind, Settlement
from workers.payments.model import Charge, ChargeStatus, RefundFact

# What these say cannot be a refund in disguise: there is nothing to refund, or not so much.
_FINAL = frozenset(
    {
        "refund_amount_exceeds",
        "invalid_transaction_id",
        "transaction_not_found",
        "order_not_found",
        "cannot_refund_order",
        "3024",
        "not_found",
        "idempotency_key_already_used",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """An attempt as it stands now, and what a human must know of it."""

    attempt: Attempt
    cases: tuple[Case, ...] = ()
    settled: tuple[Settlement, ...] = ()


def end_of_cancel(
    attempt: Attempt, *, charge: Charge, refusal: str | None, now: datetime
) -> Ending:
    """End a cancellation when the charge does not wait any more, however that came about."""
    if charge.status is not ChargeStatus.WAITING:
        return _done(attempt, detail=refusal or "", kind=CaseKind.CANCEL_STUCK, now=now)
    return _carry_on(attempt, charge=charge, detail=refusal or "", now=now)


def end_of_refund(
    attempt: Attempt,
    *,
    charge: Charge,
    listed: Sequence[RefundFact],
    others: Sequence[Attempt],
    refusal: str | None,
    now: datetime,
) -> Ending:
    """End a refund when the provider's list says so; a refusal alone ends it only if it must."""
    own = _own(attempt, listed=listed, others=others)
    if own is None:
        return _without_own(attempt, charge=charge, refusal=refusal, now=now)
    known = replace(attempt, provider_refund_id=own.id)
    if own.state is RefundState.DONE:
        return _done(known, detail="", kind=CaseKind.REFUND_STUCK, now=now)
    if own.state is RefundState.FAILED:
        return _failed(known, charge=charge, detail="the provider gave it up", now=now)
    in_process = replace(known, status=AttemptStatus.IN_PROCESS)
    return _carry_on(in_process, charge=charge, detail=refusal or "", now=now)


def _own(
    attempt: Attempt, *, listed: Sequence[RefundFact], others: Sequence[Attempt]
) -> RefundFact | None:
    """Find our refund: by its id if we know it, else the newest of our amount that is free."""
    latest = {refund.id: refund for refund in listed}
    if attempt.provider_refund_id is not None:
        return latest.get(attempt.provider_refund_id)
    taken = {other.provider_refund_id for other in others if other.id != attempt.id}
    free = [r for r in latest.values() if r.id not in taken and r.amount == attempt.amount]
    return free[-1] if free else None


def _without_own(attempt: Attempt, *, charge: Charge, refusal: str | None, now: datetime) -> Ending:
    if charge.balance_of(attempt.resource_id).left < (attempt.amount or charge.amount):
        # Somebody else paid it back, as from the provider's panel: there is nothing left to do.
        return _done(
            attempt, detail=refusal or "paid back elsewhere", kind=CaseKind.REFUND_STUCK, now=now
        )
    if refusal in _FINAL:
        return _failed(attempt, charge=charge, detail=refusal or "", now=now)
    return _carry_on(attempt, charge=charge, detail=refusal or "", now=now)


def _done(attempt: Attempt, *, detail: str, kind: CaseKind, now: datetime) -> Ending:
    done = replace(
        attempt, status=AttemptStatus.DONE, detail=detail, next_try_at=None, settled_at=now
    )
    over = Settlement(kind=kind, subject=attempt.charge_id, reason="it came to its end")
    return Ending(attempt=done, settled=(over,))


def _failed(attempt: Attempt, *, charge: Charge, detail: str, now: datetime) -> Ending:
    failed = replace(
        attempt, status=AttemptStatus.FAILED, detail=detail, next_try_at=None, settled_at=now
    )
    text = f"refund {attempt.id} of {attempt.amount} failed: {detail}"
    case = moves.case(charge, kind=CaseKind.REFUND_FAILED, detail=text, now=now)
    return Ending(attempt=failed, cases=(case,))


def _carry_on(attempt: Attempt, *, charge: Charge, detail: str, now: datetime) -> Ending:
    later = replace(attempt, detail=detail, next_try_at=next_try(attempt.tries, now=now))
    if not attempt.is_stuck(now=now):
        return Ending(attempt=later)
    kind = CaseKind.CANCEL_STUCK if attempt.amount is None else CaseKind.REFUND_STUCK
    text = f"{attempt.kind} {attempt.id} is open since {attempt.created_at.isoformat()}"
    return Ending(attempt=later, cases=(moves.case(charge, kind=kind, detail=text, now=now),))
