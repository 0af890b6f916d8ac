"""The simulator as a web application: the routes of both APIs, of the bank and of the controls."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from uuid import uuid4

from aiohttp import web

from local.mercadopago.applications import Application
from local.mercadopago.bank import Bank
from local.mercadopago.control import Control
from local.mercadopago.neighbour_api import NeighbourAPI
from local.mercadopago.orders_api import OrdersAPI
from local.mercadopago.payments_api import PaymentsAPI
from local.mercadopago.system import System

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BODY_LIMIT = 64 * 1024
_PAYMENT = "/v1/payments/{id}"


def application(
    folder: Path, applications: Sequence[Application], *, seed: str = "comanda"
) -> web.Application:
    """Make the server whose state lies in `folder`."""
    system = System(folder, applications, seed=seed)
    app = web.Application(middlewares=[_unknown_paths], client_max_size=BODY_LIMIT)
    app.add_routes(
        [
            *_orders(system),
            *_payments(system),
            *_neighbours(system),
            *Control(system).routes(),
            *Bank(system.provider).routes(),
            web.get("/health", _health),
        ]
    )

    async def live(_: web.Application) -> AsyncIterator[None]:
        await system.start()
        yield
        await system.stop()

    app.cleanup_ctx.append(live)
    return app


def _orders(system: System) -> list[web.RouteDef]:
    api = OrdersAPI(
        provider=system.provider,
        refunds=system.refunds,
        store=system.store,
        settings=system.settings,
    )
    admit = system.door.admit
    return [
        web.post("/v1/orders", admit("create", api.create, needs_key=True)),
        web.get("/v1/orders", admit("search", api.search)),
        web.get("/v1/orders/{id}", admit("get", api.get)),
        web.post("/v1/orders/{id}/process", admit("other", api.process, needs_key=True)),
        web.post("/v1/orders/{id}/cancel", admit("cancel", api.cancel, needs_key=True)),
        web.post("/v1/orders/{id}/refund", admit("refund", api.refund, needs_key=True)),
    ]


def _payments(system: System) -> list[web.RouteDef]:
    api = PaymentsAPI(
        provider=system.provider,
        refunds=system.refunds,
        store=system.store,
        settings=system.settings,
    )
    admit = system.door.admit
    return [
        web.post("/v1/payments", admit("create", api.create, needs_key=True)),
        web.get("/v1/payments/search", admit("search", api.search)),
        web.get(_PAYMENT, admit("get", api.get)),
        web.put(_PAYMENT, admit("cancel", api.cancel)),
        web.put(f"{_PAYMENT}/cancellations", admit("cancel", api.cancel_by_path)),
        web.post(f"{_PAYMENT}/refunds", admit("refund", api.refund, needs_key=True)),
        web.get(f"{_PAYMENT}/refunds", admit("refunds", api.refunds)),
        web.get(f"{_PAYMENT}/refunds/{{refund}}", admit("refunds", api.refund_of)),
    ]


def _neighbours(system: System) -> list[web.RouteDef]:
    api = NeighbourAPI(provider=system.provider, store=system.store)
    admit = system.door.admit
    codes = "/instore/orders/qr/seller/collectors/{user}/pos/{pos}/qrs"
    return [
        web.post(codes, admit("create", api.create_store_code)),
        web.put(codes, admit("create", api.create_store_code)),
        web.get("/merchant_orders/{id}", admit("other", api.merchant_order)),
        web.get("/v1/chargebacks/{id}", admit("other", api.chargeback)),
        web.get("/users/me", admit("other", api.account)),
        web.get("/v1/payment_methods", admit("other", api.payment_methods)),
    ]


@web.middleware
async def _unknown_paths(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as exc:
        if exc.content_type == "application/json":
            raise
        body = {"message": exc.reason, "error": exc.reason, "status": exc.status, "cause": []}
        headers = {"x-request-id": str(uuid4())}
        return web.json_response(body, status=exc.status, headers=headers)


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ready"})
