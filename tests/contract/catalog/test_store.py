"""What any store of the catalog keeps to, in memory and on PostgreSQL."""

from dataclasses import replace

import pytest

from comanda.events import ProductChanged, ProductRemoved
from comanda.ids import OrderId, ReservationId
from tests.catalog_builders import (
    OTHER_SHOP,
    Store,
    approved,
    change_product,
    line,
    placed,
    product,
)
from workers.catalog.managing import edit_product
from workers.catalog.model import Delivery, Reservation, ReservationStatus, StockCorrupted
from workers.catalog.products import Product
from workers.catalog.storeroom import receive_stock
from workers.runtime.errors import InvalidMessage


def reservation(of: Product, quantity: int) -> Reservation:
    return Reservation(
        id=ReservationId("reservation-1"),
        shop_id=of.shop_id,
        order_id=OrderId("order-1"),
        status=ReservationStatus.HELD,
        quantities={of.id: quantity},
    )


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
