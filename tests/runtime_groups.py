"""Units of work on a real PostgreSQL whose effects are counted by the transaction they were in."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryPublisher
from local.postgres import running_postgres
from workers.runtime.errors import Conflict
from workers.runtime.postgres import INBOX_OUTBOX_DDL, PostgresUnits
from workers.runtime.postgres_pool import Pool, postgres_pool
from workers.runtime.postgres_unit import PostgresUnit

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANA, BETO = ShopId("lanchonete-da-ana"), ShopId("cantina-do-beto")


def clock() -> datetime:
    return NOW


def caused(number: int, *, shop: ShopId = ANA) -> Envelope:
    return seal(OrderPaid(shop_id=shop, order_id=OrderId(str(number))), now=NOW)


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(Path(tmp_path_factory.mktemp("pg"))) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute(INBOX_OUTBOX_DDL)
            connection.execute("CREATE TABLE effects (cause text, at xid8 NOT NULL)")
            connection.execute("CREATE TABLE stock (name text PRIMARY KEY, sold int NOT NULL)")
        yield dsn


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with postgres_pool(dsn, size=6) as pool:
        async with pool.connection() as connection:
            await connection.execute("TRUNCATE inbox, outbox, effects, stock")
            await connection.execute("INSERT INTO stock VALUES ('coxinha', 0), ('suco', 0)")
        yield pool


def units_on(pool: Pool) -> PostgresUnits:
    return PostgresUnits(pool, publisher=InMemoryPublisher(), clock=clock)


async def effects(pool: Pool) -> dict[str, str]:
    """Give the transaction in which each cause had its effect; twice is an error."""
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT cause, at::text FROM effects")
        rows = await cursor.fetchall()
    found = {row["cause"]: row["at"] for row in rows}
    assert len(found) == len(rows)
    return found


async def take_effect(unit: PostgresUnit, cause: Envelope) -> None:
    await unit.connection.execute(
        "INSERT INTO effects VALUES (%s, pg_current_xact_id())", (cause.id,)
    )
    unit.emit(OrderPaid(shop_id=cause.event.shop_id, order_id=OrderId("o")))


async def apply(units: PostgresUnits, cause: Envelope, *, fault: Exception | None = None) -> None:
    async with units.begin(cause) as unit:
        await take_effect(unit, cause)
        if fault is not None:
            raise fault


async def persist(units: PostgresUnits, cause: Envelope, *, fault: Exception | None = None) -> None:
    """Come again after a conflict, as the consumer does."""
    for _ in range(3):
        with suppress(Conflict):
            await apply(units, cause, fault=fault)
            return
    await apply(units, cause, fault=fault)


async def together(*works: asyncio.Future[None]) -> list[BaseException | None]:
    return await asyncio.gather(*works, return_exceptions=True)


def tasks(units: PostgresUnits, causes: Sequence[Envelope]) -> list[asyncio.Future[None]]:
    return [asyncio.ensure_future(persist(units, cause)) for cause in causes]
