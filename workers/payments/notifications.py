"""Apply what a notification points at: fetch the provider's order, apply the fact, once.

`NotificationReceived` and `NotificationQuarantined` arrive; `PaymentApproved` or `PaymentFailed`
leaves. What a notification claims is never believed, so only its resource id is used.
"""

import logging
from datetime import timedelta

from comanda.envelope import Envelope
from comanda.events import NotificationQuarantined, NotificationReceived
from comanda.ids import ChargeId
from workers.payments.facts import apply_fact
from workers.payments.model import Case, CaseKind, Charge, ProviderFact, ProviderStatus, Verdict
from workers.payments.ports import (
    Desk,
    Notification,
    NotificationVerdict,
    PaymentsUnit,
    ProviderUnavailable,
)
from workers.runtime.errors import RetryLater

log = logging.getLogger(__name__)

# The panel and the plugins say `orders`, real deliveries say `order`.
ORDER_TOPICS = frozenset({"order", "orders"})
QUARANTINE_PAUSE = timedelta(seconds=10)
HAND_OVER = timedelta(seconds=60)


async def apply_notification(message: Envelope, *, desk: Desk) -> None:
    """Read what a verified notification points at, unless a later fetch covers it."""
    event = message.event
    assert isinstance(event, NotificationReceived)  # The consumer dispatches by type.
    if event.topic not in ORDER_TOPICS:
        await _note(message, NotificationVerdict.OTHER_TOPIC, desk=desk)
        return
    charge = await desk.payments.find(event.shop_id, event.resource_id)
    # This replaces deduplication: what a fetch saw that began later, this one would see too.
    if charge is not None and charge.is_fetched_since(event.received_at):
        await _note(message, NotificationVerdict.COVERED, desk=desk, charge=charge)
        return
    await _read(message, desk=desk, charge=charge)


async def apply_quarantined(message: Envelope, *, desk: Desk) -> None:
    """Re-read a charge that we know, rarely; an unverified sender gets nothing else from us."""
    event = message.event
    assert isinstance(event, NotificationQuarantined)  # The consumer dispatches by type.
    charge = await desk.payments.find(event.shop_id, event.resource_id)
    if charge is None:
        await _note(message, NotificationVerdict.NOT_KNOWN_HERE, desk=desk)
        return
    if charge.is_fetched_since(message.time - QUARANTINE_PAUSE):
        await _note(message, NotificationVerdict.THROTTLED, desk=desk, charge=charge)
        return
    await _read(message, desk=desk, charge=charge)


async def _read(message: Envelope, *, desk: Desk, charge: Charge | None) -> None:
    event = _notification_event(message)
    resource_id = charge.provider_id if charge and charge.provider_id else event.resource_id
    try:
        fact = await desk.provider.fetch(event.shop_id, resource_id)
    except ProviderUnavailable as exc:
        if charge is None or desk.clock() - event.received_at < HAND_OVER:
            raise RetryLater(exc.retry_after) from exc
        verdict = NotificationVerdict.LEFT_TO_RECONCILIATION
        await _note(message, verdict, desk=desk, charge=charge)
        return
    if fact is None and charge is not None:
        raise RetryLater  # A charge that we know must be readable; the dead letters will tell.
    if fact is None:
        log.info("notification of nothing", extra={"resource_id": event.resource_id[:80]})
        await _note(message, NotificationVerdict.NOT_FOUND, desk=desk)
        return
    charge_id = charge.id if charge else ChargeId(fact.reference)
    async with desk.payments.begin(message) as unit:
        locked = await unit.lock(event.shop_id, charge_id)
        if locked is None:
            await _keep_stranger(message, fact=fact, unit=unit)
            return
        await _apply(message, fact=fact, locked=locked, unit=unit)


async def _apply(
    message: Envelope, *, fact: ProviderFact, locked: Charge, unit: PaymentsUnit
) -> None:
    outcome = apply_fact(locked, fact=fact, now=unit.now)
    await unit.save(outcome, source=f"notification {message.id}")
    await unit.record(_record(message, outcome.verdict, charge=locked))
    level = logging.WARNING if outcome.verdict in _LOUD else logging.INFO
    extra = {
        "charge_id": locked.id,
        "order_id": locked.order_id,
        "verdict": outcome.verdict,
        "status": outcome.charge.status,
    }
    log.log(level, "notification applied", extra=extra)


_LOUD = frozenset({Verdict.MISMATCH, Verdict.UNRECOGNISED, Verdict.REFUSED})


async def _keep_stranger(message: Envelope, *, fact: ProviderFact, unit: PaymentsUnit) -> None:
    """An order of the provider's that is none of ours: money in it is a case, the rest is noise."""
    if fact.status is not ProviderStatus.PAID:
        await unit.record(_record(message, NotificationVerdict.FOREIGN))
        return
    case = Case(
        shop_id=message.event.shop_id,
        kind=CaseKind.PAID_AND_UNKNOWN,
        subject=fact.provider_id,
        order_id=None,
        detail=f"paid {fact.paid} {fact.currency} for {fact.reference[:80]!r}, which is not ours",
        opened_at=unit.now,
    )
    await unit.open_case(case)
    log.error("paid and unknown", extra={"provider_id": fact.provider_id})
    await unit.record(_record(message, NotificationVerdict.PAID_AND_UNKNOWN))


async def _note(
    message: Envelope, verdict: NotificationVerdict, *, desk: Desk, charge: Charge | None = None
) -> None:
    async with desk.payments.begin(message) as unit:
        await unit.record(_record(message, verdict, charge=charge))


def _notification_event(message: Envelope) -> NotificationReceived | NotificationQuarantined:
    event = message.event
    assert isinstance(event, NotificationReceived | NotificationQuarantined)  # As dispatched.
    return event


def _record(message: Envelope, verdict: str, *, charge: Charge | None = None) -> Notification:
    event = _notification_event(message)
    return Notification(
        event_id=message.id,
        shop_id=event.shop_id,
        topic=event.topic,
        resource_id=event.resource_id,
        received_at=event.received_at,
        request=event.request,
        verdict=str(verdict),
        charge_id=charge.id if charge else None,
        doubt=event.reason if isinstance(event, NotificationQuarantined) else None,
    )
