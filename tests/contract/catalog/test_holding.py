"""Stock is held, sold and let go, on memory and on PostgreSQL."""

from dataclasses import replace

import pytest

from comanda.events import Shortage, StockRejected, StockReserved
from tests.catalog_builders import (
    OTHER_SHOP,
    Store,
    approved,
    cancelled,
    change_product,
    failed,
    line,
    placed,
    product,
    refused,
)
from workers.catalog.model import ReservationStatus


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
