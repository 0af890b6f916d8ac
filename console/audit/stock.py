"""The fourth invariant: every unit that came in is left, held or sold, and for an order."""

from collections.abc import Iterator

from comanda.money import ZERO
from console.audit.books import KITCHEN, AuditedReservation, Books

_UNITS = ("received", "held", "sold")
_ENDED = frozenset({"PAYMENT_FAILED", "CANCELLED"})
_HELD, _SOLD, _RELEASED = "HELD", "SOLD", "RELEASED"

Found = Iterator[tuple[str, str]]


def stock_faults(books: Books) -> Found:
    """Name products whose units do not add up, and orders that do not have what they take."""
    yield from _levels(books)
    yield from _ledger(books)
    yield from _taken(books)


def _levels(books: Books) -> Found:
    for level in books.levels:
        pairs = (
            ("received", level.received, "deliveries", level.delivered),
            ("held", level.held, "held reservations", level.reserved),
            ("sold", level.sold, "sold reservations", level.bought),
        )
        for name, have, other, should in pairs:
            if have != should:
                yield level.product_id, f"{name} is {have}, {other} add up to {should}"
        if level.held + level.sold > level.received:
            yield level.product_id, "more is held and sold than was received"


def _ledger(books: Books) -> Found:
    for product in books.ledger:
        for name, have, booked in zip(_UNITS, product.level, product.booked, strict=True):
            if have != booked:
                yield product.product_id, f"{name} is {have}, its ledger adds up to {booked}"


def _taken(books: Books) -> Found:
    """Compare each order's own lines with what catalog set aside for it."""
    for reservation in books.reservations:
        yield from _lines(reservation, books)
    paid = {charge.order_id for charge in books.charges if charge.charged > ZERO}
    statuses = {it.order_id: it.status for it in books.reservations}
    for order in books.orders.values():
        status = statuses.get(order.id)
        if order.status in KITCHEN and status != _SOLD:
            yield order.id, f"it is {order.status}, and its stock is {status or 'not set aside'}"
        if order.status in _ENDED and status == _HELD:
            yield order.id, f"it is {order.status}, and its stock is still held"
        if order.status in _ENDED and status == _SOLD and order.id not in paid:
            yield order.id, f"it is {order.status}, unpaid, and its stock is sold"


def _lines(reservation: AuditedReservation, books: Books) -> Found:
    if reservation.status == _RELEASED:
        return
    order = books.orders.get(reservation.order_id)
    if order is None:
        # What was sold for an order that a restore took back stays sold; its money goes back.
        if reservation.status == _HELD and reservation.units:
            yield reservation.order_id, "stock is held for it, and it is no order"
        return
    for product_id, units in sorted(reservation.units.items()):
        taken = order.units.get(product_id, 0)
        if units != taken:
            yield order.id, f"{units} of {product_id} are {reservation.status}, its lines: {taken}"


def uncounted(books: Books) -> Found:
    """Name products of which orders' lines take other units than the shelf gave.

    Only where everything on the menu is counted: elsewhere catalog keeps no units of some products,
    and nothing says of which it kept them when an order came.
    """
    for status in (_HELD, _SOLD):
        ids = {it.order_id for it in books.reservations if it.status == status}
        taken: dict[str, int] = {}
        for order in (books.orders[i] for i in ids & set(books.orders)):
            for product_id, units in order.units.items():
                taken[product_id] = taken.get(product_id, 0) + units
        for level in books.levels:
            have = level.held if status == _HELD else level.sold
            if have != taken.get(level.product_id, 0):
                told = taken.get(level.product_id, 0)
                yield level.product_id, f"{have} are {status}, the lines of their orders: {told}"
