"""Carry out what we owe the provider: refunds and cancellations, followed to their end.

Planned attempts arrive from units of work by their rows; what leaves is their end, told by the
provider's own list and applied by the one function that applies facts. Any number of pods may run
this: rows are claimed with a short lease, and every call repeats stored bytes under a stored key.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from comanda.money import ZERO
from workers.payments import moves
from workers.payments.attempts import Attempt, AttemptKind, AttemptStatus, next_try
from workers.payments.endings import end_of_cancel, end_of_refund
from workers.payments.facts import apply_fact
from workers.payments.model import Charge, ChargeStatus, ProviderFact, RefundFact
from workers.payments.ports import Desk, PaymentsUnit
from workers.payments.provider import ProviderRefused, ProviderUnavailable

log = logging.getLogger(__name__)
BATCH = 50
# Nobody documents how long a key is remembered, so an old attempt is looked for before it is sent.
KEY_TRUSTED_FOR = timedelta(hours=1)


async def run_errands(desk: Desk) -> int:
    """Carry on with the attempts that are due; return how many there were."""
    due = await desk.payments.claim_attempts(limit=BATCH)
    await asyncio.gather(*(_carry(attempt, desk=desk) for attempt in due))
    return len(due)


async def _carry(attempt: Attempt, *, desk: Desk) -> None:
    try:
        begun = await _begin(attempt, desk=desk)
        if begun is None:
            return
        if attempt.kind is AttemptKind.CANCEL:
            await _cancel(*begun, desk=desk)
        else:
            await _refund(*begun, desk=desk)
    except ProviderUnavailable as exc:
        log.warning("attempt put off", extra={**_facts(attempt), "fault": str(exc)})
        await _put_off(attempt, after=exc.retry_after, desk=desk)


async def _begin(attempt: Attempt, *, desk: Desk) -> tuple[Attempt, Charge] | None:
    """Store the bytes before the first call, or end what there is no need for any more."""
    async with desk.payments.begin() as unit:
        charge = await unit.lock(attempt.shop_id, attempt.charge_id)
        assert charge is not None  # The row refers to it, and charges are never deleted.
        if attempt.request is not None:
            return attempt, charge
        needless = _needless(attempt, charge)
        if needless is not None:
            await unit.save_attempt(_ended(attempt, AttemptStatus.DONE, needless, now=unit.now))
            return None
        begun = replace(
            attempt,
            status=AttemptStatus.SENT,
            request=desk.provider.request_of(attempt, charge=charge),
            sent_at=unit.now,
        )
        await unit.save_attempt(begun)
        is_late = charge.status is ChargeStatus.PAID_LATE and not attempt.resource_id
        if is_late and attempt.kind is AttemptKind.REFUND:
            charge = moves.moved(charge, to=ChargeStatus.REFUNDING, now=unit.now)
            await unit.save_charge(charge)
        return begun, charge


def _needless(attempt: Attempt, charge: Charge) -> str | None:
    if attempt.kind is AttemptKind.CANCEL:
        is_waiting = charge.status is ChargeStatus.WAITING
        return None if is_waiting else f"the charge is {charge.status}"
    left = charge.balance_of(attempt.resource_id).left
    if attempt.amount is None or left < attempt.amount:
        return f"only {left} is left"
    return None


async def _cancel(attempt: Attempt, charge: Charge, *, desk: Desk) -> None:
    refusal: str | None = None
    fact: ProviderFact | None
    try:
        fact = await desk.provider.cancel(attempt, charge=charge)
    except ProviderRefused as exc:
        # Somebody paid, cancelled or let it expire meanwhile; only a new look tells which.
        refusal = exc.reason
        fact = await _look(attempt, charge, desk=desk)
    async with desk.payments.begin() as unit:
        after = await _apply(attempt, fact=fact, unit=unit)
        ending = end_of_cancel(attempt, charge=after, refusal=refusal, now=unit.now)
        await unit.save_attempt(ending.attempt)
        for case in ending.cases:
            await unit.open_case(case)
        for settlement in ending.settled:
            await unit.settle_case(charge.shop_id, settlement)
    log.info("cancellation answered", extra=_facts(ending.attempt, fact))


async def _refund(attempt: Attempt, charge: Charge, *, desk: Desk) -> None:
    refusal, listed = await _pay_back(attempt, charge, desk=desk)
    fact = await _look(attempt, charge, desk=desk)
    async with desk.payments.begin() as unit:
        after = await _apply(attempt, fact=fact, unit=unit)
        others = await unit.attempts(charge.id)
        ending = end_of_refund(
            attempt,
            charge=after,
            listed=[*listed, *(fact.refunds if fact else ())],
            others=others,
            refusal=refusal,
            now=unit.now,
        )
        await unit.save_attempt(ending.attempt)
        for case in ending.cases:
            await unit.open_case(case)
        for settlement in ending.settled:
            await unit.settle_case(charge.shop_id, settlement)
    log.info("refund answered", extra={**_facts(ending.attempt, fact), "refusal": refusal})


async def _pay_back(
    attempt: Attempt, charge: Charge, *, desk: Desk
) -> tuple[str | None, Sequence[RefundFact]]:
    """Send the refund, or only look for it when it is known or may be forgotten by its key."""
    now = desk.clock()
    is_old = attempt.sent_at is not None and now - attempt.sent_at > KEY_TRUSTED_FOR
    if attempt.status is AttemptStatus.IN_PROCESS:
        return None, await desk.provider.refunds(attempt, charge=charge)
    if is_old:
        listed = await desk.provider.refunds(attempt, charge=charge)
        # What was never found in the list has no refund of its own among them yet.
        taken = await _taken(attempt, desk=desk)
        if any(r.amount == attempt.amount and r.id not in taken for r in listed):
            return None, listed
    try:
        return None, await desk.provider.refund(attempt, charge=charge)
    except ProviderRefused as exc:
        # A refusal may be a refund that is really in process, so the list is what counts.
        return exc.reason, await desk.provider.refunds(attempt, charge=charge)


async def _taken(attempt: Attempt, *, desk: Desk) -> set[str | None]:
    """Name the provider's refunds that belong to attempts of the charge."""
    async with desk.payments.begin() as unit:
        attempts = await unit.attempts(attempt.charge_id)
    return {known.provider_refund_id for known in attempts}


