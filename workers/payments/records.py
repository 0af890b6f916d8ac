"""Write down what came in: the webhook inbox of payments, kept for 90 days."""

import logging
from datetime import timedelta

from comanda.envelope import Envelope
from comanda.events import NotificationQuarantined, NotificationReceived
from workers.payments.model import Charge
from workers.payments.ports import Desk, Notification, NotificationVerdict

log = logging.getLogger(__name__)
KEPT_FOR = timedelta(days=90)
_BATCH = 1000


async def note(
    message: Envelope, verdict: NotificationVerdict, *, desk: Desk, charge: Charge | None = None
) -> None:
    """Record a notification that has no effect, and why it has none."""
    async with desk.payments.begin(message) as unit:
        await unit.record(record_of(message, verdict, charge=charge))


async def forget_old_notifications(desk: Desk) -> int:
    """Delete what is older than 90 days, a batch at a time; return how many."""
    before, forgotten = desk.clock() - KEPT_FOR, 0
    while True:
        batch = await desk.payments.forget_notifications(before=before, limit=_BATCH)
        forgotten += batch
        if batch < _BATCH:
            break
    if forgotten:
        log.info("notifications forgotten", extra={"count": forgotten})
    return forgotten


def notification_event(message: Envelope) -> NotificationReceived | NotificationQuarantined:
    """Give the notification inside a message."""
    event = message.event
    assert isinstance(event, NotificationReceived | NotificationQuarantined)  # As dispatched.
    return event


def record_of(message: Envelope, verdict: str, *, charge: Charge | None = None) -> Notification:
    """Make the record of a notification."""
    event = notification_event(message)
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
