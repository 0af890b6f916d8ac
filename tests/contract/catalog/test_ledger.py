"""The stock and the ledger from which it can be told again, on memory and on PostgreSQL."""

from dataclasses import replace

import pytest

from comanda.events import (
    StockReserved,
)
from tests.catalog_builders import (
    OTHER_SHOP,
    SHOP,
    Store,
    approved,
    edited,
    failed,
    line,
    placed,
    product,
)
from workers.catalog.managing import (
    create_product,
)
from workers.catalog.model import Correction, Delivery, MoveKind, StockLevel
from workers.catalog.products import Product
from workers.catalog.storeroom import (
    CorrectionTooLarge,
    ImpossibleQuantity,
    KeyReused,
    StockUnknown,
    correct_stock,
    receive_stock,
)


def correction(of: Product, change: int, *, key: str = "count-1") -> Correction:
    return Correction(
        id=key,
        shop_id=of.shop_id,
        product_id=of.id,
        change=change,
        author="ana",
        reason="two fell down",
    )


async def recomputed(store: Store, of: Product) -> StockLevel:
    """Replay a product's ledger from its first line."""
    level = StockLevel(product_id=of.id)
    for move in await store.reader.moves(of.shop_id, of.id, after=0, limit=500):
        level = level.follow(move)
    return level


async def test_a_key_that_named_another_quantity_is_refused(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=5)
    delivery = Delivery(id="first", shop_id=SHOP, product_id=meal.id, quantity=6)
    await correct_stock(correction(meal, 1), catalog=store.catalog)

    with pytest.raises(KeyReused):
        await receive_stock(delivery, catalog=store.catalog)
    with pytest.raises(KeyReused):
        await correct_stock(correction(meal, 2), catalog=store.catalog)

    assert (await store.level(meal)).received == 6


async def test_what_is_not_counted_never_runs_out(store: Store) -> None:
    coffee = replace(product("cafe"), is_stocked=False)
    await create_product(coffee, catalog=store.catalog, author="ana")
    order = placed(line(coffee, 500))

    await store.deliver(order)
    await store.deliver(approved(order))

    assert len(await store.sent(StockReserved)) == 1
    assert await store.level(coffee) == StockLevel(product_id=coffee.id)
    assert await store.reader.refusals(SHOP, limit=10) == []


async def test_what_stops_being_counted_still_gives_back_what_it_held(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=5)
    order = placed(line(meal, 2))
    await store.deliver(order)
    await edited(store, meal, is_stocked=False)

    await store.deliver(failed(order))

    level = await store.level(meal)
    assert (level.held, level.left) == (0, 5)


async def test_the_level_can_be_recomputed_from_the_ledger(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    bought, left = placed(line(meal, 3)), placed(line(meal, 2))
    for event in (bought, left, approved(bought), failed(left), placed(line(meal))):
        await store.deliver(event)
    await correct_stock(correction(meal, -2), catalog=store.catalog)

    moves = await store.reader.moves(SHOP, meal.id, after=0, limit=100)

    assert [(m.kind, m.quantity) for m in moves] == [
        (MoveKind.RECEIVED, 10),
        (MoveKind.HELD, 3),
        (MoveKind.HELD, 2),
        (MoveKind.SOLD, 3),
        (MoveKind.RELEASED, 2),
        (MoveKind.HELD, 1),
        (MoveKind.CORRECTED, -2),
    ]
    assert (moves[-1].author, moves[-1].reason) == ("ana", "two fell down")
    assert await recomputed(store, meal) == await store.level(meal)
    (audit,) = await store.reader.audit(SHOP)
    assert audit.agrees_with_ledger
    assert (audit.received, audit.delivered, audit.reserved, audit.bought) == (8, 8, 1, 3)
    assert await store.reader.moves(SHOP, meal.id, after=moves[0].sequence, limit=2) == moves[1:3]
    assert await store.reader.moves(OTHER_SHOP, meal.id, after=0, limit=9) == []


async def test_an_auditor_pages_through_what_is_set_aside_for_which_order(store: Store) -> None:
    meal, soup = [await store.stock(product(slug), quantity=5) for slug in ("meal", "soup")]
    orders = [placed(line(meal, 2), line(soup)), placed(line(soup, 9)), placed(line(meal))]
    for event in (*orders, approved(orders[0]), failed(orders[2])):
        await store.deliver(event)
    told = sorted(orders, key=lambda order: order.order_id)

    first = await store.reader.reservations(SHOP, after=None, limit=2)
    last = await store.reader.reservations(SHOP, after=first[-1].order_id, limit=2)

    found = {it.order_id: (it.status.value, dict(it.quantities)) for it in (*first, *last)}
    assert [it.order_id for it in (*first, *last)] == [order.order_id for order in told]
    assert found == {
        orders[0].order_id: ("SOLD", {meal.id: 2, soup.id: 1}),
        orders[1].order_id: ("RELEASED", {}),
        orders[2].order_id: ("RELEASED", {meal.id: 1}),
    }
    assert await store.reader.reservations(OTHER_SHOP, after=None, limit=9) == []


async def test_a_correction_counts_once_and_never_takes_what_is_held(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=5)
    await store.deliver(placed(line(meal, 3)))

    counted = [await correct_stock(correction(meal, -1), catalog=store.catalog) for _ in range(2)]
    with pytest.raises(CorrectionTooLarge) as refused:
        await correct_stock(correction(meal, -2, key="count-2"), catalog=store.catalog)

    assert counted == [True, False]
    assert refused.value.left == 1
    assert (await store.level(meal)).left == 1


async def test_corrections_of_nothing_and_of_nobody_are_refused(store: Store) -> None:
    meal = product("meal")

    with pytest.raises(ImpossibleQuantity):
        await correct_stock(correction(meal, 0), catalog=store.catalog)
    with pytest.raises(StockUnknown):
        await correct_stock(correction(meal, 1), catalog=store.catalog)
