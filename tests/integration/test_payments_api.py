"""The API of payments over real HTTP, with the store in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI
from psycopg import OperationalError

from comanda.identity.verifier import Identity, InvalidToken, Kind
from comanda.ids import OrderId, ShopId
from tests.payments_builders import (
    ORDER,
    OTHER_SHOP,
    SHOP,
    Clock,
    Counter,
    cancelled,
    memory_counter,
    reserved,
)
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


@asynccontextmanager
async def opened(reader: Any) -> AsyncIterator[Client]:
    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        app.state.reader, app.state.verifier = reader, NamedTokens()
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


@pytest.fixture
async def counter() -> Counter:
    counter = memory_counter()
    await counter.deliver(reserved())
    await counter.paid()
    await counter.deliver(cancelled())
    return counter


@pytest.fixture
async def client(counter: Counter) -> AsyncIterator[Client]:
    async with opened(counter.reader) as client:
        yield client


async def test_the_charges_of_an_order_are_shown_without_code_or_payer(client: Client) -> None:
    status, body = await client.get(f"{BASE}/charges?order_id={ORDER}", token="kitchen")

    (charge,) = body["charges"]
    assert (status, charge["status"], charge["amount"]) == (200, "PAID", "58.80")
    assert not {"request", "pix_code", "receiver"} & set(charge)


async def test_totals_are_those_of_the_ledger(client: Client) -> None:
    status, body = await client.get(f"{BASE}/totals")

    assert (status, body) == (
        200,
        {"charges": 1, "by_status": {"PAID": 1}, "paid_total": "58.80", "open_cases": 1},
    )


async def test_open_cases_name_their_condition(client: Client) -> None:
    status, body = await client.get(f"{BASE}/cases")

    (case,) = body["cases"]
    assert (status, case["kind"], case["order_id"]) == (200, "paid_and_cancelled", ORDER)


async def test_the_notifications_of_a_resource_can_be_searched(
    client: Client, counter: Counter
) -> None:
    provider_id = (await counter.charge()).provider_id

    status, body = await client.get(f"{BASE}/notifications?resource_id={provider_id}")

    assert (status, [n["verdict"] for n in body["notifications"]]) == (200, ["applied"])


@pytest.mark.parametrize(
    ("path", "token", "expected"),
    [
        (f"{BASE}/totals", "", 401),
        (f"{BASE}/totals", "forged", 401),
        (f"{BASE}/totals", "guest", 403),
        (f"{BASE}/cases", "kitchen", 403),
        (f"{BASE}/totals", "theirs", 404),
        ("/apis/payments/no-such-shop/totals", "owner", 404),
        ("/apis/payments/NO/totals", "owner", 404),
        (f"{BASE}/charges", "owner", 422),
        (f"{BASE}/cases?limit=0", "owner", 422),
    ],
)
async def test_a_request_that_is_not_good_is_refused_with_a_problem(
    client: Client, path: str, token: str, expected: int
) -> None:
    status, problem = await client.get(path, token=token)

    assert (status, problem["status"]) == (expected, expected)


async def test_another_shops_staff_sees_only_its_own(client: Client) -> None:
    status, body = await client.get(f"/apis/payments/{OTHER_SHOP}/totals", token="theirs")

    assert (status, body["charges"], body["paid_total"]) == (200, 0, "0.00")


async def test_a_database_that_is_down_is_503() -> None:
    async with opened(BrokenPayments(clock=Clock())) as client:
        status, problem = await client.get(f"{BASE}/charges?order_id={ORDER}")
        ready, _ = await client.get("/health/ready", token="")

    assert (status, problem["status"], ready) == (503, 503, 503)
