"""The screens over real HTTP, before scripted contexts that count what they are asked."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
import uvicorn
from aiohttp import web
from cryptography.fernet import Fernet
from fastapi import FastAPI

from comanda.ids import ShopId
from console.queues.caller import open_caller
from console.queues.queues import Queues
from console.screens.app import build_app, desk_over
from console.screens.contexts import Context
from console.screens.doors import Desk

SHOP, OTHER_SHOP = ShopId("cantina"), ShopId("lanchonete")
PASSWORD = "segredo-bem-longo"
KEYS = Fernet.generate_key().decode()
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
STAFF = {"cook": ["kitchen"], "boss": ["owner"], "chief": ["manager"]}
MENU = [
    {
        "id": "x-salada",
        "name": "X-Salada",
        "category": "MEAL",
        "price": "24.90",
        "is_available": True,
        "description": "Pão, carne & queijo",
    },
    {
        "id": "fora",
        "name": "</script><script>alert(1)</script>",
        "category": "DRINK",
        "price": "1234.56",
        "is_available": False,
    },
]


def jwt(username: str, groups: list[str], *, serial: int) -> str:
    """Make what looks like a token; only the contexts verify signatures."""
    parts = [
        {"alg": "RS256", "kid": "k1"},
        {"username": username, "cognito:groups": groups, "serial": serial},
    ]
    coded = (base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts)
    return ".".join([*coded, "signature"])


def an_order(number: int = 1, *, status: str = "RECEIVED", **changes: Any) -> dict[str, Any]:
    """Make an order as the API of orders shows it."""
    return {
        "id": str(UUID(int=number)),
        "shop_id": str(SHOP),
        "call_number": number,
        "status": status,
        "status_label": status.title(),
        "service": "dine_in",
        "name": "",
        "total": "49.80",
        "lines": [
            {
                "product_id": "x-salada",
                "name": "X-Salada",
                "quantity": 2,
                "unit_price": "24.90",
                "options": [],
                "notes": "",
            }
        ],
        "pix": None,
        "reason": None,
        "placed_at": NOW.isoformat(),
        "paid_at": None if status == "PENDING_PAYMENT" else NOW.isoformat(),
        "waiting_seconds": 60,
        "history": [],
        "notices": [],
        "version": 1,
        **changes,
    }


@dataclass(kw_only=True)
class ScriptedContexts:
    """All four contexts; `down` names those that answer 503."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    bodies: list[tuple[str, Any]] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    refusal: tuple[int, dict[str, Any]] | None = None
    revoked: bool = False
    answers: dict[str, Any] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    serial: int = 0

    def put(self, order: dict[str, Any]) -> dict[str, Any]:
        """Keep an order."""
        self.orders[order["id"]] = order
        return order

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        context, _, rest = request.path.removeprefix("/apis/").partition("/")
        path = rest.partition("/")[2]
        name = f"{request.method} {context} {path}"
        self.asked[name] += 1
        raw = await request.read()
        body = json.loads(raw) if raw else None
        self.bodies.append((name, body))
        if name in self.statuses:
            return web.json_response({"title": "scripted"}, status=self.statuses[name])
        if context in self.down:
            return web.json_response({"title": "down"}, status=503)
        if name in self.answers:
            return web.json_response(self.answers[name])
        if name == "POST archive acts":
            return web.json_response({"id": "act"}, status=201)
        if name == "POST archive acts/act/end":
            return web.Response(status=204)
        if context == "auth":
            return self._auth(path, body)
        if name == "GET catalog menu":
            return web.json_response({"products": MENU})
        return self._orders(request, path)

    def _auth(self, path: str, body: Any) -> web.Response:
        self.serial += 1
        if path == "guests":
            token = jwt(f"guest-{self.serial}", [], serial=self.serial)
            return web.json_response({"access_token": token, "expires_in": 7200}, status=201)
        if path == "tokens/revoke":
            return web.Response(status=204)
        if path == "tokens/refresh":
            if self.revoked or not body["refresh_token"].startswith("refresh-"):
                return web.json_response({"title": "no"}, status=401)
            username = body["refresh_token"].split("-")[1]
            return self._tokens(username)
        if body["username"] not in STAFF or body["password"] != PASSWORD:
            return web.json_response({"title": "Sign-in refused"}, status=401)
        return self._tokens(body["username"])

    def _tokens(self, username: str) -> web.Response:
        return web.json_response(
            {
                "access_token": jwt(username, STAFF[username], serial=self.serial),
                "refresh_token": f"refresh-{username}-{self.serial}",
                "expires_in": 900,
            }
        )

    def _orders(self, request: web.Request, path: str) -> web.Response:
        token = request.headers.get("Authorization", "")
        if self.refusal is not None and request.method == "POST":
            status, problem = self.refusal
            return web.json_response(problem, status=status)
        if path == "board":
            shown = [o for o in self.orders.values() if o["status"] != "COMPLETED"]
            return web.json_response({"orders": shown})
        if path == "orders":
            placed = self.put(an_order(len(self.orders) + 1, status="PENDING_PAYMENT"))
            self.owners[placed["id"]] = token
            return web.json_response(placed, status=201)
        order = self.orders.get(path.split("/")[1]) if "/" in path else None
        owner = self.owners.get(order["id"]) if order else None
        if order is None or (owner is not None and owner != token):
            return web.json_response({"title": "There is no such order"}, status=404)
        steps = {"start": "IN_PREPARATION", "ready": "READY", "complete": "COMPLETED"}
        if path.endswith("/stream"):
            text = f"retry: 1000\n\nid: {order['version']}\ndata: {json.dumps(order)}\n\n: beat\n\n"
            return web.Response(text=text, content_type="text/event-stream")
        if request.method == "POST":
            order["status"] = steps[path.split("/")[2]]
            order["version"] += 1
        return web.json_response(order)


