"""The rules of products, stock and reservations, without any store."""

import pytest

from comanda.events import Line, OrderPlaced, Shortage, StockReserved
from comanda.ids import ProductId, ReservationId
from comanda.money import ZERO, Money
from tests.catalog_builders import NOW, SHOP, Store, approved, line, new_order, placed, product
from workers.catalog.handlers import HANDLED, HANDLERS, reserve_stock
from workers.catalog.memory import InMemoryCatalog
from workers.catalog.model import (
    LARGEST_QUANTITY,
    TRANSITIONS,
    InvalidLines,
    Offer,
    RejectionReason,
    Reservation,
    ReservationStatus,
    StockCorrupted,
    StockLevel,
    objection_to,
    quantities_of,
    shortages_of,
)
from workers.catalog.seed import dishes_of, product_id
from workers.runtime.errors import InvalidMessage

MEAL = product("meal")
ID = ProductId("p")


def level(*, received: int = 10, held: int = 0, sold: int = 0) -> StockLevel:
    return StockLevel(product_id=MEAL.id, received=received, held=held, sold=sold)


def test_stock_moves_from_left_to_held_to_sold() -> None:
    moved = level().hold(4).sell(3).release(1).receive(5)

    assert (moved.received, moved.held, moved.sold, moved.left) == (15, 0, 3, 12)


@pytest.mark.parametrize(
    "move",
    [
        lambda stock: stock.hold(11),
        lambda stock: stock.sell(1),
        lambda stock: stock.release(1),
        lambda stock: stock.receive(-1).hold(10),
    ],
)
def test_stock_that_is_not_there_does_not_move(move: object) -> None:
    with pytest.raises(StockCorrupted):
        move(level())  # type: ignore[operator]


def test_only_a_held_reservation_can_change_and_only_once() -> None:
    reservation = Reservation(
        id=ReservationId("r"),
        shop_id=SHOP,
        order_id=new_order(),
        status=ReservationStatus.HELD,
        quantities={},
    )

    assert reservation.can_become(ReservationStatus.SOLD)
    assert reservation.can_become(ReservationStatus.RELEASED)
    assert not TRANSITIONS[ReservationStatus.SOLD]
    assert not TRANSITIONS[ReservationStatus.RELEASED]
    assert set(TRANSITIONS) == set(ReservationStatus)


def test_lines_of_one_product_merge_in_the_order_of_ids() -> None:
    first, second = product("a"), product("b")
    lines = (line(second, 1), line(first, 2), line(second, 3))

    quantities = quantities_of(lines, total=placed(*lines).total)

    assert list(quantities.items()) == [(first.id, 2), (second.id, 4)]


@pytest.mark.parametrize("quantity", [0, -1, LARGEST_QUANTITY + 1, 10**30])
def test_an_impossible_quantity_is_refused(quantity: int) -> None:
    impossible = Line(product_id=MEAL.id, name="", quantity=quantity, unit_price=ZERO)

    with pytest.raises(InvalidLines, match="impossible quantity"):
        quantities_of([impossible], total=ZERO)


def test_no_lines_or_a_wrong_total_are_refused() -> None:
    with pytest.raises(InvalidLines, match="at least one line"):
        quantities_of([], total=ZERO)
    with pytest.raises(InvalidLines, match="do not add up"):
        quantities_of([line(MEAL)], total=MEAL.price + Money(1))


async def test_an_order_too_dear_to_be_money_is_an_invalid_message() -> None:
    catalog = InMemoryCatalog(clock=lambda: NOW)
    dear = Line(product_id=ID, name="", quantity=LARGEST_QUANTITY, unit_price=Money(10**11))
    order = OrderPlaced(
        shop_id=SHOP, order_id=new_order(), customer_id=None, lines=(dear,), total=ZERO
    )

    with pytest.raises(InvalidMessage):
        await Store(catalog, reader=catalog, topic=catalog).deliver(order)


def test_a_product_that_is_unknown_comes_before_other_objections() -> None:
    unavailable = product("gone")
    offers = {MEAL.id: Offer(product=MEAL, level=level())}

    assert objection_to([line(MEAL)], quantities={MEAL.id: 1}, offers=offers) is None
    quantities = {MEAL.id: 1, unavailable.id: 1}
    reason = objection_to([line(MEAL), line(unavailable)], quantities=quantities, offers=offers)
    assert reason is RejectionReason.UNKNOWN_PRODUCT


def test_shortages_tell_what_was_asked_and_what_is_left() -> None:
    offers = {MEAL.id: Offer(product=MEAL, level=level(received=2, held=1))}

    short = shortages_of({MEAL.id: 2}, offers=offers)

    assert short == (Shortage(product_id=MEAL.id, requested=2, available=1),)
    assert shortages_of({MEAL.id: 1}, offers=offers) == ()


async def test_the_reservation_that_is_announced_carries_its_cause() -> None:
    catalog = InMemoryCatalog(clock=lambda: NOW)
    store = Store(catalog, reader=catalog, topic=catalog)
    await store.stock(MEAL, quantity=1)

    message = await store.deliver(placed(line(MEAL)))

    (announced,) = (e for e in catalog.published if isinstance(e.event, StockReserved))
    assert announced.causation_id == message.id
    assert announced.correlation_id == message.correlation_id


async def test_an_event_bound_to_the_wrong_handler_is_an_invalid_message() -> None:
    catalog = InMemoryCatalog(clock=lambda: NOW)
    store = Store(catalog, reader=catalog, topic=catalog)
    message = await store.deliver(approved(placed(line(MEAL))))

    with pytest.raises(InvalidMessage, match="places no order"):
        await reserve_stock(message, catalog=catalog)


def test_what_is_handled_is_what_is_bound() -> None:
    assert set(HANDLERS) == HANDLED


@pytest.mark.parametrize("shop", ["lanchonete-da-ana", "cantina-do-beto", "padaria-do-caio"])
def test_every_shop_has_a_menu_of_ten_different_products(shop: str) -> None:
    shop_id = type(SHOP)(shop)
    dishes = dishes_of(shop_id)

    assert len({product_id(shop_id, dish.slug) for dish in dishes}) == len(dishes) == 10
    assert all(Money.parse(dish.price) > ZERO for dish in dishes)
