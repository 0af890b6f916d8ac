"""The catalog's API over real HTTP, with the store in memory."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI
from psycopg import OperationalError

from comanda.identity.verifier import Identity, InvalidToken, Kind
from comanda.ids import ShopId
from tests.catalog_builders import NOW, OTHER_SHOP, SHOP, Store, approved, line, placed, product
from workers.catalog.api import build_app
from workers.catalog.memory import InMemoryCatalog
from workers.catalog.model import Product

MENU = f"/apis/catalog/{SHOP}/menu"
STOCK = f"/apis/catalog/{SHOP}/stock"
REFUSED = f"/apis/catalog/{SHOP}/refused-transitions"


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

    async def get(self, path: str, **options: Any) -> Answer:
        async with self._session.get(path, **options) as got:
            return Answer(status_code=got.status, headers=got.headers, content=await got.read())


class NamedTokens:
    """A verifier for which `owner`, `kitchen`, `guest` and `theirs` are tokens."""

    def verify(self, token: str, *, may_fetch: bool = True) -> Identity:
        if token not in ("owner", "kitchen", "guest", "theirs"):
            raise InvalidToken("not one of ours")
        is_guest = token == "guest"
        return Identity(
            subject=token,
            shop_id=OTHER_SHOP if token == "theirs" else SHOP,
            kind=Kind.GUEST if is_guest else Kind.STAFF,
            groups=frozenset() if is_guest else frozenset({token}),
        )


class BrokenCatalog(InMemoryCatalog):
    """A store whose database is down."""

    async def menu(self, shop_id: ShopId) -> list[Product]:
        raise OperationalError("connection refused")

    async def ping(self) -> None:
        raise OperationalError("connection refused")


@asynccontextmanager
async def opened(catalog: InMemoryCatalog) -> AsyncIterator[Client]:
    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        app.state.reader = catalog
        app.state.verifier = NamedTokens()
        yield

    app = build_app((SHOP, OTHER_SHOP), connect=connect)
    config = uvicorn.Config(app, port=0, log_config=None)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Client(session)
    await server.shutdown()


@pytest.fixture
async def store() -> Store:
    catalog = InMemoryCatalog(clock=lambda: NOW)
    store = Store(catalog, reader=catalog, topic=catalog)
    await store.stock(product("meal", price="58.80"), quantity=10)
    return store


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Client]:
    assert isinstance(store.catalog, InMemoryCatalog)
    async with opened(store.catalog) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_everybody_reads_the_menu(client: Client) -> None:
    answer = await client.get(MENU)

    assert answer.status_code == 200
    assert answer.json() == {
        "products": [
            {
                "id": "product-meal",
                "name": "Meal",
                "category": "MEAL",
                "price": "58.80",
                "is_available": True,
                "version": 1,
            }
        ]
    }


async def test_an_unchanged_menu_is_not_sent_twice(client: Client) -> None:
    tag = (await client.get(MENU)).headers["etag"]

    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = await client.get(MENU, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag


async def test_a_changed_menu_has_another_tag(client: Client, store: Store) -> None:
    tag = (await client.get(MENU)).headers["etag"]
    await store.stock(replace(product("meal"), is_available=False), quantity=1)

    answer = await client.get(MENU, headers={"If-None-Match": tag})

    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


@pytest.mark.parametrize("shop", ["padaria-do-caio", "NOT A SHOP", "x"])
async def test_a_shop_that_is_not_here_is_404(client: Client, shop: str) -> None:
    answer = await client.get(f"/apis/catalog/{shop}/menu")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_staff_see_where_the_stock_is(client: Client, store: Store) -> None:
    meal = product("meal", price="58.80")
    order = placed(line(meal, 3))
    await store.deliver(order)

    answer = await client.get(STOCK, headers=bearer("kitchen"))

    level = {"product_id": "product-meal", "received": 10, "held": 3, "sold": 0, "left": 7}
    assert (answer.status_code, answer.json()) == (200, {"levels": [level]})


@pytest.mark.parametrize("path", [STOCK, REFUSED])
@pytest.mark.parametrize(
    ("token", "status"), [("", 401), ("forged", 401), ("guest", 403), ("theirs", 404)]
)
async def test_others_do_not_see_what_is_for_staff(
    client: Client, path: str, token: str, status: int
) -> None:
    answer = await client.get(path, headers=bearer(token) if token else {})

    assert answer.status_code == status
    assert answer.json()["status"] == status


async def test_the_owner_sees_refused_transitions(client: Client, store: Store) -> None:
    order = placed(line(product("meal")))
    message = await store.deliver(approved(order))

    answer = await client.get(REFUSED, headers=bearer("owner"))

    (refusal,) = answer.json()["refused_transitions"]
    assert refusal["event_id"] == message.id
    assert (refusal["order_id"], refusal["current"]) == (order.order_id, None)
    assert refusal["asked"] == "SOLD"


@pytest.mark.parametrize("limit", ["0", "201", "many"])
async def test_an_impossible_limit_is_422_and_names_the_field(client: Client, limit: str) -> None:
    answer = await client.get(REFUSED, params={"limit": limit}, headers=bearer("owner"))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query.limit"


async def test_a_database_that_is_down_is_503_with_a_time_to_come_back() -> None:
    async with opened(BrokenCatalog(clock=lambda: NOW)) as client:
        menu = await client.get(MENU)
        ready = await client.get("/health/ready")

    assert (menu.status_code, ready.status_code) == (503, 503)
    assert int(menu.headers["retry-after"]) > 0


async def test_the_api_describes_itself(client: Client) -> None:
    paths = (await client.get("/apis/catalog/openapi.json")).json()["paths"]

    assert set(paths) == {
        "/apis/catalog/{shop}/menu",
        "/apis/catalog/{shop}/stock",
        "/apis/catalog/{shop}/audit",
        "/apis/catalog/{shop}/refused-transitions",
    }
    assert (await client.get("/health/ready")).status_code == 200
