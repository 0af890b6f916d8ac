"""What leaves with a changed order: its event, its entry in the feed, its notice to the customer.

Every change of an order ends here, whether a fact or a person caused it, so that a till, a screen
and a customer are told of all of them, in the transaction of the change.
"""

from collections.abc import Iterator, Mapping

from comanda.events import (
    OrderCancelled,
    OrderCompleted,
    OrderPaid,
    OrderReady,
    OrderRecalled,
    OrderStarted,
)
from workers.orders.feed import EntryKind, FeedEntry
from workers.orders.mail import Mail
from workers.orders.model import Order, OrderStatus
from workers.orders.notices import Notice, NoticeKind
from workers.orders.ports import OrdersUnit

_S = OrderStatus
_Milestone = type[OrderPaid] | type[OrderStarted] | type[OrderReady] | type[OrderCompleted]
_MILESTONES: Mapping[tuple[OrderStatus, OrderStatus], _Milestone] = {
    (_S.PENDING_PAYMENT, _S.RECEIVED): OrderPaid,
    (_S.RECEIVED, _S.IN_PREPARATION): OrderStarted,
    (_S.IN_PREPARATION, _S.READY): OrderReady,
    (_S.READY, _S.COMPLETED): OrderCompleted,
}
_NOTICES: Mapping[OrderStatus, NoticeKind] = {
    _S.RECEIVED: NoticeKind.PAID,
    _S.PAYMENT_FAILED: NoticeKind.NOT_PAID,
    _S.CANCELLED: NoticeKind.CANCELLED,
    _S.READY: NoticeKind.READY,
}


def settle(unit: OrdersUnit, *, before: Order, after: Order) -> Order:
    """Save a changed order with all that is told of it; give it with its next version."""
    noticed = _noticed(before, after=after, unit=unit)
    saved = unit.save(noticed)
    if after.status is not before.status:
        unit.enter(entry_of_move(saved, before=before, unit=unit))
        _emit(unit, before=before, after=after)
    elif after.refusals != before.refusals:
        unit.enter(_entry(saved, before=before, unit=unit, kind=EntryKind.REFUSED))
    for mail in _mails(saved, known=before.notices):
        unit.post(mail)
    return saved


def entry_of_move(order: Order, *, before: Order | None, unit: OrdersUnit) -> FeedEntry:
    """Make the feed's entry of an order that moved, or that is new."""
    return _entry(order, before=before, unit=unit, kind=EntryKind.MOVED)


def _entry(order: Order, *, before: Order | None, unit: OrdersUnit, kind: EntryKind) -> FeedEntry:
    cooked = order.cooking_time
    is_first_time = before is None or before.cooking_time is None
    return FeedEntry(
        shop_id=order.shop_id,
        order_id=order.id,
        call_number=order.call_number,
        kind=kind,
        before=before.status if before else None,
        after=order.status,
        total=order.total,
        at=unit.now,
        version=order.version,
        cooked_seconds=int(cooked.total_seconds()) if cooked and is_first_time else None,
    )


def _emit(unit: OrdersUnit, *, before: Order, after: Order) -> None:
    shop_id, order_id = after.shop_id, after.id
    milestone = _MILESTONES.get((before.status, after.status))
    if milestone is not None:
        unit.emit(milestone(shop_id=shop_id, order_id=order_id))
    elif after.status is _S.CANCELLED:
        reason = after.reason or "unknown"
        unit.emit(OrderCancelled(shop_id=shop_id, order_id=order_id, reason=reason))
    elif after.status is not _S.PAYMENT_FAILED:
        unit.emit(OrderRecalled(shop_id=shop_id, order_id=order_id, status=after.status.value))


def _noticed(before: Order, *, after: Order, unit: OrdersUnit) -> Order:
    noticed = after
    if after.status is not before.status and after.status in _NOTICES:
        noticed = noticed.tell(_NOTICES[after.status], at=unit.now)
    if after.refunded > before.refunded:
        noticed = noticed.tell(NoticeKind.REFUNDED, at=unit.now)
    return noticed


def _mails(order: Order, *, known: tuple[Notice, ...]) -> Iterator[Mail]:
    if order.customer_id is None:
        return  # A guest left no address; the page and the call screen tell.
    for notice in order.notices[len(known) :]:
        is_refund = notice.kind is NoticeKind.REFUNDED
        yield Mail(
            shop_id=order.shop_id,
            order_id=order.id,
            customer_id=order.customer_id,
            kind=notice.kind,
            call_number=order.call_number,
            amount=order.refunded if is_refund else order.total,
            at=notice.at,
        )
