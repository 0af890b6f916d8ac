"""Only orders that a restore took back are given up, and each in the name of orders."""

from dataclasses import replace
from datetime import UTC, datetime

from comanda.envelope import Envelope
from comanda.events import Event, OrderCancelled
from comanda.ids import OrderId, ShopId
from comanda.money import ZERO
from console.audit.books import AuditedReservation
from console.audit.disowning import REASON, disown, lost_orders
from tests.unit.test_console_invariants import CHARGE, GOOD

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SHOP = ShopId("lanchonete")


class Collecting:
    """Keeps what was published."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def publish(self, envelope: Envelope) -> None:
        self.events.append(envelope.event)


def test_a_charge_without_its_order_is_lost() -> None:
    assert lost_orders(GOOD) == ()
    assert lost_orders(replace(GOOD, orders={})) == (OrderId("o1"),)


def test_stock_that_is_held_for_an_order_that_is_not_there_is_lost_too() -> None:
    held = AuditedReservation(order_id="o2", status="HELD", units={"p": 1})
    books = replace(GOOD, reservations=(*GOOD.reservations, held))

    assert lost_orders(books) == (OrderId("o2"),)


def test_what_was_given_up_already_is_not_given_up_again() -> None:
    over = replace(CHARGE, status="CANCELLED", charged=ZERO)
    books = replace(GOOD, orders={}, charges=(over,), paid=())

    assert lost_orders(books) == ()


def test_each_lost_order_is_cancelled_by_name() -> None:
    publisher = Collecting()

    disown([OrderId("o1"), OrderId("o2")], shop=SHOP, publisher=publisher, now=NOW)

    assert publisher.events == [
        OrderCancelled(shop_id=SHOP, order_id=OrderId(it), reason=REASON) for it in ("o1", "o2")
    ]
