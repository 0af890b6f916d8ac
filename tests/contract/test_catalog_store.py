"""One suite for the catalog's store, run on memory and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from comanda.events import ProductChanged, ProductRemoved, Shortage, StockRejected, StockReserved
from comanda.ids import OrderId, ReservationId
from local.postgres import running_postgres
from tests.catalog_builders import (
    OTHER_SHOP,
    Store,
    approved,
    cancelled,
    change_product,
    failed,
    line,
    opened_store,
    placed,
    product,
    refused,
)
from workers.catalog.managing import edit_product
from workers.catalog.migrate import migrate
from workers.catalog.model import Delivery, Reservation, ReservationStatus, StockCorrupted
from workers.catalog.products import Product
from workers.catalog.storeroom import receive_stock
from workers.runtime.errors import InvalidMessage


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("catalog")) as dsn:
        migrate(dsn)
        yield dsn


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    async with opened_store(request) as store:
        yield store


def reservation(of: Product, quantity: int) -> Reservation:
    return Reservation(
        id=ReservationId("reservation-1"),
        shop_id=of.shop_id,
        order_id=OrderId("order-1"),
        status=ReservationStatus.HELD,
        quantities={of.id: quantity},
    )


async def test_all_lines_of_an_order_are_held_at_the_prices_seen(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    drink = await store.stock(product("drink", price="7.50"), quantity=10)
    order = placed(line(meal, 2), line(drink, 3))

    await store.deliver(order)

    (reserved,) = await store.sent(StockReserved)
    assert isinstance(reserved, StockReserved)
    assert (reserved.order_id, reserved.lines, reserved.total) == (
        order.order_id,
        order.lines,
        order.total,
    )
    assert [(await store.level(p)).held for p in (meal, drink)] == [2, 3]


async def test_one_short_line_leaves_all_lines_unheld(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    drink = await store.stock(product("drink"), quantity=1)

    await store.deliver(placed(line(meal, 2), line(drink, 3)))

    (rejected,) = await store.sent(StockRejected)
    assert isinstance(rejected, StockRejected)
    assert rejected.reason == "out_of_stock"
    assert rejected.shortages == (Shortage(product_id=drink.id, requested=3, available=1),)
    assert [(await store.level(p)).held for p in (meal, drink)] == [0, 0]


async def test_two_lines_of_one_product_are_held_as_their_sum(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=3)

    await store.deliver(placed(line(meal, 2), line(meal, 2)))
    await store.deliver(placed(line(meal, 2), line(meal, 1)))

    assert len(await store.sent(StockRejected)) == 1
    assert len(await store.sent(StockReserved)) == 1
    assert (await store.level(meal)).held == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_available": False}, "unavailable"),
        ({"price": product(price="25.00").price}, "price_changed"),
        ({"is_removed": True}, "unknown_product"),
    ],
)
async def test_what_the_menu_holds_against_an_order_is_its_reason(
    store: Store, change: dict[str, object], reason: str
) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    await change_product(replace(meal, **change), catalog=store.catalog)

    await store.deliver(placed(line(meal)))

    (rejected,) = await store.sent(StockRejected)
    assert isinstance(rejected, StockRejected)
    assert rejected.reason == reason
    assert (await store.level(meal)).held == 0


async def test_a_product_of_another_shop_is_unknown(store: Store) -> None:
    theirs = await store.stock(product("meal", shop_id=OTHER_SHOP), quantity=10)

    await store.deliver(placed(line(theirs)))

    (rejected,) = await store.sent(StockRejected)
    assert isinstance(rejected, StockRejected)
    assert rejected.reason == "unknown_product"
    assert (await store.level(theirs)).left == 10


async def test_the_same_message_twice_holds_once(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal))

    message = await store.deliver(order)
    await store.deliver(order, message=message)

    assert (await store.level(meal)).held == 1
    assert len(await store.sent(StockReserved)) == 1


async def test_the_same_order_under_another_message_id_holds_once(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal))

    await store.deliver(order)
    await store.deliver(order)

    assert (await store.level(meal)).held == 1
    assert len(await store.sent(StockReserved)) == 1


async def test_an_approved_payment_turns_held_into_sold_once(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal, 4))
    await store.deliver(order)

    await store.deliver(approved(order))
    await store.deliver(approved(order))

    level = await store.level(meal)
    assert (level.held, level.sold, level.left) == (0, 4, 6)
    assert await store.reader.refusals(order.shop_id, limit=10) == []


@pytest.mark.parametrize("ending", [failed, refused, cancelled])
async def test_every_unpaid_ending_gives_the_stock_back_once(store: Store, ending: object) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal, 4))
    await store.deliver(order)

    await store.deliver(ending(order))  # type: ignore[operator]
    await store.deliver(ending(order))  # type: ignore[operator]

    level = await store.level(meal)
    assert (level.held, level.sold, level.left) == (0, 0, 10)


async def test_a_release_that_overtakes_its_order_leaves_nothing_held(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal, 4))

    await store.deliver(cancelled(order))
    await store.deliver(order)

    (rejected,) = await store.sent(StockRejected)
    assert isinstance(rejected, StockRejected)
    assert rejected.reason == "order_cancelled"
    assert (await store.level(meal)).left == 10


async def test_an_approval_after_the_release_is_refused_and_seen(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal, 4))
    await store.deliver(order)
    await store.deliver(failed(order))

    message = await store.deliver(approved(order))

    (refusal,) = await store.reader.refusals(order.shop_id, limit=10)
    assert (refusal.event_id, refusal.order_id) == (message.id, order.order_id)
    assert (refusal.current, refusal.asked) == (ReservationStatus.RELEASED, ReservationStatus.SOLD)
    assert (await store.level(meal)).sold == 0


async def test_a_cancellation_after_the_sale_is_refused_and_seen(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal))
    await store.deliver(order)
    await store.deliver(approved(order))

    await store.deliver(cancelled(order))

    (refusal,) = await store.reader.refusals(order.shop_id, limit=10)
    assert (refusal.current, refusal.asked) == (ReservationStatus.SOLD, ReservationStatus.RELEASED)
    assert (await store.level(meal)).sold == 1


async def test_an_approval_of_an_unknown_order_sells_nothing_and_is_seen(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal))

    await store.deliver(approved(order))

    (refusal,) = await store.reader.refusals(order.shop_id, limit=10)
    assert refusal.current is None
    assert (await store.level(meal)).left == 10


async def test_a_payment_of_another_shop_does_not_sell(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal))
    await store.deliver(order)

    await store.deliver(replace(approved(order), shop_id=OTHER_SHOP))

    assert (await store.level(meal)).held == 1
    assert (await store.level(meal)).sold == 0


async def test_a_message_that_no_shop_can_have_meant_leaves_no_trace(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal))
    broken = replace(order, total=order.total + order.total)

    with pytest.raises(InvalidMessage):
        await store.deliver(broken)
    await store.deliver(order)

    assert (await store.level(meal)).held == 1


async def test_a_unit_that_fails_changes_nothing(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)

    async def hold_two_and_release_three() -> None:
        async with store.catalog.begin() as unit:
            await unit.hold(reservation(meal, 2))
            await unit.release(reservation(meal, 3))

    with pytest.raises(StockCorrupted):
        await hold_two_and_release_three()
    assert (await store.level(meal)).held == 0


async def test_holding_what_has_no_stock_is_refused(store: Store) -> None:
    meal = product("never-stocked")

    async with store.catalog.begin() as unit:
        is_held = await unit.hold(reservation(meal, 1))

    assert not is_held


async def test_a_product_changes_its_version_only_when_it_changes(store: Store) -> None:
    meal = product("meal")

    first = await change_product(meal, catalog=store.catalog)
    same = await change_product(meal, catalog=store.catalog)
    dearer = await change_product(replace(meal, price=meal.price * 2), catalog=store.catalog)

    assert [first.version, same.version, dearer.version] == [1, 1, 2]
    changes = await store.sent(ProductChanged)
    assert [e.version for e in changes if isinstance(e, ProductChanged)] == [1, 2]
    assert await store.reader.menu(meal.shop_id) == [dearer]


async def test_a_removed_product_leaves_the_menu_and_says_so_once(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=1)

    versions = [
        (
            await edit_product(
                meal.shop_id,
                meal.id,
                lambda found: replace(found, is_removed=True),
                catalog=store.catalog,
                author="ana",
            )
        ).version
        for _ in range(2)
    ]

    assert versions == [2, 2]
    assert await store.reader.menu(meal.shop_id) == []
    assert [e.subject for e in await store.sent(ProductRemoved)] == [meal.id]


async def test_the_same_delivery_counts_once(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=5)
    delivery = Delivery(id="second", shop_id=meal.shop_id, product_id=meal.id, quantity=7)

    counted = [await receive_stock(delivery, catalog=store.catalog) for _ in range(2)]

    assert counted == [True, False]
    assert (await store.level(meal)).received == 12


async def test_the_store_answers_a_probe(store: Store) -> None:
    await store.reader.ping()


async def test_the_same_product_id_in_two_shops_is_two_stocks(store: Store) -> None:
    ours = await store.stock(product("meal"), quantity=5)
    theirs = await store.stock(product("meal", shop_id=OTHER_SHOP), quantity=5)
    order = placed(line(ours, 2))

    await store.deliver(order)
    held = [(await store.level(each)).held for each in (ours, theirs)]
    await store.deliver(approved(order))
    await store.deliver(placed(line(theirs, 6), shop_id=OTHER_SHOP))

    assert held == [2, 0]
    assert [(await store.level(each)).left for each in (ours, theirs)] == [3, 5]
    assert await store.reader.menu(OTHER_SHOP) == [theirs]
