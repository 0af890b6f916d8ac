"""A stop that meets a shared commit on a real PostgreSQL: whole, or not at all, and never twice."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid, OrderStarted
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryPublisher, InMemoryQueue
from local.postgres import running_postgres
from workers.runtime.consumer import Consumer, ConsumerLimits
from workers.runtime.postgres import INBOX_OUTBOX_DDL, PostgresUnits
from workers.runtime.postgres_pool import Pool, postgres_pool

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SHOP = ShopId("lanchonete-da-ana")
LIMITS = ConsumerLimits(window=32, receivers=2, wait=timedelta(seconds=0.2))
HOLD = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(Path(tmp_path_factory.mktemp("pg"))) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute(INBOX_OUTBOX_DDL.encode())
            connection.execute("CREATE TABLE effects (cause text)")
        yield dsn


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with postgres_pool(dsn, size=4) as pool:
        async with pool.connection() as connection:
            await connection.execute("TRUNCATE inbox, outbox, effects")
        yield pool


class Bench:
    """A queue and a store, and consumers on them one after the other."""

    def __init__(self, pool: Pool) -> None:
        self.queue = InMemoryQueue()
        self.publisher = InMemoryPublisher()
        self.units = PostgresUnits(pool, publisher=self.publisher, clock=lambda: NOW)
        self._pool = pool

    def send(self, count: int) -> None:
        for number in range(count):
            event = OrderPaid(shop_id=SHOP, order_id=OrderId(str(number)))
            self.queue.send(seal(event, now=NOW).to_json())

    async def handle(self, envelope: Envelope) -> None:
        async with self.units.begin(envelope) as unit:
            await unit.connection.execute("INSERT INTO effects VALUES (%s)", (envelope.id,))
            unit.emit(OrderStarted(shop_id=SHOP, order_id=OrderId("o")))

    def start(self) -> tuple[Consumer, asyncio.Task[None]]:
        subject = Consumer(self.queue, {OrderPaid: self.handle}, context="orders", limits=LIMITS)
        return subject, asyncio.create_task(subject.run())

    async def finish(self) -> None:
        """Let another consumer do all that is left."""
        self.queue.release_hidden()
        subject, task = self.start()
        await self.until(lambda: self.queue.depth == 0)
        subject.stop()
        await asyncio.wait_for(task, 5)
        await self.units.drain()

    async def effects(self) -> list[str]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute("SELECT cause FROM effects")).fetchall()
        return [row["cause"] for row in rows]

    async def until(self, condition) -> None:  # type: ignore[no-untyped-def]
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def commits_held(self, dsn: str) -> AsyncIterator[None]:
        """Hold the shop's lock, so that a group stands at its door with all its members."""
        async with await psycopg.AsyncConnection.connect(dsn) as holder:
            await holder.execute(HOLD, (str(SHOP),))
            yield

    async def until_a_group_waits(self, dsn: str) -> None:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as other:
            async with asyncio.timeout(10):
                while (await (await other.execute(WAITING)).fetchone()) == (0,):
                    await asyncio.sleep(0.01)


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def test_a_stop_during_a_groups_commit_waits_for_it(bench: Bench, dsn: str) -> None:
    bench.send(10)
    async with bench.commits_held(dsn):
        subject, task = bench.start()
        await bench.until_a_group_waits(dsn)
        subject.stop()
        await asyncio.sleep(0.1)
        assert not task.done()
    await asyncio.wait_for(task, 5)

    assert len(await bench.effects()) == 10
    assert bench.queue.depth == 0


async def test_a_second_stop_during_a_groups_commit_leaves_all_of_it_to_the_next(
    bench: Bench, dsn: str
) -> None:
    bench.send(10)
    async with bench.commits_held(dsn):
        subject, task = bench.start()
        await bench.until_a_group_waits(dsn)
        subject.stop()
        subject.stop()
        await asyncio.wait_for(task, 2)
        assert bench.queue.depth == 10
        assert set(bench.queue.hidden.values()) == {timedelta()}

    await bench.finish()

    effects = await bench.effects()
    assert len(effects) == len(set(effects)) == 10
    assert len(bench.publisher.published) == 10


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 3, 5, 8, 12, 20])
async def test_whenever_two_stops_meet_a_group_its_effects_happen_once(
    bench: Bench, milliseconds: int
) -> None:
    bench.send(40)
    subject, task = bench.start()
    await asyncio.sleep(milliseconds / 1000)
    subject.stop()
    subject.stop()
    await asyncio.wait_for(task, 5)

    await bench.finish()

    effects = await bench.effects()
    assert len(effects) == len(set(effects)) == 40


async def test_five_thousand_messages_leave_no_lane_no_place_and_no_connection(
    bench: Bench, pool: Pool
) -> None:
    subject, task = bench.start()
    for _ in range(5):
        bench.send(1000)
        await bench.until(lambda: bench.queue.depth == 0)
    subject.stop()
    await asyncio.wait_for(task, 5)
    await bench.units.drain()

    groups = bench.units._groups
    assert (len(groups._waiting), len(groups._lanes)) == (0, 0)
    assert subject._window.free == LIMITS.window
    statistics = pool.get_stats()
    assert statistics["pool_available"] == statistics["pool_size"]
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT count(*) AS left FROM outbox")
        assert (await cursor.fetchone()) == {"left": 0}
    assert len(await bench.effects()) == 5000