@dataclass(kw_only=True)
class Bed:
    """The screens that are served, and what stands behind them."""

    contexts: ScriptedContexts
    desk: Desk
    url: str
    clock: "Clock"

    @asynccontextmanager
    async def browser(self, *, same_origin: bool = True) -> AsyncIterator[aiohttp.ClientSession]:
        """Open a browser's session: cookies, and where its requests come from."""
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=self.url)
        site = "same-origin" if same_origin else "cross-site"
        async with aiohttp.ClientSession(
            self.url, cookie_jar=jar, headers={"Sec-Fetch-Site": site}
        ) as session:
            yield session


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def tick(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


async def sign_in(
    session: aiohttp.ClientSession, username: str = "cook", *, target: str = ""
) -> aiohttp.ClientResponse:
    """Type a name and the password."""
    form = {"usuario": username, "senha": PASSWORD, "para": target}
    return await session.post(f"/loja/{SHOP}/entrar", data=form, allow_redirects=False)


async def csrf_of(session: aiohttp.ClientSession, path: str = "equipe") -> str:
    """Read the token of the session's forms."""
    async with session.get(f"/loja/{SHOP}/{path}") as got:
        text = await got.text()
    return text.partition('name="csrf" content="')[2].partition('"')[0]


@asynccontextmanager
async def opened(
    queues: Queues | None = None,
    *,
    processes: Mapping[str, str] | None = None,
    simulator_url: str = "",
) -> AsyncIterator[Bed]:
    """Serve the scripted contexts and the screens before them."""
    contexts, clock = ScriptedContexts(), Clock()
    queues = queues or Queues(open_caller("http://127.0.0.1:1"), stage="test")
    behind = web.Application()
    behind.router.add_route("*", "/{path:.*}", contexts.answer)
    runner = web.AppRunner(behind, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        desk = desk_over(
            session,
            urls=dict.fromkeys(Context, base),
            keys=KEYS,
            clock=clock,
            queues=queues,
            processes=processes,
            simulator_url=simulator_url,
        )

        @asynccontextmanager
        async def connect(app: FastAPI) -> AsyncIterator[None]:
            app.state.desk = desk
            yield

        app = build_app((SHOP, OTHER_SHOP), public_url="http://public", connect=connect)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
        server.config.timeout_graceful_shutdown = 1
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Bed(contexts=contexts, desk=desk, url=f"http://127.0.0.1:{port}", clock=clock)
        server.should_exit = True
        await serving
    await runner.cleanup()
