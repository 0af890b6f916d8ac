"""A unit of work on PostgreSQL: inbox, effect and outbox in one transaction.

Units that handle a message share their commit with neighbours (`workers.runtime.group_commit`);
units without a cause have a transaction of their own.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from comanda.envelope import Envelope
from comanda.messaging.ports import Publisher
from workers.runtime.group_commit import GroupCommit
from workers.runtime.outbox import (
    INBOX_AGE,
    SWEEP_AGE,
    SWEEP_BATCH,
    Relay,
    count_swept,
    readable,
    tell_oldest,
)
from workers.runtime.postgres_pool import Pool, reaching_postgres
from workers.runtime.postgres_unit import PostgresUnit, save_outbox

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
# A bite each time, or the first sweep after a busy day would hold its connection for long.
_FORGET_CAUSES = """
DELETE FROM inbox WHERE event_id IN (
    SELECT event_id FROM inbox WHERE handled_at < %s
    ORDER BY handled_at LIMIT 1000 FOR UPDATE SKIP LOCKED
)
"""


class PostgresUnits:
    """Begin units of work on a pool; also the outbox store of its worker."""

    def __init__(self, pool: Pool, *, publisher: Publisher, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock
        self._relay = Relay(publisher, forget=self._forget)
        self._groups = GroupCommit(pool, clock=clock, committed=self._relay.hand_over)

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[PostgresUnit]:
        """Open a unit; it is committed when this returns, or it never happened.

        With a cause, raises `AlreadyHandled` when its effect is committed. Raises `Conflict` and
        `StoreUnavailable`.
        """
        async with reaching_postgres():
            if cause is None:
                async with self._alone() as unit:
                    yield unit
            else:
                async with self._groups.join(cause) as unit:
                    yield unit

    async def sweep(self) -> int:
        """Publish rows that outlived their relay; rows locked by another sweep are skipped."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT body, created_at FROM outbox WHERE created_at < %s"
                " ORDER BY created_at, sequence LIMIT %s FOR UPDATE SKIP LOCKED",
                (self._clock() - SWEEP_AGE, SWEEP_BATCH),
            )
            rows = await cursor.fetchall()
            tell_oldest((row["created_at"] for row in rows), now=self._clock())
            left = readable(row["body"] for row in rows)
            if left:
                await self._relay.publish_only(left)
                await _forget_rows(connection, [envelope.id for envelope in left])
        await self._forget_old_causes()
        return count_swept(len(left))

    async def _forget_old_causes(self) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(_FORGET_CAUSES, (self._clock() - INBOX_AGE,))

    async def drain(self) -> None:
        """Wait until the relay has nothing in hand."""
        await self._relay.drain()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[PostgresUnit]:
        async with self._pool.connection() as connection:
            unit = PostgresUnit(connection, now=self._clock(), cause=None)
            yield unit
            await save_outbox(connection, unit.sealed, now=unit.now)
        self._relay.hand_over(unit.sealed)

    async def _forget(self, event_ids: Sequence[str]) -> None:
        async with self._pool.connection() as connection:
            await _forget_rows(connection, event_ids)


async def _forget_rows(connection: AsyncConnection[Any], event_ids: Sequence[str]) -> None:
    await connection.execute("DELETE FROM outbox WHERE event_id = ANY(%s)", (list(event_ids),))
