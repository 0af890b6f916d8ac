"""After a restore: give up the charges of orders that it took back.

A charge whose order is gone would wait for a payment, or keep one. Orders cannot know of it, so an
operator says in its name that the order is cancelled: payments then cancels the charge or pays it
back, and the catalog lets the stock go, as with any other cancellation. Orders must not be placed
meanwhile: one that comes while the books are read looks as if it were gone.
"""

from datetime import UTC, datetime

from comanda.envelope import seal
from comanda.events import OrderCancelled
from comanda.ids import OrderId, ShopId
from comanda.messaging.sync import SNSPublisher
from console.audit.invariants import offenders
from console.audit.reading import read_books
from console.door import Door, DoorClosed
from console.places import find_places
from local.queues import client_of
from local.supervisor import System

REASON = "lost_in_a_restore"


def disown(system: System) -> int:
    """Cancel each order that the audit misses and that has a charge; give how many."""
    places = find_places(system.folder / "places.json")
    door = Door(places.edge, logins=places.logins)
    publisher = SNSPublisher(
        client_of(system.environment, "sns"),
        topic_arn=system.env_for("orders")["COMANDA_TOPIC_ARN"],
    )
    count = 0
    for shop in sorted(places.logins):
        try:
            books = read_books(shop, places=places, door=door, days=7)
        except DoorClosed:
            continue  # The next look tries again.
        missing = {charge.order_id for charge in books.charges} - set(books.orders)
        for offender in offenders(books):
            if offender.subject in missing:
                event = OrderCancelled(
                    shop_id=ShopId(shop), order_id=OrderId(offender.subject), reason=REASON
                )
                publisher.publish(seal(event, now=datetime.now(UTC)))
                count += 1
    return count