async def _look(attempt: Attempt, charge: Charge, *, desk: Desk) -> ProviderFact | None:
    resource = attempt.resource_id or charge.provider_id
    assert resource is not None  # An attempt is begun only for what the provider has.
    flavour = attempt.flavour or charge.flavour
    return await desk.provider.fetch(charge.shop_id, resource, flavour=flavour)


async def _apply(attempt: Attempt, *, fact: ProviderFact | None, unit: PaymentsUnit) -> Charge:
    locked = await unit.lock(attempt.shop_id, attempt.charge_id)
    assert locked is not None  # As in `_begin`.
    if fact is None:
        return locked
    outcome = apply_fact(locked, fact=fact, now=unit.now)
    source = "operator" if attempt.requested_by != moves.OURSELVES else "refund"
    await unit.save(outcome, source="cancellation" if attempt.amount is None else source)
    after = await unit.lock(attempt.shop_id, attempt.charge_id)
    assert after is not None  # As in `_begin`.
    return after


async def _put_off(attempt: Attempt, *, after: timedelta | None, desk: Desk) -> None:
    async with desk.payments.begin() as unit:
        await unit.lock(attempt.shop_id, attempt.charge_id)
        for current in await unit.attempts(attempt.charge_id):
            if current.id == attempt.id and current.is_open:
                due = next_try(current.tries, now=unit.now)
                wished = unit.now + (after or timedelta())
                await unit.save_attempt(replace(current, next_try_at=max(due, wished)))


def _ended(attempt: Attempt, status: AttemptStatus, detail: str, *, now: datetime) -> Attempt:
    return replace(attempt, status=status, detail=detail, next_try_at=None, settled_at=now)


def _facts(attempt: Attempt, fact: ProviderFact | None = None) -> dict[str, object]:
    return {
        "attempt_id": attempt.id,
        "charge_id": attempt.charge_id,
        "kind": attempt.kind,
        "status": attempt.status,
        "amount": str(attempt.amount or ZERO),
        "request_id": fact.request_id if fact else "",
    }
