"""Inbox, effect and outbox in one transaction, on a real PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid, OrderPlaced
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryPublisher
from comanda.money import ZERO
from comanda.telemetry import OUTBOX_OLDEST_SECONDS
from local.postgres import running_postgres
from workers.runtime.errors import AlreadyHandled
from workers.runtime.postgres import INBOX_OUTBOX_DDL, PostgresUnits
from workers.runtime.postgres_pool import Pool, postgres_pool

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SHOP = ShopId("lanchonete")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def cause() -> Envelope:
    placed = OrderPlaced(
        shop_id=SHOP, order_id=OrderId("o"), customer_id=None, lines=(), total=ZERO
    )
    return seal(placed, now=NOW)


def effect() -> OrderPaid:
    return OrderPaid(shop_id=SHOP, order_id=OrderId("o"))


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(Path(tmp_path_factory.mktemp("pg"))) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute(INBOX_OUTBOX_DDL)
            connection.execute("CREATE TABLE effects (id serial PRIMARY KEY)")
        yield dsn


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with postgres_pool(dsn, size=4) as pool, pool.connection() as connection:
        await connection.execute("TRUNCATE inbox, outbox, effects")
        await connection.commit()
        yield pool


async def count(pool: Pool, table: str) -> int:
    async with pool.connection() as connection:
        cursor = await connection.execute(f"SELECT count(*) AS n FROM {table}")
        row = await cursor.fetchone()
    assert row is not None
    return int(row["n"])


async def apply(units: PostgresUnits, envelope: Envelope, *, fails: bool = False) -> None:
    async with units.begin(envelope) as unit:
        await unit.connection.execute("INSERT INTO effects DEFAULT VALUES")
        unit.emit(effect())
        if fails:
            raise ConnectionError("a crash before the commit")


async def test_an_effect_and_its_event_go_out_once_for_two_deliveries(pool: Pool) -> None:
    publisher = InMemoryPublisher()
    units = PostgresUnits(pool, publisher=publisher, clock=Clock())
    envelope = cause()

    await apply(units, envelope)
    with pytest.raises(AlreadyHandled):
        await apply(units, envelope)
    await units.drain()

    assert await count(pool, "effects") == 1
    assert [e.event for e in publisher.published] == [effect()]
    assert publisher.published[0].causation_id == envelope.id
    assert publisher.published[0].correlation_id == envelope.correlation_id
    assert await count(pool, "outbox") == 0


async def test_a_crash_before_the_commit_leaves_nothing(pool: Pool) -> None:
    publisher = InMemoryPublisher()
    units = PostgresUnits(pool, publisher=publisher, clock=Clock())
    envelope = cause()

    with pytest.raises(ConnectionError):
        await apply(units, envelope, fails=True)
    await units.drain()

    assert [await count(pool, t) for t in ("inbox", "outbox", "effects")] == [0, 0, 0]
    assert publisher.published == []


async def test_what_could_not_be_published_is_swept_later(pool: Pool) -> None:
    publisher, clock = InMemoryPublisher(), Clock()
    publisher.is_down = True
    units = PostgresUnits(pool, publisher=publisher, clock=clock)
    await apply(units, cause())
    await units.drain()
    assert await count(pool, "outbox") == 1
    publisher.is_down = False

    too_early = await units.sweep()
    clock.now += timedelta(seconds=6)
    in_time = await units.sweep()
    oldest = OUTBOX_OLDEST_SECONDS._value.get()
    await units.sweep()

    assert (too_early, in_time) == (0, 1)
    assert (oldest >= 6, OUTBOX_OLDEST_SECONDS._value.get()) == (True, 0)
    assert [e.event for e in publisher.published] == [effect()]
    assert await count(pool, "outbox") == 0


async def test_a_unit_without_a_cause_needs_no_inbox(pool: Pool) -> None:
    units = PostgresUnits(pool, publisher=InMemoryPublisher(), clock=Clock())

    async with units.begin() as unit:
        await unit.connection.execute("INSERT INTO effects DEFAULT VALUES")

    assert await count(pool, "effects") == 1
    assert await count(pool, "inbox") == 0


async def test_what_this_version_cannot_read_does_not_hold_back_what_it_can(pool: Pool) -> None:
    publisher, clock = InMemoryPublisher(), Clock()
    publisher.is_down = True
    units = PostgresUnits(pool, publisher=publisher, clock=clock)
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO outbox (event_id, created_at, body) VALUES ('newer', %s, %s)",
            (clock.now - timedelta(hours=1), '{"specversion": "1.0", "type": "orders.x.y.v9"}'),
        )
    await apply(units, cause())
    await units.drain()
    publisher.is_down = False
    clock.now += timedelta(seconds=6)

    swept = await units.sweep()

    assert swept == 1
    assert [e.event for e in publisher.published] == [effect()]
    # The newer one waits for the version that wrote it.
    assert await count(pool, "outbox") == 1


async def test_the_inbox_forgets_what_can_come_no_more(pool: Pool) -> None:
    clock = Clock()
    units = PostgresUnits(pool, publisher=InMemoryPublisher(), clock=clock)
    old, young = cause(), cause()
    await apply(units, old)
    clock.now += timedelta(days=20)
    await apply(units, young)
    clock.now += timedelta(days=11)

    await units.sweep()

    async with pool.connection() as connection:
        rows = await (await connection.execute("SELECT event_id FROM inbox")).fetchall()
    assert [row["event_id"] for row in rows] == [young.id]
