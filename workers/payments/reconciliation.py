"""Ask the provider about open charges that went quiet, so that a lost webhook still ends well.

Each charge carries the instant of its next check; a turn claims those that are due, asks outside
any transaction, and applies the answer through the one function that applies facts.
"""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta

from workers.payments import moves
from workers.payments.cases import CaseKind
from workers.payments.creation import send
from workers.payments.facts import apply_fact
from workers.payments.model import Charge, ChargeStatus, Outcome, Verdict
from workers.payments.ports import Desk
from workers.payments.provider import ProviderUnavailable
from workers.runtime.errors import RetryLater

log = logging.getLogger(__name__)
BATCH = 100
SOURCE = "poll"
# A code that its provider keeps open for so long after its end is closed by us.
GRACE = timedelta(minutes=10)
LOST_AFTER = 8


async def reconcile(desk: Desk) -> int:
    """Check the charges that are due; return how many of them were corrected."""
    due = await desk.payments.claim_due(limit=BATCH)
    corrected = sum(await asyncio.gather(*(_check(charge, desk=desk) for charge in due)))
    if due:
        log.info("charges reconciled", extra={"checked": len(due), "corrected": corrected})
    return corrected


async def _check(charge: Charge, *, desk: Desk) -> bool:
    try:
        if charge.is_to_create:
            await send(charge, desk=desk)
            return True
        return await _read(charge, desk=desk)
    except (ProviderUnavailable, RetryLater) as exc:
        # The claim already moved the next check, so the charge comes again by itself.
        log.warning("check failed", extra={"charge_id": charge.id, "fault": str(exc)})
        return False


async def _read(charge: Charge, *, desk: Desk) -> bool:
    assert charge.provider_id is not None  # Otherwise it would be one to create.
    fact = await desk.provider.fetch(charge.shop_id, charge.provider_id, flavour=charge.flavour)
    async with desk.payments.begin() as unit:
        locked = await unit.lock(charge.shop_id, charge.id)
        if locked is None:
            return False
        if fact is None:
            await unit.save(note_lost(locked, now=unit.now), source=SOURCE)
            return False
        outcome = close_overdue(apply_fact(locked, fact=fact, now=unit.now), at=unit.now)
        await unit.save(outcome, source=SOURCE)
        if outcome.charge.status is not locked.status:
            await unit.note_repair(outcome.charge, before=locked.status, source=SOURCE)
    return outcome.verdict is Verdict.APPLIED


def close_overdue(outcome: Outcome, *, at: datetime) -> Outcome:
    """Plan to cancel a charge whose code is still open `GRACE` after its end."""
    charge = outcome.charge
    is_overdue = charge.expires_at is not None and at > charge.expires_at + GRACE
    if charge.status is not ChargeStatus.WAITING or not is_overdue:
        return outcome
    plan = moves.plan_cancel(charge, reason="its code expired long ago", now=at)
    return replace(outcome, attempts=(*outcome.attempts, plan))


def note_lost(charge: Charge, *, now: datetime) -> Outcome:
    """Leave a charge that the provider denies as it is; after `LOST_AFTER` checks it is a case."""
    log.error("the provider lost an order", extra={"charge_id": charge.id})
    if charge.checks < LOST_AFTER:
        return Outcome(charge=charge, verdict=Verdict.UNCHANGED)
    detail = f"the provider made {charge.provider_id} and says that there is none"
    case = moves.case(charge, kind=CaseKind.LOST_BY_PROVIDER, detail=detail, now=now)
    return Outcome(charge=charge, verdict=Verdict.UNCHANGED, cases=(case,))
