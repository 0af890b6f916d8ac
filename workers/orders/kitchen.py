"""What people do to an order: the kitchen moves it on or takes a step back, somebody cancels it.

A step that the order refuses is recorded on the order, with who asked for it, and raised.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from comanda.ids import EventId, OrderId, ShopId, new_id
from workers.orders.model import IllegalTransition, Order, Refusal, Step
from workers.orders.ports import Orders, OrdersUnit
from workers.orders.telling import settle
from workers.runtime.errors import Conflict

log = logging.getLogger(__name__)
_ATTEMPTS = 4
_Move = Callable[[Order, OrdersUnit], Order]


class OrderUnknown(Exception):
    """The shop has no order of this id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """Which step of which order, and who asks; `reason` and `note` belong to cancellations.

    The reason travels in an event, so it is a word of ours; the note stays on the order.
    """

    shop_id: ShopId
    order_id: OrderId
    step: Step
    by: str | None = None
    reason: str = ""
    note: str | None = None


async def advance(
    shop_id: ShopId, order_id: OrderId, *, step: Step, orders: Orders, by: str | None = None
) -> Order:
    """Take a step of the kitchen; raise `OrderUnknown`, `IllegalTransition` or `Conflict`."""
    ask = Ask(shop_id=shop_id, order_id=order_id, step=step, by=by)
    return await _taken(ask, orders, lambda o, unit: o.advance(step, at=unit.now, by=by))


async def cancel(ask: Ask, *, orders: Orders) -> Order:
    """Cancel an order; raise `OrderUnknown`, `IllegalTransition` or `Conflict`."""

    def move(order: Order, unit: OrdersUnit) -> Order:
        return order.cancel(ask.step, reason=ask.reason, at=unit.now, by=ask.by, note=ask.note)

    return await _taken(ask, orders, move)


async def _taken(ask: Ask, orders: Orders, move: _Move) -> Order:
    for _ in range(_ATTEMPTS - 1):
        try:
            return await _try(ask, orders, move)
        except Conflict:
            continue  # Another writer was first; the order is read again.
    return await _try(ask, orders, move)


async def _try(ask: Ask, orders: Orders, move: _Move) -> Order:
    refused: IllegalTransition | None = None
    async with orders.begin() as unit:
        found = await unit.order(ask.shop_id, ask.order_id)
        if found is None:
            raise OrderUnknown
        try:
            moved = move(found, unit)
        except IllegalTransition as exc:
            refused = exc
            moved = found.record(_refusal(exc, ask=ask, order=found, unit=unit))
        saved = settle(unit, before=found, after=moved) if moved is not found else found
    if refused is not None:
        log.warning("step refused", extra={"order_id": ask.order_id, "reason": str(refused)})
        raise refused
    return saved


def _refusal(exc: IllegalTransition, *, ask: Ask, order: Order, unit: OrdersUnit) -> Refusal:
    return Refusal(
        event_id=EventId(new_id(unit.now)),
        event_type=f"orders.step.{ask.step.value}",
        name=type(exc).__name__,
        detail=str(exc) if ask.by is None else f"{exc}; asked by {ask.by}",
        status=order.status,
        at=unit.now,
    )
