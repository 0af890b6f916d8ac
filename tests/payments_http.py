"""The API of payments over real HTTP, for callers whose token is their group."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import uvicorn
from fastapi import FastAPI
from psycopg import OperationalError

from comanda.identity.verifier import Identity, InvalidToken, Kind
from comanda.ids import OrderId, ShopId
from tests.payments_builders import OTHER_SHOP, SHOP
from workers.payments.api import build_app
from workers.payments.memory import InMemoryPayments
from workers.payments.model import Charge

_GROUPS: dict[str, frozenset[str]] = {"guest": frozenset(), "theirs": frozenset({"owner"})}
BASE = f"/apis/payments/{SHOP}"


class NamedTokens:
    """A verifier for which the token is the group of a member of staff."""

    def verify(self, token: str, *, may_fetch: bool = True) -> Identity:
        if token not in ("owner", "kitchen", "guest", "theirs"):
            raise InvalidToken("not one of ours")
        return Identity(
            subject=token,
            shop_id=OTHER_SHOP if token == "theirs" else SHOP,
            kind=Kind.GUEST if token == "guest" else Kind.STAFF,
            groups=_GROUPS.get(token, frozenset({token})),
        )


class BrokenPayments(InMemoryPayments):
    """A store whose database is down."""

    async def charges(self, shop_id: ShopId, order_id: OrderId) -> Sequence[Charge]:
        raise OperationalError("connection refused")

    async def ping(self) -> None:
        raise OperationalError("connection refused")


class Client:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, path: str, *, token: str = "owner") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._session.get(path, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def post(
        self, path: str, body: Any, *, token: str = "owner", key: str = "key-1"
    ) -> tuple[int, Any, bool]:
        headers = {"Authorization": f"Bearer {token}"}
        headers |= {"Idempotency-Key": key} if key else {}
        async with self._session.post(path, json=body, headers=headers) as answer:
            is_replayed = answer.headers.get("Idempotent-Replayed") == "true"
            return answer.status, await answer.json(content_type=None), is_replayed


@asynccontextmanager
async def opened(reader: Any, payments: Any = None) -> AsyncIterator[Client]:
    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        app.state.reader, app.state.verifier = reader, NamedTokens()
        app.state.payments = payments or reader
        yield

    app = build_app((SHOP, OTHER_SHOP), connect=connect)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Client(session)
    server.should_exit = True
    await task
