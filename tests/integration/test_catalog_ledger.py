"""The stock ledger, races on the menu and the migration, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import psycopg
import pytest

from comanda.events import StockRejected, StockReserved
from comanda.menu import ChosenOption, ComboSlot
from comanda.money import ZERO
from local.postgres import running_postgres
from tests.catalog_builders import (
    SHOP,
    Store,
    approved,
    failed,
    line,
    placed,
    postgres_store,
    product,
)
from workers.catalog.managing import NameTaken, VersionMismatch, create_product, edit_product
from workers.catalog.migrate import migrate
from workers.catalog.model import Correction, StockLevel
from workers.catalog.products import Product
from workers.catalog.storeroom import CorrectionTooLarge, correct_stock

OLD_ROWS = """
INSERT INTO products (shop_id, product_id, version, name, category, price, is_available, changed_at)
VALUES ('a-shop', 'p', 3, 'PÃO de Açúcar', 'MEAL', 9.50, true, now());
INSERT INTO stock VALUES ('a-shop', 'p', 10, 2, 3);
INSERT INTO deliveries VALUES ('a-shop', 'd', 'p', 10, now());
INSERT INTO reservations VALUES ('a-shop', 'held', 'r1', 'HELD', null, now(), now()),
    ('a-shop', 'sold', 'r2', 'SOLD', null, now(), now()),
    ('a-shop', 'back', 'r3', 'RELEASED', null, now(), now());
INSERT INTO reservation_lines VALUES ('a-shop', 'held', 'p', 2), ('a-shop', 'sold', 'p', 3),
    ('a-shop', 'back', 'p', 4);
"""
# What the code of the step before writes.
OLD_INSERT = """
INSERT INTO products (shop_id, product_id, version, name, category, price, is_available,
                      is_removed, changed_at)
VALUES ('a-shop', 'q', 1, 'Maçã', 'DESSERT', 1, true, false, now())
ON CONFLICT (shop_id, product_id) DO UPDATE SET name = excluded.name
"""


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("catalog")) as dsn:
        migrate(dsn)
        yield dsn


@pytest.fixture
async def store(dsn: str) -> AsyncIterator[Store]:
    async with postgres_store(dsn, size=24) as store:
        yield store


async def test_of_200_buyers_of_combos_with_the_last_can_exactly_one_gets_it(store: Store) -> None:
    can = await store.stock(product("guarana"), quantity=1)
    combos = [await _combo(store, f"combo-{i}", of=can) for i in range(2)]
    part = ChosenOption(
        group_id="bebida", option_id=can.id, name=can.name, price=ZERO, product_id=can.id
    )
    wanted = [replace(line(combos[i % 2]), options=(part,)) for i in range(199)] + [line(can)]

    await asyncio.gather(*(store.deliver(placed(each)) for each in wanted))

    assert len(await store.sent(StockReserved)) == 1
    assert len(await store.sent(StockRejected)) == 199
    assert (await store.level(can)).held == 1


async def test_the_ledger_agrees_after_a_storm_of_orders_and_corrections(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=60)
    orders = [placed(line(meal, 2)) for _ in range(40)]

    async def walk(number: int) -> None:
        await store.deliver(orders[number])
        await store.deliver((approved if number % 2 else failed)(orders[number]))

    async def shrink(number: int) -> None:
        correction = Correction(
            id=f"c{number % 5}",
            shop_id=SHOP,
            product_id=meal.id,
            change=-1,
            author="ana",
            reason="fell",
        )
        await correct_stock(correction, catalog=store.catalog)

    await asyncio.gather(*map(walk, range(40)), *map(shrink, range(10)))

    level = await store.level(meal)
    assert (level.held, level.received) == (0, 55)
    assert await _replayed(store, meal) == level
    (audit,) = await store.reader.audit(SHOP)
    assert audit.agrees_with_ledger
    assert (audit.delivered, audit.bought) == (55, level.sold)


async def test_of_20_corrections_that_empty_a_shelf_only_what_is_there_goes(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=7)

    async def take(number: int) -> bool:
        correction = Correction(
            id=str(number),
            shop_id=SHOP,
            product_id=meal.id,
            change=-1,
            author="ana",
            reason="fell",
        )
        try:
            return await correct_stock(correction, catalog=store.catalog)
        except CorrectionTooLarge:
            return False

    assert sum(await asyncio.gather(*map(take, range(20)))) == 7
    assert (await store.level(meal)).left == 0


@pytest.mark.parametrize(
    "statement", ["UPDATE stock_ledger SET quantity = 1", "DELETE FROM stock_ledger"]
)
async def test_nobody_rewrites_the_ledger(store: Store, dsn: str, statement: str) -> None:
    await store.stock(product("meal"), quantity=10)

    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        with pytest.raises(psycopg.errors.RestrictViolation, match="only ever added to"):
            await connection.execute(statement)


async def test_two_who_create_the_same_dish_at_once_make_one(store: Store) -> None:
    drafts = [replace(product(f"twin-{i}"), name="Gêmeo") for i in range(12)]

    async def create(draft: Product) -> bool:
        try:
            await create_product(draft, catalog=store.catalog, author="ana")
        except NameTaken:
            return False
        return True

    assert sum(await asyncio.gather(*map(create, drafts))) == 1
    assert len(await store.reader.menu(SHOP)) == 1


async def test_of_many_edits_of_one_version_one_wins(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=1)

    async def edit(position: int) -> bool:
        try:
            await edit_product(
                SHOP,
                meal.id,
                lambda found: replace(found, position=position),
                catalog=store.catalog,
                author="ana",
                version=1,
            )
        except VersionMismatch:
            return False
        return True

    assert sum(await asyncio.gather(*map(edit, range(1, 13)))) == 1


async def test_orders_flow_while_the_menu_is_edited(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=50)

    async def edit(number: int) -> None:
        await edit_product(
            SHOP,
            meal.id,
            lambda found: replace(found, position=number),
            catalog=store.catalog,
            author="ana",
        )

    orders = [store.deliver(placed(line(meal))) for _ in range(50)]
    await asyncio.gather(*orders, *map(edit, range(1, 31)))

    assert (await store.level(meal)).held == 50


def test_the_migration_writes_the_history_that_came_before_it(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS catalog_old")
        connection.execute("CREATE DATABASE catalog_old")
    other = dsn.rsplit("/", 1)[0] + "/catalog_old"
    migrate(other, revision="0001")
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(OLD_ROWS)

    migrate(other)

    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(OLD_INSERT)
        sums = connection.execute(
            "SELECT kind, sum(quantity)::int FROM stock_ledger GROUP BY kind ORDER BY kind"
        ).fetchall()
        texts = connection.execute("SELECT search_text FROM products ORDER BY 1").fetchall()
        prices = connection.execute("SELECT version, price::text FROM prices").fetchall()
    assert sums == [("HELD", 9), ("RECEIVED", 10), ("RELEASED", 4), ("SOLD", 3)]
    assert [text.strip() for (text,) in texts] == ["maca", "pao de acucar"]
    assert prices == [(3, "9.50")]


async def _combo(store: Store, slug: str, *, of: Product) -> Product:
    slot = ComboSlot(id="bebida", name="Bebida", is_required=True, product_ids=(of.id,))
    combo = replace(product(slug), is_stocked=False, slots=(slot,))
    return await create_product(combo, catalog=store.catalog, author="ana")


async def _replayed(store: Store, of: Product) -> StockLevel:
    level = StockLevel(product_id=of.id)
    for move in await store.reader.moves(SHOP, of.id, after=0, limit=500):
        level = level.follow(move)
    return level
