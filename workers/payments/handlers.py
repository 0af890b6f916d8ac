"""What payments does with each event that it hears; the long ones have modules of their own."""

from collections.abc import Awaitable, Mapping
from typing import Protocol

from comanda.envelope import Envelope
from comanda.events import (
    CustomerErased,
    CustomerRegistered,
    Event,
    NotificationQuarantined,
    NotificationReceived,
    OrderCancelled,
    StockReserved,
)
from workers.payments.creation import create_charge
from workers.payments.decisions import cancel_order
from workers.payments.notifications import apply_notification, apply_quarantined
from workers.payments.ports import Desk


class DeskHandler(Protocol):
    """A handler that still lacks its desk; the worker binds it."""

    def __call__(self, message: Envelope, *, desk: Desk) -> Awaitable[None]:
        """Apply the effect of one event."""


async def record_cancellation(message: Envelope, *, desk: Desk) -> None:
    """Give up the charge of a cancelled order; what comes for it from now on is late money."""
    event = message.event
    assert isinstance(event, OrderCancelled)  # The consumer dispatches by type.
    async with desk.payments.begin(message) as unit:
        await unit.cancel_order(event.shop_id, event.order_id)
        charge = await unit.lock_of_order(event.shop_id, event.order_id)
        if charge is not None:
            await unit.save(cancel_order(charge, now=unit.now), source="cancellation")


async def register_payer(message: Envelope, *, desk: Desk) -> None:
    """Keep the address that a customer's charges name; what was told last counts."""
    event = message.event
    assert isinstance(event, CustomerRegistered)  # The consumer dispatches by type.
    async with desk.payments.begin(message) as unit:
        await unit.register_payer(
            event.shop_id, event.customer_id, email=event.email, told_at=message.time
        )


async def forget_payer(message: Envelope, *, desk: Desk) -> None:
    """Forget a customer's address (LGPD, art. 18, VI)."""
    event = message.event
    assert isinstance(event, CustomerErased)  # The consumer dispatches by type.
    async with desk.payments.begin(message) as unit:
        await unit.forget_payer(event.shop_id, event.customer_id)


HANDLERS: Mapping[type[Event], DeskHandler] = {
    StockReserved: create_charge,
    NotificationReceived: apply_notification,
    NotificationQuarantined: apply_quarantined,
    OrderCancelled: record_cancellation,
    CustomerRegistered: register_payer,
    CustomerErased: forget_payer,
}
