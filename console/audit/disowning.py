"""After a restore: give up the charges of orders that it took back.

A charge whose order is gone would wait for a payment, or keep one. Orders cannot know of it, so an
operator says in its name that the order is cancelled: payments then cancels the charge or pays it
back, and the catalog lets the stock go, as with any other cancellation. Orders must not be placed
meanwhile: one that comes while the books are read looks as if it were gone.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from comanda.envelope import Envelope, seal
from comanda.events import OrderCancelled
from comanda.ids import OrderId, ShopId
from console.audit.books import Books
from console.audit.invariants import offenders

REASON = "lost_in_a_restore"
# What an order that is not there still has of money and of stock: see `console.audit.invariants`.
_MONEY, _STOCK = 3, 4


class Publisher(Protocol):
    """The topic of orders."""

    def publish(self, envelope: Envelope) -> None:
        """Publish; raise `MessagingUnavailable`."""


def lost_orders(books: Books) -> tuple[OrderId, ...]:
    """Give the orders that are not there, and that may still take or keep money, or hold stock."""
    known = {it.order_id for it in books.charges} | {it.order_id for it in books.reservations}
    offending = {it.subject for it in offenders(books) if it.invariant in (_MONEY, _STOCK)}
    missing = known - set(books.orders)
    return tuple(OrderId(it) for it in sorted(missing & offending))


def disown(orders: Iterable[OrderId], *, shop: ShopId, publisher: Publisher, now: datetime) -> None:
    """Cancel each in the name of orders; doing so twice is as good as once."""
    for order_id in orders:
        event = OrderCancelled(shop_id=shop, order_id=order_id, reason=REASON)
        publisher.publish(seal(event, now=now))
