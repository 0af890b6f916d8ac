"""The API of orders over real HTTP and with really signed tokens, with the store in memory."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import aiohttp
import pytest
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from jose import jwk, jwt

from comanda.events import OrderCompleted, OrderPlaced, OrderReady, OrderStarted
from comanda.identity.verifier import Kind, TokenVerifier, TrustedIssuer
from comanda.ids import ShopId
from tests.orders_builders import (
    NOW,
    OTHER_SHOP,
    SHOP,
    Clock,
    approved,
    changed,
    charged,
    deliver,
    failed,
)
from workers.orders.api import build_app
from workers.orders.claims import LEASE, Claim, ClaimKey
from workers.orders.floor import Floor
from workers.orders.memory import InMemoryOrders
from workers.orders.model import Order

BASE = f"/apis/orders/{SHOP}"
ORDERS = f"{BASE}/orders"
GUEST, OTHER_GUEST = f"guest:{UUID(int=1)}", f"guest:{UUID(int=2)}"
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


@asynccontextmanager
async def opened(orders: InMemoryOrders, *, clock: Clock) -> AsyncIterator[Client]:
    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        app.state.floor = Floor(orders, desk=orders, clock=clock)
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
        {"product_id": "pastel", "name": "Pastel", "quantity": 2, "unit_price": "12.50"}
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


@pytest.mark.parametrize("body", ["{lines", b"\xff\xfe", "[" * 100_000])
async def test_a_malformed_body_is_400(client: Client, body: Any) -> None:
    answer = await client.place(body)

    assert (answer.status, answer.body["status"]) == (400, 400)


@pytest.mark.parametrize("path", ["orders", "board", "totals"])
async def test_without_a_token_it_is_401(client: Client, path: str) -> None:
    method = "POST" if path == "orders" else "GET"

    answer = await client.ask(method, f"{BASE}/{path}", json=BODY)

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_of_another_shop_and_an_unknown_shop_find_nothing(client: Client) -> None:
    other = await client.place(headers=guest(shop=OTHER_SHOP))
    unknown = await client.get("/apis/orders/nowhere/board", headers=crew())
    senseless = await client.get("/apis/orders/X/board", headers=crew())

    assert (other.status, unknown.status, senseless.status) == (404, 404, 404)


async def test_staff_do_not_order_and_guests_do_not_run_the_kitchen(client: Client) -> None:
    order = (await client.place()).body

    by_staff = await client.place(headers=crew())
    board = await client.get(f"{BASE}/board", headers=guest())
    start = await client.ask("POST", f"{ORDERS}/{order['id']}/start", headers=guest())
    owner = await client.ask("POST", f"{ORDERS}/{order['id']}/start", headers=crew("owner"))

    assert [a.status for a in (by_staff, board, start, owner)] == [403, 403, 403, 403]


async def test_another_customers_order_is_404_and_staff_see_it(client: Client) -> None:
    order = (await client.place()).body
    path = f"{ORDERS}/{order['id']}"

    mine = await client.get(path, headers=guest())
    theirs = await client.get(path, headers=guest(OTHER_GUEST))
    staff = await client.get(path, headers=crew())
    unknown = await client.get(f"{ORDERS}/{UUID(int=9)}", headers=guest())
    senseless = await client.get(f"{ORDERS}/x%23y", headers=guest())

    assert (mine.status, staff.status) == (200, 200)
    assert (theirs.status, unknown.status, senseless.status) == (404, 404, 404)
    assert theirs.body == unknown.body
    assert staff.body["refused_transitions"] == []
    assert "refused_transitions" not in mine.body


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

    assert time.monotonic() - started < 1
    assert (answer.status, answer.body["pix"]) == (201, None)
    assert answer.headers.get("preference-applied") == applied


async def test_the_code_is_drawn_while_it_can_be_paid(client: Client) -> None:
    body = (await client.place()).body
    path = f"{ORDERS}/{body['id']}/pix.svg"
    order = await client.order(body)

    early = await client.get(path, headers=guest())
    await deliver(charged(order), orders=client.orders)
    drawn = await client.get(path, headers=guest())
    foreign = await client.get(path, headers=guest(OTHER_GUEST))
    await deliver(failed(order), orders=client.orders)
    late = await client.get(path, headers=guest())

    assert [a.status for a in (early, drawn, foreign, late)] == [404, 200, 404, 404]
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert b"<svg" in drawn.content


async def test_the_kitchen_takes_an_order_to_the_end(client: Client) -> None:
    body = (await client.place()).body
    path = f"{ORDERS}/{body['id']}"
    too_early = await client.ask("POST", f"{path}/start", headers=crew())
    await deliver(approved(await client.order(body)), orders=client.orders)

    board = await client.get(f"{BASE}/board", headers=crew("owner"))
    steps = [
        await client.ask("POST", f"{path}/{step}", headers=crew())
        for step in ("start", "start", "complete", "ready", "complete")
    ]
    empty = await client.get(f"{BASE}/board", headers=crew())

    assert too_early.status == 409
    assert too_early.headers["content-type"] == "application/problem+json"
    assert [o["id"] for o in board.body["orders"]] == [body["id"]]
    assert [s.status for s in steps] == [200, 409, 409, 200, 200]
    assert (steps[-1].body["status"], steps[-1].body["status_label"]) == ("COMPLETED", "Finalizado")
    assert empty.body == {"orders": []}
    kinds = [type(e.event) for e in client.orders.published][-3:]
    assert kinds == [OrderStarted, OrderReady, OrderCompleted]


@pytest.mark.parametrize("order_id", [str(UUID(int=9)), "senseless"])
async def test_a_step_of_an_unknown_order_is_404(client: Client, order_id: str) -> None:
    answer = await client.ask("POST", f"{ORDERS}/{order_id}/start", headers=crew())

    assert answer.status == 404


async def test_totals_add_up_and_count_what_was_refused(client: Client) -> None:
    paid = await client.order((await client.place(key="1")).body)
    await client.place(key="2")
    await deliver(approved(paid), orders=client.orders)
    await deliver(failed(paid), orders=client.orders)

    totals = (await client.get(f"{BASE}/totals", headers=crew("manager"))).body
    seen = (await client.get(f"{ORDERS}/{paid.id}", headers=crew("manager"))).body

    assert (totals["orders"], totals["paid_total"]) == (2, "25.00")
    assert (totals["by_status"]["RECEIVED"], totals["by_status"]["PENDING_PAYMENT"]) == (1, 1)
    assert totals["refused_transitions"] == 1
    assert seen["refused_transitions"][0]["name"] == "IllegalTransition"


async def test_a_store_that_is_down_is_503_and_loses_nothing(client: Client) -> None:
    order = (await client.place(key="before")).body
    client.orders.is_down = True

    answers = [
        await client.place(key="during"),
        await client.get(f"{ORDERS}/{order['id']}", headers=guest()),
        await client.get(f"{BASE}/board", headers=crew()),
        await client.get(f"{BASE}/totals", headers=crew()),
        await client.ask("POST", f"{ORDERS}/{order['id']}/start", headers=crew()),
        await client.get("/health/ready"),
    ]
    client.orders.is_down = False
    again = await client.place(key="during")

    assert {a.status for a in answers} == {503}
    assert all(int(a.headers["retry-after"]) > 0 for a in answers)
    assert again.status == 201
    assert len(client.placed_events()) == 2


async def test_a_shop_whose_menu_has_not_arrived_asks_to_come_back(clock: Clock) -> None:
    async with opened(InMemoryOrders(clock=clock), clock=clock) as client:
        answer = await client.place()

    assert (answer.status, answer.headers["retry-after"]) == (503, "2")


async def test_the_api_describes_itself(client: Client) -> None:
    paths = (await client.get("/apis/orders/openapi.json")).body["paths"]

    prefix = "/apis/orders/{shop}"
    assert set(paths) == {
        prefix + tail
        for tail in (
            "/orders",
            "/orders/{order_id}",
            "/orders/{order_id}/pix.svg",
            "/orders/{order_id}/start",
            "/orders/{order_id}/ready",
            "/orders/{order_id}/complete",
            "/board",
            "/totals",
        )
    }
