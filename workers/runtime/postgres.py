"""A unit of work on PostgreSQL: inbox, effect and outbox in one transaction."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from comanda.envelope import Envelope, seal
from comanda.events import Event
from comanda.messaging.ports import Publisher
from workers.runtime.errors import AlreadyHandled
from workers.runtime.outbox import SWEEP_AGE, SWEEP_BATCH, Relay, count_swept

INBOX_OUTBOX_DDL = """
CREATE TABLE inbox (
    event_id    text PRIMARY KEY,
    handled_at  timestamptz NOT NULL
);
CREATE INDEX inbox_by_age ON inbox (handled_at);
CREATE TABLE outbox (
    event_id    text PRIMARY KEY,
    sequence    bigint GENERATED ALWAYS AS IDENTITY,
    created_at  timestamptz NOT NULL,
    body        text NOT NULL
);
CREATE INDEX outbox_by_age ON outbox (created_at, sequence);
"""

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


class PostgresUnit:
    """One open transaction; what it emits becomes true when it commits."""

    def __init__(
        self, connection: AsyncConnection[DictRow], *, now: datetime, cause: Envelope | None
    ) -> None:
        self.connection = connection
        self.now = now
        self._cause = cause
        self.sealed: list[Envelope] = []

    def emit(self, event: Event) -> None:
        """Save an outgoing event with the state that it tells of."""
        self.sealed.append(seal(event, now=self.now, cause=self._cause))

    async def record_cause(self) -> None:
        """Write the inbox row; raise `AlreadyHandled` when it is there."""
        if self._cause is None:
            return
        cursor = await self.connection.execute(
            "INSERT INTO inbox (event_id, handled_at) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (self._cause.id, self.now),
        )
        if cursor.rowcount == 0:
            raise AlreadyHandled(self._cause.id)

    async def save_outbox(self) -> None:
        """Write the outbox rows, all in one statement."""
        if not self.sealed:
            return
        await self.connection.execute(
            "INSERT INTO outbox (event_id, created_at, body)"
            " SELECT id, %s, body FROM unnest(%s::text[], %s::text[]) AS sealed (id, body)",
            (
                self.now,
                [envelope.id for envelope in self.sealed],
                [envelope.to_json() for envelope in self.sealed],
            ),
        )


class PostgresUnits:
    """Begin units of work on a pool; also the outbox store of its worker."""

    def __init__(self, pool: Pool, *, publisher: Publisher, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock
        self._relay = Relay(publisher, forget=self._forget)

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[PostgresUnit]:
        """Open a transaction; with a cause, raise `AlreadyHandled` when its effect is committed."""
        async with self._pool.connection() as connection:
            unit = PostgresUnit(connection, now=self._clock(), cause=cause)
            await unit.record_cause()
            yield unit
            await unit.save_outbox()
        self._relay.hand_over(unit.sealed)

    async def sweep(self) -> int:
        """Publish rows that outlived their relay; rows locked by another sweep are skipped."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT body FROM outbox WHERE created_at < %s ORDER BY created_at, sequence"
                " LIMIT %s FOR UPDATE SKIP LOCKED",
                (self._clock() - SWEEP_AGE, SWEEP_BATCH),
            )
            left = [Envelope.from_json(row["body"]) for row in await cursor.fetchall()]
            if left:
                await self._relay.publish_only(left)
                await _forget_rows(connection, [envelope.id for envelope in left])
        return count_swept(len(left))

    async def drain(self) -> None:
        """Wait until the relay has nothing in hand."""
        await self._relay.drain()

    async def _forget(self, event_ids: Sequence[str]) -> None:
        async with self._pool.connection() as connection:
            await _forget_rows(connection, event_ids)


async def _forget_rows(connection: AsyncConnection[Any], event_ids: Sequence[str]) -> None:
    await connection.execute("DELETE FROM outbox WHERE event_id = ANY(%s)", (list(event_ids),))


@asynccontextmanager
async def postgres_pool(url: str, *, size: int = 16) -> AsyncIterator[Pool]:
    """Open a pool of up to `size` connections with dictionary rows; close it at the end."""
    pool: Pool = AsyncConnectionPool(
        url,
        min_size=2,
        max_size=size,
        open=False,
        timeout=10,
        connection_class=AsyncConnection[DictRow],
        kwargs={"row_factory": dict_row},
        # A pool that outlives a restart of the server must not hand out dead connections.
        check=AsyncConnectionPool.check_connection,
    )
    async with pool:
        await pool.wait(timeout=30)
        yield pool
