"""Apply what a notification points at: fetch the provider's resource, apply the fact, once.

`NotificationReceived` and `NotificationQuarantined` arrive; what the fact leads to leaves. What a
notification claims is never believed, so only its resource id is used.
"""

import logging
from datetime import timedelta

from comanda.envelope import Envelope
from comanda.events import NotificationQuarantined, NotificationReceived
from comanda.mercadopago.values import Flavour
from workers.payments.alarms import ALARMS, record_alarm
from workers.payments.facts import apply_fact
from workers.payments.model import Charge, ProviderFact
from workers.payments.ports import Desk, NotificationVerdict, PaymentsUnit
from workers.payments.provider import ProviderUnavailable
from workers.payments.records import note, notification_event, record_of
from workers.payments.truth import Found, apply_truth
from workers.runtime.errors import RetryLater

log = logging.getLogger(__name__)

# The panel and the plugins say `orders`, real deliveries say `order`.
TOPICS = {
    "order": Flavour.ORDERS,
    "orders": Flavour.ORDERS,
    "payment": Flavour.PAYMENTS,
    "payments": Flavour.PAYMENTS,
}
QUARANTINE_PAUSE = timedelta(seconds=10)
HAND_OVER = timedelta(seconds=60)


async def apply_notification(message: Envelope, *, desk: Desk) -> None:
    """Read what a verified notification points at, unless a later fetch covers it."""
    event = message.event
    assert isinstance(event, NotificationReceived)  # The consumer dispatches by type.
    if event.topic in ALARMS:
        await record_alarm(message, desk=desk)
        return
    flavour = TOPICS.get(event.topic)
    if flavour is None:
        await note(message, NotificationVerdict.OTHER_TOPIC, desk=desk)
        return
    charge = await desk.payments.find(event.shop_id, event.resource_id)
    # This replaces deduplication: what a fetch saw that began later, this one would see too.
    if charge is not None and charge.is_fetched_since(event.received_at):
        await note(message, NotificationVerdict.COVERED, desk=desk, charge=charge)
        return
    await _read(message, desk=desk, charge=charge, flavour=flavour)


async def apply_quarantined(message: Envelope, *, desk: Desk) -> None:
    """Re-read a charge that we know, rarely; an unverified sender gets nothing else from us."""
    event = message.event
    assert isinstance(event, NotificationQuarantined)  # The consumer dispatches by type.
    charge = await desk.payments.find(event.shop_id, event.resource_id)
    if charge is None:
        await note(message, NotificationVerdict.NOT_KNOWN_HERE, desk=desk)
        return
    if charge.is_fetched_since(message.time - QUARANTINE_PAUSE):
        await note(message, NotificationVerdict.THROTTLED, desk=desk, charge=charge)
        return
    await _read(message, desk=desk, charge=charge, flavour=charge.flavour)


async def _read(message: Envelope, *, desk: Desk, charge: Charge | None, flavour: Flavour) -> None:
    event = notification_event(message)
    resource_id = charge.provider_id if charge and charge.provider_id else event.resource_id
    wait = desk.pace.wait(f"{event.shop_id}/{resource_id}", now=desk.clock())
    if wait is not None:
        raise RetryLater(wait)  # One fetch at the end of a burst covers all of it.
    try:
        fact = await desk.provider.fetch(event.shop_id, resource_id, flavour=flavour)
        if fact is not None:
            await _apply(message, fact=fact, desk=desk, charge=charge)
            return
    except ProviderUnavailable as exc:
        if charge is None or desk.clock() - event.received_at < HAND_OVER:
            raise RetryLater(exc.retry_after) from exc
        verdict = NotificationVerdict.LEFT_TO_RECONCILIATION
        await note(message, verdict, desk=desk, charge=charge)
        return
    if charge is not None:
        raise RetryLater  # A charge that we know must be readable; the dead letters will tell.
    log.info("notification of nothing", extra={"resource_id": event.resource_id[:80]})
    await note(message, NotificationVerdict.NOT_FOUND, desk=desk)


async def _apply(
    message: Envelope, *, fact: ProviderFact, desk: Desk, charge: Charge | None
) -> None:
    if charge is not None:
        await _apply_to_own(message, fact=fact, desk=desk, charge=charge)
        return

    async def finish(unit: PaymentsUnit, found: Found) -> None:
        await unit.record(record_of(message, found.verdict, charge=found.before))

    await apply_truth(
        fact,
        shop_id=message.event.shop_id,
        desk=desk,
        source=_source(message),
        finish=finish,
        cause=message,
    )


async def _apply_to_own(
    message: Envelope, *, fact: ProviderFact, desk: Desk, charge: Charge
) -> None:
    """Take the short way of nearly every notification: the order is known and is its charge's."""
    async with desk.payments.begin(message) as unit:
        locked = await unit.lock(charge.shop_id, charge.id)
        assert locked is not None  # Charges are never deleted.
        outcome = apply_fact(locked, fact=fact, now=unit.now)
        note = record_of(message, outcome.verdict, charge=locked)
        await unit.save(outcome, source=_source(message), note=note)
    log.info(
        "notification applied",
        extra={
            "charge_id": locked.id,
            "order_id": locked.order_id,
            "verdict": outcome.verdict,
            "status": outcome.charge.status,
            "request_id": fact.request_id,
        },
    )


def _source(message: Envelope) -> str:
    return f"webhook {message.id}"
