"""What becomes of orders when something happened, or when the kitchen takes a step.

News of stock, charges, payments and the menu arrive; orders move forward, and `OrderPaid`,
`OrderCancelled` and the kitchen's milestones leave. Delivery is at least once and in any order: a
fact that an order cannot follow is recorded on it as a refusal, with its name.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

from comanda.envelope import Envelope
from comanda.events import (
    ChargeCreated,
    ChargeRefused,
    Event,
    OrderCancelled,
    OrderCompleted,
    OrderPaid,
    OrderReady,
    OrderStarted,
    PaymentApproved,
    PaymentFailed,
    PaymentHeld,
    PaymentRefunded,
    PaymentReleased,
    ProductChanged,
    ProductRemoved,
    StockRejected,
    StockReserved,
)
from comanda.ids import OrderId, ShopId
from comanda.money import ZERO
from workers.orders.lines import MenuItem
from workers.orders.model import IllegalTransition, Order, OrderStatus, Refusal, Refused, Step
from workers.orders.ports import Orders, OrdersUnit
from workers.runtime.errors import Conflict, InvalidMessage

log = logging.getLogger(__name__)
E = TypeVar("E", bound=Event)
_KITCHEN_ATTEMPTS = 4
_NEWS_OF_STEP: Mapping[Step, type[OrderStarted] | type[OrderReady] | type[OrderCompleted]] = {
    Step.START: OrderStarted,
    Step.MAKE_READY: OrderReady,
    Step.COMPLETE: OrderCompleted,
}


class OrdersHandler(Protocol):
    """A handler that still needs its store."""

    def __call__(self, message: Envelope, *, orders: Orders) -> Awaitable[None]:
        """Handle one message."""


class OrderUnknown(Exception):
    """The shop has no order of this id."""


async def note_reservation(message: Envelope, *, orders: Orders) -> None:
    """Note that the stock is held."""
    reserved = _fact(message, StockReserved)
    await _follow(message, orders, lambda order, _: order.reserve(reserved.reservation_id))


async def cancel_unstocked(message: Envelope, *, orders: Orders) -> None:
    """Cancel an order whose stock could not be held."""
    rejected = _fact(message, StockRejected)
    await _follow(
        message, orders, lambda order, unit: order.reject_stock(rejected.reason, at=unit.now)
    )


async def show_pix(message: Envelope, *, orders: Orders) -> None:
    """Put the Pix code on the order."""
    charge = _fact(message, ChargeCreated)
    await _follow(message, orders, lambda order, _: order.attach(charge))


async def receive_payment(message: Envelope, *, orders: Orders) -> None:
    """Hand a paid order to the kitchen."""
    payment = _fact(message, PaymentApproved)
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
    refunded = _fact(message, PaymentRefunded)
    await _follow(message, orders, lambda order, unit: order.refund(refunded.amount, at=unit.now))


async def hold_order(message: Envelope, *, orders: Orders) -> None:
    """Stop the kitchen while the provider suspects fraud."""
    held = _fact(message, PaymentHeld)
    await _follow(message, orders, lambda order, _: order.hold(held.reason))


async def release_order(message: Envelope, *, orders: Orders) -> None:
    """Let the kitchen go on."""
    _fact(message, PaymentReleased)
    await _follow(message, orders, lambda order, _: order.release())


async def copy_product(message: Envelope, *, orders: Orders) -> None:
    """Keep what the menu says of a product now."""
    product = _fact(message, ProductChanged)
    item = MenuItem(
        product_id=product.product_id,
        shop_id=product.shop_id,
        version=product.version,
        name=product.name,
        category=product.category,
        price=product.price,
        is_available=product.is_available,
    )
    async with orders.begin(message) as unit:
        await _keep_newer(unit, item)


async def drop_product(message: Envelope, *, orders: Orders) -> None:
    """Mark a product as removed; the mark stays, or late news would bring the product back."""
    removed = _fact(message, ProductRemoved)
    async with orders.begin(message) as unit:
        found = await unit.menu_item(removed.shop_id, removed.product_id)
        item = MenuItem(
            product_id=removed.product_id,
            shop_id=removed.shop_id,
            version=removed.version,
            name=found.name if found else "",
            category=found.category if found else "",
            price=found.price if found else ZERO,
            is_available=False,
            is_removed=True,
        )
        await _keep_newer(unit, item)


async def advance(shop_id: ShopId, order_id: OrderId, *, step: Step, orders: Orders) -> Order:
    """Take a step of the kitchen; raise `OrderUnknown`, `IllegalTransition` or `Conflict`."""
    for _ in range(_KITCHEN_ATTEMPTS - 1):
        try:
            return await _advance(shop_id, order_id, step=step, orders=orders)
        except Conflict:
            continue  # Another writer was first; the order is read again.
    return await _advance(shop_id, order_id, step=step, orders=orders)


async def _advance(shop_id: ShopId, order_id: OrderId, *, step: Step, orders: Orders) -> Order:
    async with orders.begin() as unit:
        found = await unit.order(shop_id, order_id)
        if found is None:
            raise OrderUnknown
        try:
            moved = found.advance(step, at=unit.now)
        except IllegalTransition as exc:
            log.warning("step refused", extra={"order_id": order_id, "reason": str(exc)})
            raise
        saved = unit.save(moved)
        unit.emit(_NEWS_OF_STEP[step](shop_id=shop_id, order_id=order_id))
    return saved


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
            unit.save(moved)
            _tell(unit, before=found, after=moved)


def _tell(unit: OrdersUnit, *, before: Order, after: Order) -> None:
    if after.status is before.status:
        return
    if after.status is OrderStatus.RECEIVED:
        unit.emit(OrderPaid(shop_id=after.shop_id, order_id=after.id))
    if after.status is OrderStatus.CANCELLED:
        reason = after.reason or "unknown"
        unit.emit(OrderCancelled(shop_id=after.shop_id, order_id=after.id, reason=reason))


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


async def _keep_newer(unit: OrdersUnit, item: MenuItem) -> None:
    found = await unit.menu_item(item.shop_id, item.product_id)
    if found is None or found.version < item.version:
        unit.save_menu_item(item)


def _fact(message: Envelope, kind: type[E]) -> E:
    if not isinstance(message.event, kind):
        raise InvalidMessage(f"{message.event.wire_type} is not {kind.wire_type}")
    return message.event


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
}
