"""What the catalog does when something happened.

`OrderPlaced` arrives: the stock of all lines is held, or of none, and `StockReserved` or
`StockRejected` leaves for payments and orders. `PaymentApproved` turns held into sold; what ends
an order without a payment releases it. Delivery is at least once and in any order.
"""

import logging
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Protocol

from comanda.envelope import Envelope
from comanda.events import (
    ChargeRefused,
    Event,
    OrderCancelled,
    OrderPlaced,
    PaymentApproved,
    PaymentFailed,
    Shortage,
    StockRejected,
    StockReserved,
)
from comanda.ids import OrderId, ProductId, ReservationId, new_id
from workers.catalog.model import (
    RefusedTransition,
    RejectionReason,
    Reservation,
    ReservationStatus,
    counted_of,
    objection_to,
    quantities_of,
    shortages_of,
)
from workers.catalog.ports import Catalog, CatalogUnit
from workers.runtime.errors import InvalidMessage

log = logging.getLogger(__name__)


class CatalogHandler(Protocol):
    """A handler that still needs its store."""

    def __call__(self, message: Envelope, *, catalog: Catalog) -> Awaitable[None]:
        """Handle one message."""


async def reserve_stock(message: Envelope, *, catalog: Catalog) -> None:
    """Hold all lines of an order or none, and say which; an order is answered once."""
    placed = message.event
    if not isinstance(placed, OrderPlaced):
        raise InvalidMessage(f"{placed.wire_type} places no order")
    try:
        quantities = quantities_of(placed.lines, total=placed.total)
    except ValueError as exc:
        raise InvalidMessage(str(exc)) from exc
    async with catalog.begin(message) as unit:
        claimed = _reservation(unit, placed, status=ReservationStatus.HELD)
        earlier = await unit.claim(claimed)
        if earlier is None:
            await _hold_or_reject(unit, placed=placed, claimed=claimed, quantities=quantities)
        elif earlier.status is ReservationStatus.RELEASED:
            # The end of the order overtook its beginning: nothing may be held for it any more.
            _reject(unit, placed=placed, reason=RejectionReason.ORDER_CANCELLED)


async def sell(message: Envelope, *, catalog: Catalog) -> None:
    """Turn what is held for a paid order into sold."""
    async with catalog.begin(message) as unit:
        order_id = OrderId(message.event.subject)
        found = await unit.reservation(message.event.shop_id, order_id)
        await _step(unit, message=message, found=found, to=ReservationStatus.SOLD)


async def release(message: Envelope, *, catalog: Catalog) -> None:
    """Give back what is held for an order that will not be paid; an order not yet seen is marked.

    Without the mark, an `OrderPlaced` that comes late would hold its stock for ever.
    """
    async with catalog.begin(message) as unit:
        mark = _reservation(unit, message.event, status=ReservationStatus.RELEASED)
        found = await unit.claim(replace(mark, reason=RejectionReason.ORDER_CANCELLED))
        if found is not None:
            await _step(unit, message=message, found=found, to=ReservationStatus.RELEASED)


async def _hold_or_reject(
    unit: CatalogUnit,
    *,
    placed: OrderPlaced,
    claimed: Reservation,
    quantities: Mapping[ProductId, int],
) -> None:
    offers = await unit.offers(placed.shop_id, list(quantities))
    reason = objection_to(placed.lines, quantities=quantities, offers=offers)
    shortages: tuple[Shortage, ...] = ()
    wanted = claimed
    if reason is None:
        wanted = replace(claimed, quantities=counted_of(quantities, offers=offers))
        if not await unit.hold(wanted):
            reason = RejectionReason.OUT_OF_STOCK
            shortages = shortages_of(wanted.quantities, offers=offers)
    if reason is not None:
        refused = replace(wanted, status=ReservationStatus.RELEASED, reason=reason, quantities={})
        await unit.save_reservation(refused)
        _reject(unit, placed=placed, reason=reason, shortages=shortages)
        return
    await unit.save_reservation(wanted)
    unit.emit(
        StockReserved(
            shop_id=placed.shop_id,
            order_id=placed.order_id,
            customer_id=placed.customer_id,
            reservation_id=wanted.id,
            lines=placed.lines,
            total=placed.total,
        )
    )


async def _step(
    unit: CatalogUnit, *, message: Envelope, found: Reservation | None, to: ReservationStatus
) -> None:
    if found is not None and found.status is to:
        return  # The same news came twice under different ids; the first one won.
    if found is None or not found.can_become(to):
        await _refuse(unit, message=message, found=found, asked=to)
        return
    move = unit.sell if to is ReservationStatus.SOLD else unit.release
    await move(found)
    await unit.save_reservation(replace(found, status=to, reason=message.event.wire_type))


async def _refuse(
    unit: CatalogUnit, *, message: Envelope, found: Reservation | None, asked: ReservationStatus
) -> None:
    refusal = RefusedTransition(
        event_id=message.id,
        event_type=message.event.wire_type,
        shop_id=message.event.shop_id,
        order_id=OrderId(message.event.subject),
        current=found.status if found else None,
        asked=asked,
        at=unit.now,
    )
    await unit.record_refusal(refusal)
    log.warning(
        "transition refused",
        extra={"order_id": refusal.order_id, "current": refusal.current, "asked": asked},
    )


def _reservation(unit: CatalogUnit, event: Event, *, status: ReservationStatus) -> Reservation:
    return Reservation(
        id=ReservationId(new_id(unit.now)),
        shop_id=event.shop_id,
        order_id=OrderId(event.subject),
        status=status,
        quantities={},
    )


def _reject(
    unit: CatalogUnit,
    *,
    placed: OrderPlaced,
    reason: RejectionReason,
    shortages: tuple[Shortage, ...] = (),
) -> None:
    unit.emit(
        StockRejected(
            shop_id=placed.shop_id,
            order_id=placed.order_id,
            reason=reason.value,
            shortages=shortages,
        )
    )


HANDLERS: Mapping[type[Event], CatalogHandler] = {
    OrderPlaced: reserve_stock,
    PaymentApproved: sell,
    PaymentFailed: release,
    ChargeRefused: release,
    OrderCancelled: release,
}
HANDLED: frozenset[type[Event]] = frozenset(HANDLERS)
