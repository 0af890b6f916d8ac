"""What becomes of orders when something happened elsewhere.

News of stock, charges, payments, the menu and customers arrive; orders move forward, and
`OrderPaid` and `OrderCancelled` leave. Delivery is at least once and in any order: a fact that an
order cannot follow is recorded on it as a refusal, with its name. What people do is in `kitchen`.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from comanda.envelope import Envelope
from comanda.events import (
    ChargeCreated,
    ChargeRefused,
    CustomerErased,
    CustomerRegistered,
    Event,
    PaymentApproved,
    PaymentFailed,
    PaymentHeld,
    PaymentRefunded,
    PaymentReleased,
    ProductChanged,
    ProductRemoved,
    ShopChanged,
    StockRejected,
    StockReserved,
)
from comanda.ids import OrderId
from workers.orders.copies import (
    copy_product,
    copy_rules,
    drop_product,
    forget_customer,
    note_contact,
)
from workers.orders.facts import fact_of
from workers.orders.model import Order, Pix, Refusal, Refused
from workers.orders.ports import Orders, OrdersUnit
from workers.orders.telling import settle
from workers.runtime.errors import Conflict, InvalidMessage

log = logging.getLogger(__name__)


class OrdersHandler(Protocol):
    """A handler that still needs its store."""

    def __call__(self, message: Envelope, *, orders: Orders) -> Awaitable[None]:
        """Handle one message."""


async def note_reservation(message: Envelope, *, orders: Orders) -> None:
    """Note that the stock is held."""
    reserved = fact_of(message, StockReserved)
    shop_id, order_id, held = reserved.shop_id, reserved.order_id, reserved.reservation_id
    try:
        # Nearly every order has no reservation yet, so it is not read to find that out.
        async with orders.begin(message) as unit:
            unit.note_reservation(shop_id, order_id, reservation_id=held)
    except Conflict:
        await _follow(message, orders, lambda order, _: order.reserve(held))


async def cancel_unstocked(message: Envelope, *, orders: Orders) -> None:
    """Cancel an order whose stock could not be held."""
    rejected = fact_of(message, StockRejected)
    await _follow(
        message, orders, lambda order, unit: order.reject_stock(rejected.reason, at=unit.now)
    )


async def show_pix(message: Envelope, *, orders: Orders) -> None:
    """Put the Pix code on the order."""
    charge = fact_of(message, ChargeCreated)
    pix = Pix(charge_id=charge.charge_id, code=charge.pix_code, expires_at=charge.expires_at)
    try:
        # As above: only what does not fit is worth a look at the order.
        async with orders.begin(message) as unit:
            unit.note_pix(charge.shop_id, charge.order_id, pix=pix, total=charge.amount)
    except Conflict:
        await _follow(message, orders, lambda order, _: order.attach(charge))


async def receive_payment(message: Envelope, *, orders: Orders) -> None:
    """Hand a paid order to the kitchen."""
    payment = fact_of(message, PaymentApproved)
    await _follow(message, orders, lambda order, unit: order.approve(payment, at=unit.now))


async def end_unpaid(message: Envelope, *, orders: Orders) -> None:
    """End an order that has no charge or whose charge will not be paid."""
    failed = message.event
    if not isinstance(failed, ChargeRefused | PaymentFailed):
        raise InvalidMessage(f"{failed.wire_type} ends no order")
    reason = failed.reason
    await _follow(message, orders, lambda order, unit: order.fail_payment(reason, at=unit.now))


async def note_refund(message: Envelope, *, orders: Orders) -> None:
    """Note money that went back."""
    refunded = fact_of(message, PaymentRefunded)
    await _follow(message, orders, lambda order, unit: order.refund(refunded.amount, at=unit.now))


async def hold_order(message: Envelope, *, orders: Orders) -> None:
    """Stop the kitchen while the provider suspects fraud."""
    held = fact_of(message, PaymentHeld)
    await _follow(message, orders, lambda order, _: order.hold(held.reason))


async def release_order(message: Envelope, *, orders: Orders) -> None:
    """Let the kitchen go on."""
    fact_of(message, PaymentReleased)
    await _follow(message, orders, lambda order, _: order.release())


async def _follow(
    message: Envelope, orders: Orders, follow: Callable[[Order, OrdersUnit], Order]
) -> None:
    """Let the order of a message follow its fact, or record by name why it would not."""
    shop_id, order_id = message.event.shop_id, OrderId(message.event.subject)
    async with orders.begin(message) as unit:
        found = await unit.order(shop_id, order_id)
        if found is None:
            # An order is committed before the first event about it leaves, and the read is
            # consistent, so waiting would not bring it: the sender tells of an order that never
            # was, or of another shop's. A person must see that, hence the dead-letter queue.
            raise InvalidMessage(f"unknown order {order_id} of {shop_id}")
        try:
            moved = follow(found, unit)
        except Refused as exc:
            moved = found.record(_refusal(exc, message=message, order=found, unit=unit))
        if moved is not found:
            settle(unit, before=found, after=moved)


def _refusal(exc: Refused, *, message: Envelope, order: Order, unit: OrdersUnit) -> Refusal:
    name = type(exc).__name__
    log.warning(
        "transition refused",
        extra={"order_id": order.id, "type": message.event.wire_type, "refusal": name},
    )
    return Refusal(
        event_id=message.id,
        event_type=message.event.wire_type,
        name=name,
        detail=str(exc),
        status=order.status,
        at=unit.now,
    )


HANDLERS: Mapping[type[Event], OrdersHandler] = {
    StockReserved: note_reservation,
    StockRejected: cancel_unstocked,
    ChargeCreated: show_pix,
    ChargeRefused: end_unpaid,
    PaymentApproved: receive_payment,
    PaymentFailed: end_unpaid,
    PaymentRefunded: note_refund,
    PaymentHeld: hold_order,
    PaymentReleased: release_order,
    ProductChanged: copy_product,
    ProductRemoved: drop_product,
    ShopChanged: copy_rules,
    CustomerRegistered: note_contact,
    CustomerErased: forget_customer,
}
