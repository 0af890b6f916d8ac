"""Ask the provider about open charges that went quiet, so that a lost webhook still ends well.

Each charge carries the instant of its next check; a turn claims those that are due, asks outside
any transaction, and applies the answer through the one function that applies facts.
"""

import asyncio
import logging

from workers.payments.creation import send
from workers.payments.facts import apply_fact
from workers.payments.model import Charge, Verdict
from workers.payments.ports import Desk, ProviderUnavailable
from workers.runtime.errors import RetryLater

log = logging.getLogger(__name__)
BATCH = 100


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
    fact = await desk.provider.fetch(charge.shop_id, charge.provider_id)
    if fact is None:
        log.error("the provider lost an order", extra={"charge_id": charge.id})
        return False
    async with desk.payments.begin() as unit:
        locked = await unit.lock(charge.shop_id, charge.id)
        if locked is None:
            return False
        outcome = apply_fact(locked, fact=fact, now=unit.now)
        await unit.save(outcome, source="reconciliation")
    return outcome.verdict is Verdict.APPLIED
