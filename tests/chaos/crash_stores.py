"""The two stores under a crashing worker: real PostgreSQL, and DynamoDB over the wire.

A store is opened in the child, with every call crossing the boundary, and read by the parent
through a connection of its own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import psycopg
from aiobotocore.credentials import AioCredentials
from botocore.exceptions import EndpointConnectionError
from botocore.session import get_session
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from benchmarks.workers.stores import dynamodb, table_client
from comanda.envelope import Envelope
from comanda.events import OrderStarted
from comanda.messaging.ports import Publisher
from comanda.settings import topology
from local.postgres import running_postgres
from local.provision.tables import table_request
from tests.chaos.forked import Boundary
from workers.orders.table import reaching_the_store
from workers.runtime.aws import _http
from workers.runtime.dynamodb import DynamoUnits, to_item
from workers.runtime.postgres import INBOX_OUTBOX_DDL, PostgresUnits
from workers.runtime.postgres_pool import _check, _configure
from workers.runtime.wire.client import SignedClient
from workers.runtime.wire.signing import Signer

Clock = Callable[[], datetime]
Handle = Callable[[Envelope, bool], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """What the store holds in the end: effects by cause with the event that each emitted."""

    effects: list[tuple[str, str]]
    inbox: set[str]
    outbox: int
    shared_commits: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A store as the child uses it; `handle` has one effect and emits one event, or fails."""

    units: PostgresUnits | DynamoUnits
    handle: Handle


class CrashStore(Protocol):
    """A store that outlives the workers on it."""

    def clear(self) -> None:
        """Begin anew."""

    def open(self, boundary: Boundary, publisher: Publisher, clock: Clock) -> Any:
        """Open it in the child, as an asynchronous context of `Opened`."""

    def read(self) -> Books:
        """Read it from the parent."""


class Failed(Exception):
    """The handler failed after its effect, which must be undone."""


def started(envelope: Envelope) -> OrderStarted:
    """Make the outgoing event."""
    event: Any = envelope.event
    return OrderStarted(shop_id=event.shop_id, order_id=event.order_id)


