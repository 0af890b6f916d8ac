"""On a laptop, give up the charges of orders that a restore took back, as `comanda disown` does."""

from comanda.clock import utc_now
from comanda.ids import ShopId
from comanda.messaging.sync import SNSPublisher
from console.audit.disowning import disown as cancel
from console.audit.disowning import lost_orders
from console.audit.reading import read_books
from console.door import Door, DoorClosed
from console.places import find_places
from local.queues import client_of
from local.supervisor import System


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
        lost = lost_orders(books)
        cancel(lost, shop=ShopId(shop), publisher=publisher, now=utc_now())
        count += len(lost)
    return count
