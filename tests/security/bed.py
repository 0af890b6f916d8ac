"""All doors in one process, with real databases behind them, to be attacked without a network."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI

from comanda.messaging.memory import InMemoryPublisher
from local.gateway.chalice_app import APPS, gateway_of
from tests import identity_builders as tokens
from tests.identity_builders import Issuers, signed, verifier_of
from tests.identity_doors import SHOPS, documents, pods
from tests.orders_builders import changed, deliver
from workers.archive.doors import Shelves
from workers.archive.memory import InMemoryIndex, InMemoryObjects
from workers.archive.memory_acts import InMemoryActBook
from workers.catalog.reader import PostgresCatalogReader
from workers.catalog.repository import PostgresCatalog
from workers.orders.floor import Floor
from workers.orders.hooks_memory import InMemoryHooks
from workers.orders.memory import InMemoryOrders
from workers.payments.reader import PostgresPaymentsReader
from workers.payments.repository import PostgresPayments
from workers.runtime.errors import StoreUnavailable
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool

# A day: the longest attack must not outlive its tokens.
_TOKEN_SECONDS = 86_400


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request, as it goes to a door."""

    service: str
    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


class Bed:
    """Every app, by the name of its service, and the document of each."""

    def __init__(self, apps: Mapping[str, Any]) -> None:
        self._apps = apps
        self.documents = documents()

    async def ask(self, sent: Sent) -> Answer:
        """Send one request and wait for the whole answer; a fault of the app is 500."""
        answered: list[Any] = []
        begun = time.perf_counter()
        fault = ""
        try:
            async with asyncio.timeout(30):
                await self._apps[sent.service](_scope(sent), _Body(sent.body), _into(answered))
        except Exception as exc:  # noqa: BLE001 - Whatever leaves an app is what is looked for.
            fault = f"{type(exc).__name__}: {exc}"
        head = answered[0] if answered else {"status": 500, "headers": []}
        return Answer(
            status=500 if fault else head["status"],
            headers={k.decode("latin-1").lower(): v.decode("latin-1") for k, v in head["headers"]},
            body=b"".join(chunk.get("body", b"") for chunk in answered[1:]),
            seconds=time.perf_counter() - begun,
            fault=fault,
        )


class _Away:
    """A store that is out of reach, for those that have no stand-in in memory."""

    def __getattr__(self, name: str) -> Any:
        async def away(*_: object, **__: object) -> None:
            raise StoreUnavailable(name)

        return away


class _Body:
    """The body in one piece, then a client that hangs up."""

    def __init__(self, body: bytes) -> None:
        self._left: bytes | None = body

    async def __call__(self) -> dict[str, Any]:
        if self._left is None:
            return {"type": "http.disconnect"}
        body, self._left = self._left, None
        return {"type": "http.request", "body": body, "more_body": False}


def _into(answered: list[Any]) -> Any:
    async def send(message: Any) -> None:
        answered.append(message)

    return send


def _scope(sent: Sent) -> dict[str, Any]:
    from urllib.parse import unquote

    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": sent.method,
        "path": unquote(sent.path.decode("ascii")),
        "raw_path": sent.path,
        "root_path": "",
        "query_string": sent.query,
        "headers": list(sent.headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


@asynccontextmanager
async def opened_bed(*, payments_dsn: str, catalog_dsn: str) -> AsyncIterator[Bed]:
    """Open all doors on two migrated databases; `lambda_environment` must be entered before."""
    apps: dict[str, Any] = dict(pods())
    async with AsyncExitStack() as stack:
        catalog = await stack.enter_async_context(postgres_pool(catalog_dsn, size=4))
        payments = await stack.enter_async_context(postgres_pool(payments_dsn, size=4))
        units = [
            PostgresUnits(pool, publisher=InMemoryPublisher(), clock=now)
            for pool in (catalog, payments)
        ]
        apps["catalog"].state.reader = PostgresCatalogReader(catalog)
        apps["catalog"].state.catalog = PostgresCatalog(units[0])
        apps["payments"].state.reader = PostgresPaymentsReader(payments)
        apps["payments"].state.payments = PostgresPayments(units[1], pool=payments, clock=now)
        orders = InMemoryOrders(clock=now)
        await deliver(changed("x-salada"), orders=orders)
        apps["orders"].state.floor = Floor(orders, desk=orders, hooks=InMemoryHooks(), clock=now)
        objects = InMemoryObjects()
        index = InMemoryIndex()
        apps["archive"].state.shelves = Shelves(
            index=index, objects=objects, book=_Away(), acts=InMemoryActBook(), clock=now
        )
        for app in apps.values():
            if isinstance(app, FastAPI):
                app.state.verifier = verifier_of(Issuers(), now)
        apps |= {folder: gateway_of(folder) for folder in APPS}
        yield Bed(apps)
        for unit in units:
            await unit.drain()


def tokens_of_everybody() -> dict[str, str]:
    """Sign a good token for each kind of caller of the first shop."""
    at = int(now().timestamp())
    times = {"iat": at - 60, "exp": at + _TOKEN_SECONDS, "shop": str(SHOPS[0])}
    groups = {"cognito:groups": ["kitchen", "manager", "owner"]}
    return {
        "staff": signed(tokens.staff(**times, **groups)),
        "customer": signed(tokens.customer(**times)),
        "guest": signed(tokens.guest(**times)),
    }
