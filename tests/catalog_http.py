"""The catalog's API over real HTTP, with tokens that are names."""

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
import uvicorn
from fastapi import FastAPI

from comanda.clock import utc_now
from comanda.identity.verifier import Identity, InvalidToken, Kind
from tests.catalog_builders import OTHER_SHOP, SHOP
from workers.catalog.api import build_app
from workers.catalog.memory import InMemoryCatalog


@dataclass(frozen=True, kw_only=True)
class Answer:
    status_code: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """A client of the API that is served."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._documented: list[tuple[re.Pattern[str], str, frozenset[str]]] = []

    async def learn(self) -> None:
        """Read what the API says of itself, and hold every later answer to it."""
        document = (await self.get("/apis/catalog/openapi.json")).json()
        for template, operations in document["paths"].items():
            pattern = re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(template)))
            for method, operation in operations.items():
                self._documented.append((pattern, method, frozenset(operation["responses"])))

    async def get(self, path: str, **options: Any) -> Answer:
        """Read."""
        return await self.ask("GET", path, **options)

    async def ask(self, method: str, path: str, *, by: str = "", **options: Any) -> Answer:
        """Ask as whoever the token `by` names."""
        headers = {**(bearer(by) if by else {}), **options.pop("headers", {})}
        async with self._session.request(method, path, headers=headers, **options) as got:
            self._check(method, path.partition("?")[0], status=got.status)
            return Answer(status_code=got.status, headers=got.headers, content=await got.read())

    def _check(self, method: str, path: str, *, status: int) -> None:
        for pattern, documented, statuses in self._documented:
            if documented == method.lower() and pattern.fullmatch(path):
                assert str(status) in statuses, f"{method} {path}: {status} is not documented"


class NamedTokens:
    """A verifier for which `owner`, `manager`, `kitchen`, `guest` and `theirs` are tokens."""

    def verify(self, token: str, *, may_fetch: bool = True) -> Identity:
        if token not in ("owner", "manager", "kitchen", "guest", "theirs"):
            raise InvalidToken("not one of ours")
        is_guest = token == "guest"
        return Identity(
            subject=token,
            shop_id=OTHER_SHOP if token == "theirs" else SHOP,
            kind=Kind.GUEST if is_guest else Kind.STAFF,
            groups=frozenset()
            if is_guest
            else frozenset({"owner" if token == "theirs" else token}),
        )


@asynccontextmanager
async def opened(
    catalog: InMemoryCatalog, *, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[Client]:
    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        app.state.reader = catalog
        app.state.catalog = catalog
        app.state.verifier = NamedTokens()
        yield

    app = build_app((SHOP, OTHER_SHOP), connect=connect, clock=clock)
    config = uvicorn.Config(app, port=0, log_config=None)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Client(session)
    await server.shutdown()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
