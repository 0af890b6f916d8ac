"""One unit of work on PostgreSQL, and the inbox and outbox rows of one or many."""

from collections.abc import Sequence
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from comanda.envelope import Envelope
from comanda.events import Event
from workers.runtime.tracing import seal_traced

Connection = AsyncConnection[DictRow]


class PostgresUnit:
    """Statements on an open transaction; what it emits becomes true when that commits."""

    def __init__(self, connection: Connection, *, now: datetime, cause: Envelope | None) -> None:
        self.connection = connection
        self.now = now
        self._cause = cause
        self.sealed: list[Envelope] = []

    def emit(self, event: Event) -> None:
        """Save an outgoing event with the state that it tells of."""
        self.sealed.append(seal_traced(event, now=self.now, cause=self._cause))


async def record_causes(
    connection: Connection, causes: Sequence[Envelope], *, now: datetime
) -> frozenset[str]:
    """Write the inbox rows of many messages; give the ids that were not there yet."""
    cursor = await connection.execute(
        "INSERT INTO inbox (event_id, handled_at)"
        " SELECT id, %s FROM unnest(%b::text[]) AS cause (id)"
        " ON CONFLICT DO NOTHING RETURNING event_id",
        # In one order for all, so that two workers who hold the same messages cannot deadlock.
        (now, sorted({cause.id for cause in causes})),
    )
    return frozenset([row["event_id"] for row in await cursor.fetchall()])


async def forget_causes(connection: Connection, causes: Sequence[Envelope]) -> None:
    """Take back the inbox rows of messages whose units failed."""
    if causes:
        ids = [cause.id for cause in causes]
        await connection.execute("DELETE FROM inbox WHERE event_id = ANY(%s)", (ids,))


async def save_outbox(connection: Connection, sealed: Sequence[Envelope], *, now: datetime) -> None:
    """Write the outbox rows, all in one statement."""
    if not sealed:
        return
    await connection.execute(
        "INSERT INTO outbox (event_id, created_at, body)"
        # Binary arrays: escaping each body into a text array would cost more than the insert.
        " SELECT id, %s, body FROM unnest(%b::text[], %b::text[]) AS sealed (id, body)",
        (now, [envelope.id for envelope in sealed], [envelope.to_json() for envelope in sealed]),
    )
