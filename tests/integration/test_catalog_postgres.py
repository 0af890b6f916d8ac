"""The catalog on a real PostgreSQL: races, the checks of the schema, migrations and the seed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from sqlalchemy import create_engine, inspect

from comanda.events import Line, OrderPlaced, ProductChanged, StockRejected, StockReserved
from local.postgres import running_postgres
from tests.catalog_builders import (
    OTHER_SHOP,
    SHOP,
    Store,
    approved,
    cancelled,
    failed,
    line,
    placed,
    postgres_store,
    product,
)
from workers.catalog.migrate import migrate, unwind
from workers.catalog.products import Product
from workers.catalog.seed import PLENTY, SCARCE, product_id, seed_shop


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("catalog")) as dsn:
        migrate(dsn)
        yield dsn


@pytest.fixture
async def store(dsn: str) -> AsyncIterator[Store]:
    async with postgres_store(dsn, size=24) as store:
        yield store


async def test_of_200_concurrent_buyers_of_the_last_unit_exactly_one_gets_it(store: Store) -> None:
    last = await store.stock(product("last"), quantity=1)

    await asyncio.gather(*(store.deliver(placed(line(last))) for _ in range(200)))

    assert len(await store.sent(StockReserved)) == 1
    assert len(await store.sent(StockRejected)) == 199
    level = await store.level(last)
    assert (level.held, level.left) == (1, 0)


async def test_crossed_orders_neither_deadlock_nor_oversell(store: Store) -> None:
    menu = [await store.stock(product(f"p{i}"), quantity=40) for i in range(4)]
    orders = [_crossed(menu, turn) for turn in range(120)]

    await asyncio.gather(*(_placed_then_ended(store, order) for order in orders))

    for each in menu:
        level = await store.level(each)
        assert level.held == 0
        assert level.sold + level.left == 40


async def test_an_order_and_its_cancellation_at_once_leave_nothing_held(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=100)
    orders = [placed(line(meal)) for _ in range(50)]

    both = [event for order in orders for event in (order, cancelled(order))]
    await asyncio.gather(*(store.deliver(event) for event in both))

    assert (await store.level(meal)).left == 100


async def test_a_twin_delivery_at_the_same_moment_holds_once(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=100)
    order = placed(line(meal))

    await asyncio.gather(*(store.deliver(order) for _ in range(20)))

    assert (await store.level(meal)).held == 1
    assert len(await store.sent(StockReserved)) == 1


async def test_held_stock_equals_the_lines_of_held_reservations(store: Store, dsn: str) -> None:
    meal = await store.stock(product("meal"), quantity=100)
    orders = [placed(line(meal, 2)) for _ in range(6)]
    for order in orders:
        await store.deliver(order)

    await store.deliver(approved(orders[0]))
    await store.deliver(failed(orders[1]))

    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute(
            "SELECT status, sum(quantity) FROM reservations JOIN reservation_lines"
            " USING (shop_id, order_id) GROUP BY status ORDER BY status"
        )
        assert await cursor.fetchall() == [("HELD", 8), ("RELEASED", 2), ("SOLD", 2)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stock SET held = 11",
        "UPDATE stock SET held = -1",
        "UPDATE stock SET sold = 11",
        "UPDATE stock SET received = -1",
        "UPDATE products SET price = 0",
        "UPDATE products SET category = 'TOY'",
    ],
)
async def test_the_schema_refuses_what_no_code_may_do(
    store: Store, dsn: str, statement: str
) -> None:
    await store.stock(product("meal"), quantity=10)

    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        with pytest.raises(psycopg.errors.CheckViolation):
            await connection.execute(statement)


async def test_the_seed_run_twice_is_the_seed_run_once(store: Store) -> None:
    for _ in range(2):
        await seed_shop(SHOP, catalog=store.catalog)
        await seed_shop(OTHER_SHOP, catalog=store.catalog)

    for shop in (SHOP, OTHER_SHOP):
        levels = await store.reader.levels(shop)
        assert sorted(level.received for level in levels) == [SCARCE, *[PLENTY] * 9]
        assert [p.is_available for p in await store.reader.menu(shop)].count(False) == 1
    assert len(await store.sent(ProductChanged)) == 20
    assert await store.reader.menu(SHOP) != await store.reader.menu(OTHER_SHOP)


def test_the_ids_of_the_seed_differ_by_shop_and_repeat() -> None:
    assert product_id(SHOP, "guarana") == product_id(SHOP, "guarana")
    assert product_id(SHOP, "guarana") != product_id(OTHER_SHOP, "guarana")


def test_migrations_go_down_and_up_again(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS catalog_down")
        connection.execute("CREATE DATABASE catalog_down")
    other = dsn.rsplit("/", 1)[0] + "/catalog_down"

    migrate(other)
    migrate(other)
    unwind(other)
    emptied = _tables(other)
    migrate(other)

    assert emptied == {"alembic_version"}
    assert {"inbox", "outbox", "products", "stock", "reservations"} <= _tables(other)


def test_the_migration_command_needs_its_database() -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("COMANDA_")}
    arguments = [sys.executable, "-m", "workers.catalog.migrate"]

    run = subprocess.run(arguments, env=environ, capture_output=True, text=True, check=False)

    assert run.returncode != 0
    assert "COMANDA_DATABASE_URL is missing" in run.stderr


def _tables(dsn: str) -> set[str]:
    engine = create_engine(dsn.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
    engine.dispose()
    return names


def _crossed(menu: list[Product], turn: int) -> OrderPlaced:
    lines: list[Line] = [line(each) for each in menu]
    return placed(*(lines[turn % 4 :] + lines[: turn % 4]))


async def _placed_then_ended(store: Store, order: OrderPlaced) -> None:
    await store.deliver(order)
    ending = approved if int(order.order_id[-1], 16) % 2 else failed
    await store.deliver(ending(order))
