"""Builders of the simulator's tests: one in this process, and a shop that hears it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from local.mercadopago.app import application
from local.mercadopago.applications import Application

SHOP, OTHER_SHOP = "lanchonete-da-ana", "cantina-do-beto"
TOKEN, OTHER_TOKEN = "APP_USR-SIM-1", "APP_USR-SIM-2"
SECRET = "local-sim-secret-0123456789abcdef"


def order_body(**changes: Any) -> dict[str, Any]:
    return {
        "type": "online",
        "processing_mode": "automatic",
        "external_reference": f"ref-{uuid4()}",
        "total_amount": "58.80",
        "payer": {"email": "ana@example.com"},
        "transactions": {"payments": [transaction()]},
        **changes,
    }


def transaction(**changes: Any) -> dict[str, Any]:
    return {
        "amount": "58.80",
        "expiration_time": "PT30M",
        "payment_method": {"id": "pix", "type": "bank_transfer"},
        **changes,
    }


def payment_body(**changes: Any) -> dict[str, Any]:
    return {
        "transaction_amount": 58.8,
        "payment_method_id": "pix",
        "external_reference": f"ref-{uuid4()}",
        "payer": {"email": "ana@example.com"},
        **changes,
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """One notification as the shop received it."""

    query: dict[str, str]
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def action(self) -> str:
        return str(self.body.get("action", ""))


class Shop:
    """A shop's door: it remembers what it heard, and answers what a test says."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.status = 200
        self.url = ""
        self._came = asyncio.Event()

    async def receive(self, request: web.Request) -> web.Response:
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        heard = Heard(query=dict(request.query), headers=headers, body=json.loads(raw or b"{}"))
        self.heard.append(heard)
        self._came.set()
        return web.Response(status=self.status)

    @property
    def actions(self) -> list[str]:
        return [heard.action for heard in self.heard]


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What the simulator answered."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """Give the code of a refusal from either envelope."""
        causes = self.body.get("errors") or self.body.get("cause")
        return str(causes[0]["code"]) if causes else str(self.body["error"])


class Bench:
    """A simulator and a shop, and short ways to talk to the first."""

    def __init__(self, session: aiohttp.ClientSession, *, url: str, shop: Shop) -> None:
        self._session = session
        self.url = url
        self.shop = shop

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "fresh",
        token: str | None = TOKEN,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Said:
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if key is not None:
            sent["X-Idempotency-Key"] = str(uuid4()) if key == "fresh" else key
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        async with self._session.request(
            method, self.url + path, data=raw, headers=sent, params=query
        ) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            content = json.loads(text) if is_json and text else text
            names = {name.lower(): value for name, value in answer.headers.items()}
            return Said(status=answer.status, body=content, headers=names)

    async def order(self, **changes: Any) -> dict[str, Any]:
        said = await self.call("POST", "/v1/orders", order_body(**changes))
        assert said.status == 201, said.body
        return dict(said.body)

    async def payment(self, **changes: Any) -> dict[str, Any]:
        said = await self.call("POST", "/v1/payments", payment_body(**changes))
        assert said.status == 201, said.body
        return dict(said.body)

    async def get_order(self, order_id: str) -> dict[str, Any]:
        return dict((await self.call("GET", f"/v1/orders/{order_id}")).body)

    async def get_payment(self, number: Any) -> dict[str, Any]:
        return dict((await self.call("GET", f"/v1/payments/{number}")).body)

    async def control(self, name: str, **body: Any) -> Said:
        return await self.call("POST", f"/_control/{name}", body, token=None, key=None)

    async def look(self, name: str, **query: Any) -> dict[str, Any]:
        said = await self.call("GET", f"/_control/{name}", token=None, key=None, **query)
        assert said.status == 200, said.body
        return dict(said.body)

    async def fault(self, kind: str, **changes: Any) -> str:
        said = await self.control("faults", kind=kind, **changes)
        assert said.status == 201, said.body
        return str(said.body["id"])

    async def paid_order(self, **changes: Any) -> dict[str, Any]:
        order = await self.order(**changes)
        assert (await self.control("pay", pix_code=code_of(order))).status == 200
        return await self.get_order(order["id"])

    async def paid_payment(self, **changes: Any) -> dict[str, Any]:
        payment = await self.payment(**changes)
        assert (await self.control("pay", id=str(payment["id"]))).status == 200
        return await self.get_payment(payment["id"])

    async def advance(self, *, minutes: float = 0, seconds: float = 0) -> None:
        said = await self.control("clock", advance_seconds=minutes * 60 + seconds)
        assert said.status == 200, said.body

    async def settled(self) -> list[Heard]:
        """Wait until nothing is due; give what the shop heard so far."""
        said = await self.control("settle", seconds=20)
        assert said.body["due"] == 0, said.body
        return list(self.shop.heard)

    async def truth(self, **query: Any) -> list[dict[str, Any]]:
        return list((await self.look("truth", shop=SHOP, **query))["charges"])


def code_of(order: dict[str, Any]) -> str:
    return str(order["transactions"]["payments"][0]["payment_method"]["qr_code"])


def words(order: dict[str, Any]) -> tuple[str, str]:
    return order["status"], order["status_detail"]


def applications(url: str, **changes: Any) -> list[Application]:
    return [
        Application(
            shop=shop,
            access_token=token,
            user_id=str(number),
            application_id=str(7_000 + number),
            webhook_secrets=(SECRET,),
            webhook_url=f"{url}/webhooks/mercadopago/{shop}?cliente=comanda",
            **changes,
        )
        for number, (shop, token) in enumerate(((SHOP, TOKEN), (OTHER_SHOP, OTHER_TOKEN)), start=42)
    ]


@asynccontextmanager
async def bench(folder: Path, **changes: Any) -> AsyncIterator[Bench]:
    """Run a simulator on `folder` with a clock that stands still, and a shop."""
    shop = Shop()
    door = web.Application()
    door.router.add_post("/webhooks/mercadopago/{shop}", shop.receive)
    async with serving(door) as shop.url:
        simulator = application(folder, applications(shop.url, **changes), seed="a test")
        async with serving(simulator) as url, aiohttp.ClientSession() as session:
            made = Bench(session, url=url, shop=shop)
            await made.control("clock", speed=0, retry_speed=1)
            yield made


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        assert runner.addresses
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def sim(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as sim:
        yield sim


async def create(sim: Bench, *, key: str = "k", **changes: Any) -> Any:
    body = order_body(external_reference="one", **changes)
    return await sim.call("POST", "/v1/orders", body, key=key)
