"""The catalog's API over real HTTP, with the store in memory."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from psycopg import OperationalError

from comanda.ids import ShopId
from tests.catalog_builders import NOW, SHOP, Store, approved, line, placed, product
from tests.catalog_http import Client, bearer, opened
from workers.catalog.memory import InMemoryCatalog
from workers.catalog.products import Product

MENU = f"/apis/catalog/{SHOP}/menu"
STOCK = f"/apis/catalog/{SHOP}/stock"
REFUSED = f"/apis/catalog/{SHOP}/refused-transitions"


class BrokenCatalog(InMemoryCatalog):
    """A store whose database is down."""

    async def menu(self, shop_id: ShopId) -> list[Product]:
        raise OperationalError("connection refused")

    async def ping(self) -> None:
        raise OperationalError("connection refused")


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


async def test_everybody_reads_the_menu(client: Client) -> None:
    answer = await client.get(MENU)

    assert answer.status_code == 200
    menu = answer.json()
    assert menu["is_open"] is True
    assert menu["products"] == [
        {
            "id": "product-meal",
            "name": "Meal",
            "description": "",
            "category": "MEAL",
            "price": "58.80",
            "is_available": True,
            "version": 1,
            "picture_url": "",
            "option_groups": [],
            "slots": [],
        }
    ]
    assert [(step["label"], step["product_ids"]) for step in menu["steps"]] == [
        ("Lanche", ["product-meal"]),
        ("Acompanhamento", []),
        ("Bebida", []),
        ("Sobremesa", []),
    ]


async def test_an_unchanged_menu_is_not_sent_twice(client: Client) -> None:
    tag = (await client.get(MENU)).headers["etag"]

    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = await client.get(MENU, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag


async def test_a_changed_menu_has_another_tag(client: Client, store: Store) -> None:
    tag = (await client.get(MENU)).headers["etag"]
    await store.stock(replace(product("meal"), is_available=False), quantity=10)

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

    assert set(paths) >= {
        "/apis/catalog/{shop}/menu",
        "/apis/catalog/{shop}/menu.csv",
        "/apis/catalog/{shop}/products/{product_id}",
        "/apis/catalog/{shop}/stock/{product_id}/corrections",
        "/apis/catalog/{shop}/audit",
        "/apis/catalog/{shop}/refused-transitions",
    }
    assert (await client.get("/health/ready")).status_code == 200
