"""The API of orders over real HTTP and with really signed tokens, with the store in memory."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from tests.orders_builders import (
    SHOP,
    Clock,
    changed,
    charged,
    deliver,
)
from tests.orders_http import Client, customer, opened
from workers.orders.claims import LEASE, Claim, ClaimKey
from workers.orders.memory import InMemoryOrders

BASE = f"/apis/orders/{SHOP}"


ORDERS = f"{BASE}/orders"


GUEST = f"guest:{UUID(int=1)}"


CUSTOMER = str(UUID(int=3))


BODY = {"lines": [{"product_id": "pastel", "quantity": 2}]}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[Client]:
    orders = InMemoryOrders(clock=clock)
    for product in (changed(), changed("caldo", price="7.00"), changed("fora", is_available=False)):
        await deliver(product, orders=orders)
    async with opened(orders, clock=clock) as client:
        yield client


async def test_a_guest_places_an_order(client: Client) -> None:
    answer = await client.place()

    order = answer.body
    assert answer.status == 201
    assert answer.headers["location"] == f"{ORDERS}/{order['id']}"
    assert order["lines"] == [
        {
            "product_id": "pastel",
            "name": "Pastel",
            "quantity": 2,
            "unit_price": "12.50",
            "options": [],
            "notes": "",
        }
    ]
    assert (order["total"], order["call_number"], order["version"]) == ("25.00", 1, 1)
    assert (order["status"], order["status_label"]) == ("PENDING_PAYMENT", "Aguardando pagamento")
    assert (order["pix"], order["reason"], order["paid_at"]) == (None, None, None)
    assert order["history"] == [{"status": "PENDING_PAYMENT", "at": "2026-03-04T12:00:00Z"}]
    assert (order["shop_id"], order["waiting_seconds"]) == (SHOP, 0)
    assert client.placed_events()[0].customer_id is None


async def test_a_customers_order_names_the_customer(client: Client) -> None:
    await client.place(headers=customer())

    assert client.placed_events()[0].customer_id == CUSTOMER


async def test_the_same_request_twice_is_one_order(client: Client) -> None:
    first = await client.place()
    spaced = json.dumps(BODY, indent=4)
    second = await client.place(spaced)

    assert (second.status, second.content) == (201, first.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert len(client.placed_events()) == 1


async def test_a_key_with_another_body_is_422(client: Client) -> None:
    await client.place()

    answer = await client.place({"lines": [{"product_id": "pastel", "quantity": 3}]})

    assert answer.status == 422
    assert answer.body["errors"][0]["field"] == "header.Idempotency-Key"


async def test_a_twin_in_flight_is_409_and_then_finished(client: Client, clock: Clock) -> None:
    first = await client.place()
    twin = next(iter(client.orders._state.claims.values()))
    key = ClaimKey(shop_id=SHOP, owner=GUEST, key="key-2")
    dead = Claim.fresh(key, fingerprint=twin.fingerprint, now=clock())
    await client.orders.claim(dead, now=clock())

    in_flight = await client.place(key="key-2")
    clock.pass_by(seconds=LEASE.total_seconds())
    finished = await client.place(key="key-2")

    assert (first.status, in_flight.status, finished.status) == (201, 409, 201)
    assert int(in_flight.headers["retry-after"]) > 0
    assert finished.body["id"] == dead.order_id


@pytest.mark.parametrize("key", ["", "k" * 65, "with space", "não"])
async def test_an_idempotency_key_is_needed_and_checked(client: Client, key: str) -> None:
    answer = await client.place(key=key)

    assert answer.status == 422
    assert answer.body["errors"][0]["field"] == "header.Idempotency-Key"


@pytest.mark.parametrize("quantity", [0, -1, 100, 10**9, "3", 1.5, 1.0, True, None])
async def test_a_negative_or_zero_or_senseless_quantity_is_refused(
    client: Client, quantity: object
) -> None:
    answer = await client.place({"lines": [{"product_id": "pastel", "quantity": quantity}]})

    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["errors"][0]["field"] == "body.lines.0.quantity"
    assert client.placed_events() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.lines"),
        ([], "body"),
        ({"lines": []}, "body.lines"),
        ({"lines": [{"product_id": "pastel", "quantity": 1}] * 51}, "body.lines"),
        ({"lines": [{"product_id": "pastel", "quantity": 50}] * 2}, "body.lines.0.quantity"),
        ({"lines": [{"product_id": 7, "quantity": 1}]}, "body.lines.0.product_id"),
        ({"lines": [{"product_id": "nada", "quantity": 1}]}, "body.lines.0.product_id"),
        ({"lines": [{"product_id": "fora", "quantity": 1}]}, "body.lines.0.product_id"),
        ({**BODY, "total": "0.01"}, "body.total"),
    ],
)
async def test_a_wrong_body_names_its_field_and_changes_nothing(
    client: Client, body: object, field: str
) -> None:
    answer = await client.place(body)

    assert answer.status == 422
    assert answer.body["errors"][0]["field"] == field
    assert client.placed_events() == []
    assert (await client.place()).status == 201


@pytest.mark.parametrize("body", ["{lines", b"\xff\xfe", "[" * 50_000])
async def test_a_malformed_body_is_400(client: Client, body: Any) -> None:
    answer = await client.place(body)

    assert (answer.status, answer.body["status"]) == (400, 400)


async def test_a_patient_customer_is_answered_with_the_code(client: Client) -> None:
    waiting = asyncio.create_task(client.place(prefer="wait=10"))
    while not client.placed_events():
        await asyncio.sleep(0.01)
    order = await client.order({"shop_id": SHOP, "id": client.placed_events()[0].order_id})
    await deliver(charged(order), orders=client.orders)

    answer = await waiting
    repeat = await client.place(prefer="wait=10")

    assert answer.headers["preference-applied"] == "wait"
    assert answer.body["pix"]["code"] == charged(order).pix_code
    assert (repeat.content, repeat.headers["idempotent-replayed"]) == (answer.content, "true")


@pytest.mark.parametrize(("prefer", "applied"), [("wait=0", "wait"), ("wait=x", None), ("a", None)])
async def test_an_impatient_customer_is_answered_at_once(
    client: Client, prefer: str, applied: str | None
) -> None:
    started = time.monotonic()

    answer = await client.place(prefer=prefer)

    assert time.monotonic() - started < 5  # Waiting would take ten.
    assert (answer.status, answer.body["pix"]) == (201, None)
    assert answer.headers.get("preference-applied") == applied


async def test_a_shop_whose_menu_has_not_arrived_asks_to_come_back(clock: Clock) -> None:
    async with opened(InMemoryOrders(clock=clock), clock=clock) as client:
        answer = await client.place()

    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
