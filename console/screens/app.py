"""The screens' service: `/loja/{shop}/...` for people, `/assets` for what their pages load."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp
import uvicorn
from fastapi import APIRouter, FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, RedirectResponse, Response

from comanda.clock import utc_now
from comanda.http_protocol import PatientProtocol
from comanda.ids import ShopId
from comanda.intake import Intake
from comanda.settings import read
from comanda.telemetry import configure_logging
from console.queues.caller import open_caller
from console.queues.processes import Processes, parse_urls
from console.queues.queues import Queues
from console.screens import (
    account,
    account_door,
    kiosk,
    kitchen,
    office_access,
    office_closing,
    office_menu,
    office_money,
    office_orders,
    office_privacy,
    office_staff,
    ops_acts,
    ops_letters,
    ops_orders,
    ops_replays,
    ops_simulator,
    ops_topology,
    order_page,
    password,
    sign_in,
)
from console.screens.board import Boards, Orders
from console.screens.browsers import Browsers, Teller
from console.screens.contexts import Call, Context, Contexts
from console.screens.customers import CustomerNeeded, to_the_door
from console.screens.doors import Desk, KnownShop, install
from console.screens.guarding import Guard
from console.screens.rendering import asset
from console.screens.sealing import Sealer
from console.screens.sessions import Sessions
from console.screens.settings import ScreensSettings, refuse_simulator_in_production
from console.screens.simulator import Simulator

Connect = Callable[[FastAPI], AbstractAsyncContextManager[None]]
ROOMS = (
    sign_in,
    password,
    kitchen,
    kiosk,
    order_page,
    account_door,
    account,
    office_orders,
    office_money,
    office_closing,
    office_menu,
    office_staff,
    office_privacy,
    office_access,
    ops_acts,
    ops_letters,
    ops_orders,
    ops_replays,
    ops_topology,
    ops_simulator,
)


# No sheet and no picture that the office may send is larger.
LARGEST_BODY = 1024 * 1024 + 16 * 1024
SERVING: Mapping[str, Any] = {
    "http": PatientProtocol,
    "access_log": False,
    "log_config": None,
    "timeout_graceful_shutdown": 5,
    "server_header": False,
    "proxy_headers": False,
    "ws": "none",
}


def build_app(
    shops: tuple[ShopId, ...], *, public_url: str, connect: Connect, proxies: int = 0
) -> FastAPI:
    """Make the app; `connect` sets `desk` on its state, `proxies` of ours stand before it."""
    app = FastAPI(lifespan=connect, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.shops = frozenset(shops)
    shop = APIRouter(prefix="/loja/{shop}")
    shop.add_api_route("", _front_door, methods=["GET"])
    for room in ROOMS:
        shop.include_router(room.router)
    app.include_router(shop)
    app.add_api_route("/assets/{digest}/{name}", _asset, methods=["GET"])
    app.add_api_route("/health/live", _live, methods=["GET"])
    app.add_api_route("/health/ready", _live, methods=["GET"])
    app.add_api_route("/metrics", _metrics, methods=["GET"])
    install(app)
    app.add_exception_handler(CustomerNeeded, to_the_door)
    app.add_middleware(Intake, largest=LARGEST_BODY)
    app.add_middleware(Guard, public_url=public_url)
    app.add_middleware(Browsers, proxies=proxies)
    return app


def desk_over(
    session: aiohttp.ClientSession,
    *,
    urls: Mapping[Context, str],
    keys: str,
    queues: Queues,
    processes: Mapping[str, str] | None = None,
    simulator_url: str = "",
    forwarding_keys: str = "",
    clock: Callable[[], datetime] | None = None,
) -> Desk:
    """Put the parts together."""
    teller = Teller(forwarding_keys, clock=clock or utc_now) if forwarding_keys else None
    contexts = Contexts(session, urls, tell=teller.headers if teller else None)
    sealer = Sealer(keys)

    async def board(shop: ShopId, token: str) -> Orders:
        call = Call(method="GET", context=Context.ORDERS, shop=shop, path="/board", token=token)
        orders: Orders = (await contexts.read(call))["orders"]
        return orders

    return Desk(
        contexts=contexts,
        sessions=Sessions(contexts, sealer=sealer, clock=clock or utc_now),
        boards=Boards(board),
        sealer=sealer,
        queues=queues,
        processes=Processes(session, processes or {}),
        simulator=Simulator(session, simulator_url) if simulator_url else None,
        clock=clock or utc_now,
        stopping=asyncio.Event(),
    )


def main() -> None:
    """Serve the screens until SIGTERM."""
    configure_logging("console")
    settings = read(ScreensSettings)
    refuse_simulator_in_production(settings)
    processes = parse_urls(settings.process_urls)
    queues = Queues(open_caller(), stage=settings.stage)
    urls = {
        Context.AUTH: settings.auth_url,
        Context.ORDERS: settings.orders_url,
        Context.CATALOG: settings.catalog_url,
        Context.PAYMENTS: settings.payments_url,
        Context.ARCHIVE: settings.archive_url,
    }

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session:
            app.state.desk = desk_over(
                session,
                urls=urls,
                keys=settings.console_keys,
                queues=queues,
                processes=processes,
                simulator_url=settings.simulator_url,
                forwarding_keys=settings.forwarding_keys,
            )
            yield
            if app.state.desk.simulator is not None:
                await app.state.desk.simulator.close()

    app = build_app(
        settings.shops,
        public_url=settings.public_url,
        connect=connect,
        proxies=settings.trusted_proxies,
    )
    config = uvicorn.Config(app, host=settings.http_host, port=settings.http_port, **SERVING)
    # uvicorn raises the signal once more when it is done, and whoever came first hears it then.
    signal.signal(signal.SIGTERM, _leave)
    _Server(config).run()


def _leave(*_: object) -> None:
    sys.exit(0)


class _Server(uvicorn.Server):
    """Ends streams as soon as it is told to stop; else it would wait for pages that never leave."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        app = self.config.app
        assert isinstance(app, FastAPI)  # We made it so; this tells mypy.
        app.state.desk.stopping.set()
        await super().shutdown(sockets)


async def _front_door(shop: KnownShop) -> Response:
    return RedirectResponse(f"/loja/{shop}/pedir", status_code=303)


async def _asset(name: str) -> Response:
    return await asyncio.to_thread(asset, name)


async def _live() -> Response:
    status: Mapping[str, Any] = {"status": "live"}
    return JSONResponse(status)


async def _metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
