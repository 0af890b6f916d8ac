"""The whole road over HTTP: a guest orders, pays, and the kitchen hands it over."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from rich.console import Console

from local.demo.books import balance
from local.demo.client import Shopper
from local.demo.doors import Doors, doors_of
from local.demo.load import drive
from local.demo.walk import walk
from local.supervisor import System


@pytest.fixture(scope="module")
def doors(system: System) -> Doors:
    return doors_of(system)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield session


@pytest.fixture
def shopper(session: aiohttp.ClientSession, doors: Doors) -> Shopper:
    return Shopper(session, doors)


async def post_order(
    session: aiohttp.ClientSession,
    doors: Doors,
    *,
    token: str | None,
    body: Any,
    key: str | None = "fresh",
    shop: str | None = None,
) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if key is not None:
        headers["Idempotency-Key"] = str(uuid4()) if key == "fresh" else key
    arguments = {"data": body} if isinstance(body, str) else {"json": body}
    url = f"{doors.edge}/apis/orders/{shop or doors.shops[0]}/orders"
    async with session.post(url, headers=headers, **arguments) as answer:
        content = await answer.json(content_type=None)
        return answer.status, content, {k.lower(): v for k, v in answer.headers.items()}


async def test_a_paid_order_reaches_the_customers_hands(shopper: Shopper, doors: Doors) -> None:
    order = await walk(shopper, shop=doors.shops[0], console=Console(quiet=True))

    statuses = [entry["status"] for entry in order["history"]]
    assert statuses == ["PENDING_PAYMENT", "RECEIVED", "IN_PREPARATION", "READY", "COMPLETED"]


async def test_the_same_request_twice_is_one_order(
    session: aiohttp.ClientSession, shopper: Shopper, doors: Doors
) -> None:
    shop = doors.shops[0]
    token = await shopper.guest_token(shop)
    product = (await shopper.menu(shop))[0]
    body = {"lines": [{"product_id": product["id"], "quantity": 1}]}
    key = str(uuid4())

    first = await post_order(session, doors, token=token, body=body, key=key)
    second = await post_order(session, doors, token=token, body=body, key=key)
    other = {"lines": [{"product_id": product["id"], "quantity": 2}]}
    third = await post_order(session, doors, token=token, body=other, key=key)

    assert first[0] == second[0] == 201
    assert first[1]["id"] == second[1]["id"]
    assert second[2]["idempotent-replayed"] == "true"
    assert third[0] == 422
    paid = await shopper.order_until(first[1], token=token, has="pix")
    await shopper.pay(paid["pix"]["code"])


@pytest.mark.parametrize("quantity", [0, -1, 10**9, "3", 1.5, None, True])
async def test_a_senseless_quantity_is_refused(
    session: aiohttp.ClientSession, shopper: Shopper, doors: Doors, quantity: object
) -> None:
    shop = doors.shops[0]
    token = await shopper.guest_token(shop)
    product = (await shopper.menu(shop))[0]
    body = {"lines": [{"product_id": product["id"], "quantity": quantity}]}

    status, problem, _ = await post_order(session, doors, token=token, body=body)

    assert status == 422
    assert problem["status"] == 422
    assert problem["errors"]


async def test_a_malformed_body_is_told_so(
    session: aiohttp.ClientSession, shopper: Shopper, doors: Doors
) -> None:
    token = await shopper.guest_token(doors.shops[0])

    status, problem, _ = await post_order(session, doors, token=token, body="{lines")

    assert status == 400
    assert problem["title"]


async def test_an_unknown_product_is_refused(
    session: aiohttp.ClientSession, shopper: Shopper, doors: Doors
) -> None:
    token = await shopper.guest_token(doors.shops[0])
    body = {"lines": [{"product_id": str(uuid4()), "quantity": 1}]}

    status, problem, _ = await post_order(session, doors, token=token, body=body)

    assert status == 422
    assert problem["errors"]


@pytest.mark.parametrize("token", [None, "x", "a.b.c"])
async def test_without_a_good_token_nothing_is_ordered(
    session: aiohttp.ClientSession, doors: Doors, token: str | None
) -> None:
    status, _, _ = await post_order(session, doors, token=token, body={"lines": []})

    assert status == 401


async def test_a_token_of_another_shop_finds_nothing(
    session: aiohttp.ClientSession, shopper: Shopper, doors: Doors
) -> None:
    token = await shopper.guest_token(doors.shops[1])

    status, _, _ = await post_order(
        session, doors, token=token, body={"lines": []}, shop=doors.shops[0]
    )

    assert status == 404


async def test_a_forged_notification_is_refused_and_changes_nothing(
    session: aiohttp.ClientSession, doors: Doors
) -> None:
    url = f"{doors.edge}/webhooks/mercadopago/{doors.shops[0]}?data.id=ORD0000001&type=order"
    headers = {"x-signature": f"ts=1766455693,v1={'0' * 64}", "x-request-id": str(uuid4())}

    async with session.post(url, json={}, headers=headers) as answer:
        assert answer.status == 401


async def test_the_books_balance_after_many_orders(
    shopper: Shopper, doors: Doors, system: System
) -> None:
    result = await drive(shopper, shops=doors.shops, orders=40, advance=lambda: None)

    books = await balance(shopper, shops=doors.shops, environment=system.environment)

    assert result.failures == ()
    assert books.is_balanced, books


VICTIMS = (
    "bus",
    "postgres",
    "ministack",
    "mercadopago",
    "edge",
    "auth",
    "webhooks",
    "orders",
    "payments",
    "catalog",
    "archive",
    "orders-worker",
    "payments-worker",
    "catalog-worker",
    "archive-worker",
)


@pytest.mark.timeout(240)
async def test_killing_every_process_in_turn_loses_no_order_and_no_real(
    shopper: Shopper, doors: Doors, system: System
) -> None:
    load = asyncio.create_task(drive(shopper, shops=doors.shops, orders=150, advance=lambda: None))
    for victim in VICTIMS:
        await asyncio.sleep(0.8)
        system.kill(victim)
    result = await load

    books = await balance(shopper, shops=doors.shops, environment=system.environment)

    assert result.failures == ()
    assert books.is_balanced, books
