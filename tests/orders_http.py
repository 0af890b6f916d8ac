"""A client of the API of orders over real HTTP, with really signed tokens."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import aiohttp
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from jose import jwk, jwt

from comanda.events import OrderPlaced
from comanda.identity.verifier import Kind, TokenVerifier, TrustedIssuer
from comanda.ids import ShopId
from tests.orders_builders import (
    NOW,
    OTHER_SHOP,
    SHOP,
    Clock,
)
from workers.orders.api import build_app
from workers.orders.floor import Floor
from workers.orders.hooks_memory import InMemoryHooks
from workers.orders.memory import InMemoryOrders
from workers.orders.model import Order

BASE = f"/apis/orders/{SHOP}"


ORDERS = f"{BASE}/orders"


GUEST = f"guest:{UUID(int=1)}"


CUSTOMER = str(UUID(int=3))


BODY = {"lines": [{"product_id": "pastel", "quantity": 2}]}


_NAMES = {Kind.GUEST: "guests", Kind.CUSTOMER: "customers", Kind.STAFF: "staff"}


@cache
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def jwks(_: str) -> dict[str, Any]:
    public = jwk.construct(private_key(), "RS256").public_key().to_dict()
    return {"keys": [{**public, "kid": "k1", "use": "sig"}]}


def verifier() -> TokenVerifier:
    issuers = [
        TrustedIssuer(issuer=f"https://{n}", jwks_url=f"https://{n}/jwks", client_id=n, kind=k)
        for k, n in _NAMES.items()
    ]
    return TokenVerifier(issuers, clock=Clock(), fetch=jwks)


@cache
def token(kind: Kind, subject: str, *, shop: str = SHOP, groups: tuple[str, ...] = ()) -> str:
    claims = {
        "iss": f"https://{_NAMES[kind]}",
        "client_id": _NAMES[kind],
        "token_use": "access",
        "sub": subject,
        "username": subject,
        "shop": shop,
        "cognito:groups": list(groups),
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
    }
    return str(jwt.encode(claims, private_key(), algorithm="RS256", headers={"kid": "k1"}))


def guest(subject: str = GUEST, *, shop: str = SHOP) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(Kind.GUEST, subject, shop=shop)}"}


def crew(*groups: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(Kind.STAFF, 'ana', groups=groups or ('kitchen',))}"}


def customer() -> dict[str, str]:
    return {"Authorization": f"Bearer {token(Kind.CUSTOMER, CUSTOMER)}"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)


class Client:
    """A client of the API that is served."""

    def __init__(self, session: aiohttp.ClientSession, *, orders: InMemoryOrders) -> None:
        self._session = session
        self.orders = orders

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        async with self._session.request(method, path, **options) as got:
            return Answer(status=got.status, headers=got.headers, content=await got.read())

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.ask("GET", path, **options)

    @asynccontextmanager
    async def streamed(
        self, path: str, *, headers: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
        """Follow server-sent events as pairs of id and data; comments are left out."""
        async with self._session.get(path, headers=headers) as answer:
            assert answer.status == 200
            yield _events(answer.content)

    @asynccontextmanager
    async def streams(
        self, path: str, *, headers: Mapping[str, str], count: int
    ) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for _ in range(count):
                events = await stack.enter_async_context(self.streamed(path, headers=headers))
                await anext(events)
            yield

    async def place(
        self,
        body: Any = BODY,
        *,
        key: str = "key-1",
        headers: Mapping[str, str] | None = None,
        prefer: str = "",
    ) -> Answer:
        sent = {**(headers or guest()), "Content-Type": "application/json", "Prefer": prefer}
        if key:
            sent["Idempotency-Key"] = key
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return await self.ask("POST", ORDERS, data=data, headers=sent)

    async def order(self, body: Mapping[str, Any]) -> Order:
        found = await self.orders.get(ShopId(body["shop_id"]), body["id"])
        assert found is not None
        return found

    def placed_events(self) -> list[OrderPlaced]:
        return [e.event for e in self.orders.published if isinstance(e.event, OrderPlaced)]


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, Any]]:
    event: dict[str, str] = {}
    async for raw in content:
        name, _, value = raw.decode().strip().partition(": ")
        if name:
            event[name] = value
        elif "data" in event:
            yield event["id"], json.loads(event["data"])
            event = {}


@asynccontextmanager
async def opened(orders: InMemoryOrders, *, clock: Clock) -> AsyncIterator[Client]:
    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        hooks = InMemoryHooks()
        app.state.floor = Floor(orders, desk=orders, hooks=hooks, clock=clock)
        app.state.verifier = verifier()
        yield

    app = build_app((SHOP, OTHER_SHOP), connect=connect)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Client(session, orders=orders)
    server.should_exit = True
    await serving
