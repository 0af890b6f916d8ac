"""A menu of one dish and its shop, to be managed over HTTP, with the store in memory."""

from collections.abc import AsyncIterator

import pytest

from tests.catalog_builders import NOW, SHOP, Store, product
from tests.catalog_http import Client, opened
from workers.catalog.memory import InMemoryCatalog

ROOT = f"/apis/catalog/{SHOP}"
PRODUCTS = f"{ROOT}/products"
MEAL = f"{PRODUCTS}/product-meal"
MEAL_STOCK = f"{ROOT}/stock/product-meal"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"0" * 64
SHEET = "name;category;price\nGuaraná;DRINK;7,50\n"
CSV = {"Content-Type": "text/csv; charset=utf-8"}
BURGER = {
    "name": "X-Bacon",
    "category": "MEAL",
    "price": "28.90",
    "option_groups": [
        {
            "id": "ponto",
            "name": "Ponto",
            "is_required": True,
            "minimum": 1,
            "maximum": 1,
            "options": [{"id": "bem", "name": "Bem passado"}],
        }
    ],
}


@pytest.fixture
async def store() -> Store:
    catalog = InMemoryCatalog(clock=lambda: NOW)
    store = Store(catalog, reader=catalog, topic=catalog)
    await store.stock(product("meal", price="20.00"), quantity=10)
    return store


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Client]:
    assert isinstance(store.catalog, InMemoryCatalog)
    async with opened(store.catalog) as client:
        await client.learn()
        yield client