class PostgresCrashStore:
    """Effects without a key, so that a second one is seen and not refused."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        with psycopg.connect(dsn) as connection:
            connection.execute(INBOX_OUTBOX_DDL.encode())
            connection.execute("CREATE TABLE effects (cause text, event_id text, at xid8)")

    def clear(self) -> None:
        with psycopg.connect(self._dsn) as connection:
            connection.execute("DELETE FROM inbox; DELETE FROM outbox; DELETE FROM effects")

    @asynccontextmanager
    async def open(
        self, boundary: Boundary, publisher: Publisher, clock: Clock
    ) -> AsyncIterator[Opened]:
        class Crossing(AsyncConnection[DictRow]):
            async def wait(self, gen: Any, *arguments: Any, **words: Any) -> Any:
                # All that is said to the server passes here: statements, COMMIT and ROLLBACK.
                cut = OperationalError("the server is out of reach")
                try:
                    return await boundary.cross(super().wait(gen, *arguments, **words), cut=cut)
                except OperationalError as exc:
                    if exc is cut:
                        self.pgconn.finish()
                    raise

        pool = AsyncConnectionPool(
            self._dsn,
            min_size=2,
            max_size=4,
            open=False,
            timeout=10,
            connection_class=Crossing,
            kwargs={"row_factory": dict_row},
            configure=_configure,
            check=_check,
        )
        async with pool:
            await pool.wait(10)
            units = PostgresUnits(pool, publisher=publisher, clock=clock)

            async def handle(envelope: Envelope, *, fails: bool) -> None:
                async with units.begin(envelope) as unit:
                    unit.emit(started(envelope))
                    await unit.connection.execute(
                        "INSERT INTO effects VALUES (%s, %s, pg_current_xact_id())",
                        (envelope.id, unit.sealed[0].id),
                    )
                    if fails:
                        raise Failed

            yield Opened(units=units, handle=handle)

    def read(self) -> Books:
        with psycopg.connect(self._dsn) as connection:
            effects = connection.execute("SELECT cause, event_id FROM effects").fetchall()
            inbox = connection.execute("SELECT event_id FROM inbox").fetchall()
            outbox = connection.execute("SELECT count(*) FROM outbox").fetchone()
            shared = connection.execute(
                "SELECT count(*) FROM (SELECT FROM effects GROUP BY at HAVING count(*) > 1) AS s"
            ).fetchone()
        assert outbox is not None
        assert shared is not None
        return Books(
            effects=[(cause, event) for cause, event in effects],
            inbox={event_id for (event_id,) in inbox},
            outbox=outbox[0],
            shared_commits=shared[0],
        )


class DynamoCrashStore:
    """Effects are counted by addition, so that a second one is seen and not refused."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._number = 0
        # Read once and inherited by every child: the model of a service is a large file.
        self._model = get_session().get_service_model("dynamodb")

    @property
    def _table(self) -> str:
        return f"crash-{self._number}"

    def clear(self) -> None:
        if self._number:
            table_client(self._address).delete_table(TableName=self._table)
        self._number += 1
        shape = topology()["contexts"]["orders"]["tables"]["orders"]
        table_client(self._address).create_table(**table_request(self._table, shape))

    @asynccontextmanager
    async def open(
        self, boundary: Boundary, publisher: Publisher, clock: Clock
    ) -> AsyncIterator[Opened]:
        class Crossing:
            def __init__(self, client: SignedClient) -> None:
                self._client = client

            def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
                async def call(**parameters: Any) -> Any:
                    made = getattr(self._client, name)(**parameters)
                    cut = EndpointConnectionError(endpoint_url="dynamodb")
                    return await boundary.cross(made, cut=cut)

                return call

        async with _http() as http:
            address = self._address
            signer = Signer(
                AioCredentials("test", "test"), service="dynamodb", region="sa-east-1", url=address
            )
            client = SignedClient(http, model=self._model, url=address, signer=signer)
            units = DynamoUnits(
                Crossing(client), table=self._table, publisher=publisher, clock=clock
            )

            async def handle(envelope: Envelope, *, fails: bool) -> None:
                async with reaching_the_store(), units.begin(envelope) as unit:
                    unit.emit(started(envelope))
                    values = to_item({":one": 1, ":event": unit.sealed[0].id})
                    update = {
                        "Key": to_item({"pk": f"EFFECT#{envelope.id}", "sk": "EFFECT"}),
                        "UpdateExpression": "ADD effects :one SET event_id = :event",
                        "ExpressionAttributeValues": values,
                    }
                    unit.write({"Update": update})
                    if fails:
                        raise Failed

            yield Opened(units=units, handle=handle)

    def read(self) -> Books:
        effects: list[tuple[str, str]] = []
        inbox: set[str] = set()
        outbox = 0
        pages = table_client(self._address).get_paginator("scan").paginate(TableName=self._table)
        for item in (item for page in pages for item in page["Items"]):
            name = item["pk"]["S"].partition("#")[2]
            if item["sk"]["S"] == "EFFECT":
                effects += [(name, item["event_id"]["S"])] * int(item["effects"]["N"])
            elif item["sk"]["S"] == "INBOX":
                inbox.add(name)
            else:
                outbox += 1
        return Books(effects=effects, inbox=inbox, outbox=outbox)


@contextmanager
def crash_store(kind: str, folder: Path) -> Iterator[CrashStore]:
    """Start the server of a store: `postgres` or `dynamodb`."""
    if kind == "postgres":
        with running_postgres(folder) as dsn:
            yield PostgresCrashStore(dsn)
    else:
        with dynamodb(folder) as (address, _):
            yield DynamoCrashStore(address)
