"""Let the kitchen make what is on its board, and compare what it made with what was paid for."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from comanda.money import ZERO, Money
from console.audit.books import Books
from console.audit.stock import uncounted
from local.demo.client import Shopper

_STEPS = {
    "RECEIVED": ("start", "ready", "complete"),
    "IN_PREPARATION": ("ready", "complete"),
    "READY": ("complete",),
}
_MADE = "COMPLETED"


async def work_off(shopper: Shopper, books: Iterable[Books]) -> int:
    """Make and hand over all that is on the boards; give how many orders those were."""
    waiting = [
        ({"id": order.id, "shop_id": it.shop}, _STEPS[order.status])
        for it in books
        for order in it.orders.values()
        if order.status in _STEPS
    ]
    for order, steps in waiting:
        for step in steps:
            await shopper.advance(order, step)
        await asyncio.sleep(0)
    return len(waiting)


def kitchen_faults(books: Sequence[Books]) -> list[str]:
    """Name each order that was made and not paid for, or paid for and not made.

    The board must have been worked off. What was paid is what the provider says it kept; an order
    that is paid for and was not made is nobody's fault only while a case names it. What the shelf
    gave is what the lines of orders took: under chaos all products are counted.
    """
    made = [fault for it in books for fault in _faults(it)]
    return [*made, *(f"{it.shop} {name}: {told}" for it in books for name, told in uncounted(it))]


def _faults(books: Books) -> Iterable[str]:
    kept = _kept(books)
    for order in books.orders.values():
        paid = kept.get(order.id, ZERO)
        owed = order.total - min(order.refunded, order.total)
        is_made = order.status == _MADE
        if is_made and paid < owed:
            yield f"{order.id} was made for {order.total}, and {paid} was paid for it"
        if is_made and _MADE in order.history[:-1]:
            yield f"{order.id} was made more than once"
        if not is_made and paid > ZERO and not books.has_case(order_id=order.id):
            yield f"{order.id} was paid with {paid}, and is {order.status}"
    for order_id in sorted(set(kept) - set(books.orders)):
        yield f"{order_id} was paid with {kept[order_id]}, and is no order"


def _kept(books: Books) -> Mapping[str, Money]:
    """Give what the provider kept for each order, second payments included."""
    orders = {charge.id: charge.order_id for charge in books.charges}
    kept: dict[str, Money] = defaultdict(lambda: ZERO)
    for payment in books.paid:
        order_id = orders.get(payment.reference)
        if order_id is not None and payment.paid > payment.refunded:
            kept[order_id] += payment.paid - payment.refunded
    return kept
