"""A shop makes its menu while it sells: a sheet of dishes, a sold-out switch, a last portion."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from io import StringIO
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from rich.console import Console

from local.demo.client import Shopper
from local.demo.day.receipts import Fate
from local.demo.day.report import print_day
from local.demo.day.running import Visits, run_day
from local.demo.day.sheet import PORTIONS
from local.demo.doors import Doors, StaffLogin, doors_of
from local.supervisor import System

BUYERS = 20


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield session


@pytest.fixture
def doors(system: System) -> Doors:
    owners = {
        str(login.shop): StaffLogin(username=login.username, password=login.password)
        for login in system.staff
        if "owner" in login.groups
    }
    return replace(doors_of(system), kitchens=owners)


class Shop:
    """One shop as its owner and its guests meet it at the edge."""

    def __init__(self, session: aiohttp.ClientSession, doors: Doors) -> None:
        self._session = session
        self._edge = doors.edge
        # The other tests of the system count what the first shop sells.
        self.name = doors.shops[1]
        self.shopper = Shopper(session, doors)

    async def manage(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Ask the catalog as its owner."""
        token = await self.shopper.staff_token(self.name)
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        url = f"{self._edge}/apis/catalog/{self.name}{path}"
        async with self._session.request(method, url, headers=headers, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    async def ask_for(self, product_id: str, *, token: str) -> tuple[int, Any]:
        """Order one of a product as a guest."""
        url = f"{self._edge}/apis/orders/{self.name}/orders"
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": str(uuid4()),
            "Prefer": "wait=10",
        }
        body = {"lines": [{"product_id": product_id, "quantity": 1}]}
        async with self._session.post(url, headers=headers, json=body) as answer:
            return answer.status, await answer.json(content_type=None)

    async def ids(self) -> dict[str, str]:
        """Give the ids of the menu by name."""
        return {p["name"]: p["id"] for p in await self.shopper.menu(self.name)}


@pytest.fixture
def shop(session: aiohttp.ClientSession, doors: Doors) -> Shop:
    return Shop(session, doors)


async def test_a_shop_imports_120_dishes_and_sells_the_last_portion_of_one_once(shop: Shop) -> None:
    tag = uuid4().hex[:8]
    # Only the first can be had, so that the other tests of the system meet their own menu.
    rows = [f"{tag} {i};MEAL;1{i % 10},50;{'não' if i else 'sim'};900;1" for i in range(120)]
    header = "nome;categoria;preço;disponível;posição;estoque inicial"
    sheet = "\n".join([header, *rows]).encode()
    csv = {"Content-Type": "text/csv; charset=utf-8"}
    token = await shop.shopper.guest_token(shop.name)

    dry = await shop.manage("POST", "/menu.csv?is_dry_run=true", data=sheet, headers=csv)
    real = await shop.manage("POST", "/menu.csv", data=sheet, headers=csv)
    last = (await shop.ids())[f"{tag} 0"]
    sold = await _once_known(shop, last, token=token)
    # Each buyer is a guest of their own, for one may not leave so many orders unpaid.
    tokens = [await shop.shopper.guest_token(shop.name) for _ in range(BUYERS)]
    orders = await asyncio.gather(*(shop.ask_for(last, token=each) for each in tokens))
    paid = await shop.shopper.order_until(sold, token=token, has="pix")
    await shop.shopper.pay(paid["pix"]["code"])
    level = await _level(shop, last)
    await shop.manage("DELETE", f"/products/{last}", headers={"If-Match": "*"})

    assert (dry[0], dry[1]["added"], real[0], real[1]["added"]) == (200, 120, 200, 120)
    # The order by which the test saw that the dish is known took the one portion.
    assert [body.get("reason") for _, body in orders] == ["out_of_stock"] * BUYERS
    assert (level["held"] + level["sold"], level["left"]) == (1, 0)


async def test_a_dish_that_is_switched_off_is_sold_to_nobody_and_soon_refused(shop: Shop) -> None:
    dish = (await shop.ids())["Batata frita"]
    token = await shop.shopper.guest_token(shop.name)
    await shop.manage("PUT", f"/products/{dish}/availability", json={"is_available": False})
    deadline = time.monotonic() + 20

    refused, status = [], 0
    while time.monotonic() < deadline:
        status, body = await shop.ask_for(dish, token=token)
        refused.append(status >= 400 or body.get("reason") == "unavailable")
        if status >= 400:
            break
    await shop.manage("PUT", f"/products/{dish}/availability", json={"is_available": True})

    # Until orders has heard, the reservation refuses in its place: nobody gets the dish.
    assert all(refused)
    assert status >= 400


@pytest.mark.timeout(300)
async def test_after_a_day_of_mishaps_books_stock_and_kitchen_agree_with_every_receipt(
    system: System, session: aiohttp.ClientSession
) -> None:
    told: dict[str, str] = {}
    visits = Visits(orders=60, outage_seconds=1.0)

    day = await run_day(system, session=session, visits=visits, tell=told.__setitem__)

    page = StringIO()
    print_day(Console(file=page, width=200), day)
    assert day.is_good, page.getvalue()
    assert len(day.drawer.of(Fate.WALKED_AWAY)) == 3
    assert len(day.drawer.of(Fate.PAID_LATE)) == 1
    assert len(day.drawer.of(Fate.EATEN)) >= 56 + PORTIONS
    assert told["menu"] == "120 products"
    assert told.keys() >= {"sold out", "new price", "closed", "outage 1", "outage 2", "outage 3"}


async def _once_known(shop: Shop, product_id: str, *, token: str) -> dict[str, Any]:
    deadline = time.monotonic() + 10
    while True:
        status, order = await shop.ask_for(product_id, token=token)
        if status == 201:
            return dict(order)
        assert time.monotonic() < deadline, "orders never heard of the dish"
        await asyncio.sleep(0.1)


async def _level(shop: Shop, product_id: str) -> dict[str, int]:
    _, stock = await shop.manage("GET", "/stock")
    return next(level for level in stock["levels"] if level["product_id"] == product_id)
