"""The routes: the Orders API, the bank, and the simulator's own controls under `/__sim/`."""

import base64
import hashlib
import io
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import segno
from aiohttp import web

from local.mercadopago import bank
from local.mercadopago.brcode import InvalidBRCode, parse
from local.mercadopago.errors import Refused
from local.mercadopago.orders import CANCELED, PAID, Order, answer, new_order
from local.mercadopago.requests import read
from local.mercadopago.store import Store
from local.mercadopago.webhooks import Application, Courier, new_delivery

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BODY_LIMIT = 64 * 1024


class Simulator:
    """Play Mercado Pago for a few applications."""

    def __init__(self, store: Store, applications: Sequence[Application]) -> None:
        self._store = store
        self._applications = {a.access_token: a for a in applications}
        self._courier = Courier(store, find=self._applications.__getitem__)

    def application(self) -> web.Application:
        """Make the server."""
        app = web.Application(middlewares=[_refusals], client_max_size=BODY_LIMIT)
        app.add_routes(
            [
                web.post("/v1/orders", self.create),
                web.get("/v1/orders", self.search),
                web.get("/v1/orders/{id}", self.show),
                web.post("/v1/orders/{id}/cancel", self.cancel),
                web.post("/__sim/pay", self.pay),
                web.post("/__sim/redeliver", self.redeliver),
                web.get("/__sim/totals", self.totals),
                web.get("/bank", self.look_at_bank),
                web.post("/bank", self.pay_at_bank),
                web.get("/health", _health),
            ]
        )
        app.cleanup_ctx.append(self._life)
        return app

    async def _life(self, _: web.Application) -> Any:
        await self._courier.start()
        yield
        await self._courier.stop()

    async def create(self, request: web.Request) -> web.Response:
        """Create an order; the same key and bytes give the same order."""
        application, key = self._authorize(request), _key(request)
        raw = await request.read()
        digest = hashlib.sha256(raw).hexdigest()
        known = self._store.by_key.get((application.access_token, key))
        if known is not None:
            if known.digest != digest:
                raise Refused(409, "idempotency_key_already_used")
            return self._answer(known, application, status=201)
        wanted = read(_json(raw))
        token = application.access_token
        order = new_order(wanted, token=token, key=key, digest=digest, now=_now())
        self._announce(order, "order.action_required")
        return self._answer(order, application, status=201)

    async def show(self, request: web.Request) -> web.Response:
        """Read an order; with `X-Render-Image: true` its QR code is drawn, too."""
        application = self._authorize(request)
        order = self._find(request, application)
        is_drawn = request.headers.get("X-Render-Image") == "true"
        image = _png(order.pix_code) if is_drawn else ""
        return self._answer(order, application, image=image)

    async def search(self, request: web.Request) -> web.Response:
        """Find orders by reference within two dates."""
        application = self._authorize(request)
        for name in ("begin_date", "end_date"):
            if name not in request.query:
                raise Refused(400, "required_properties", f"{name} is required")
        reference = request.query.get("external_reference")
        begin, end = request.query["begin_date"], request.query["end_date"]
        found = [
            _json_of(order, application)
            for order in self._store.orders.values()
            if order.token == application.access_token
            and reference in (None, order.reference)
            and begin <= order.created_at <= end
        ]
        page = {"total": str(len(found)), "total_pages": "1", "offset": "0", "limit": "100"}
        return web.json_response({"data": found[:100], "paging": page})

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel an order that waits."""
        application = self._authorize(request)
        _key(request)
        order = self._find(request, application)
        if not order.is_waiting:
            is_canceled = (order.status, order.detail) == CANCELED
            raise Refused(409, "order_already_canceled" if is_canceled else "cannot_cancel_order")
        order.become(CANCELED, now=_now())
        self._announce(order, "order.canceled")
        return self._answer(order, application)

    async def pay(self, request: web.Request) -> web.Response:
        """Pay as a bank would: the code alone says how much and to whom."""
        code = _json(await request.read()).get("pix_code")
        status, content = self._pay(code if isinstance(code, str) else "")
        return web.json_response(content, status=status)

    async def redeliver(self, request: web.Request) -> web.Response:
        """Send the last notification of an order once more."""
        order = self._store.orders.get(str(_json(await request.read()).get("order_id")))
        if order is None:
            raise Refused(404, "order_not_found")
        self._announce(order, "order.processed" if order.paid_at else "order.action_required")
        return web.json_response({"order_id": order.id})

    async def totals(self, _: web.Request) -> web.Response:
        """Sum up what was ordered and paid, by shop."""
        return web.json_response(
            {
                a.shop: _totals([o for o in self._store.orders.values() if o.token == token])
                for token, a in self._applications.items()
            }
        )

    async def look_at_bank(self, request: web.Request) -> web.Response:
        """Show the bank's page."""
        code = request.query.get("code", "").strip()
        return web.Response(text=bank.page(code), content_type="text/html")

    async def pay_at_bank(self, request: web.Request) -> web.Response:
        """Pay what the page shows."""
        form = await request.post()
        status, content = self._pay(str(form.get("code", "")).strip())
        message = "Pago!" if status == 200 else str(content["error"])
        return web.Response(text=bank.page(message=message), content_type="text/html")

    def _pay(self, code: str) -> tuple[int, dict[str, Any]]:
        try:
            parse(code)
        except InvalidBRCode as exc:
            return 422, {"error": str(exc)}
        order = self._store.by_code.get(code)
        if order is None:
            return 404, {"error": "nobody waits for this code"}
        self._expire(order)
        if not order.is_waiting:
            return 409, {"error": f"this order is {order.status}", "order_id": order.id}
        order.become(PAID, now=_now())
        self._announce(order, "order.processed")
        return 200, {"order_id": order.id, "amount": order.amount, "paid_at": order.paid_at}

    def _announce(self, order: Order, action: str) -> None:
        delivery = new_delivery(order, action)
        self._store.save(order, delivery)
        self._courier.carry(delivery)

    def _authorize(self, request: web.Request) -> Application:
        header = request.headers.get("Authorization")
        if header is None:
            raise Refused(403, "pa_unauthorized_result_from_policies")
        application = self._applications.get(header.removeprefix("Bearer "))
        if application is None:
            raise Refused(401, "invalid_credentials")
        return application

    def _find(self, request: web.Request, application: Application) -> Order:
        order = self._store.orders.get(request.match_info["id"])
        if order is None or order.token != application.access_token:
            raise Refused(404, "order_not_found")
        self._expire(order)
        return order

    def _expire(self, order: Order) -> None:
        if order.expire(now=_now()):
            self._announce(order, "order.expired")

    def _answer(
        self, order: Order, application: Application, *, status: int = 200, image: str = ""
    ) -> web.Response:
        return web.json_response(_json_of(order, application, image=image), status=status)


def _json_of(order: Order, application: Application, *, image: str = "") -> dict[str, Any]:
    return answer(
        order,
        user_id=application.user_id,
        application_id=application.application_id,
        image=image,
    )


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except Refused as exc:
        response = web.json_response(exc.body, status=exc.status)
    response.headers["x-request-id"] = str(uuid4())
    return response


def _key(request: web.Request) -> str:
    key = request.headers.get("X-Idempotency-Key", "")
    if not 1 <= len(key) <= 128:
        raise Refused(400, "empty_required_header", "X-Idempotency-Key is required")
    return key


def _json(raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise Refused(400, "json_syntax_error") from exc
    if not isinstance(content, dict):
        raise Refused(400, "property_type", "an object is needed")
    return content


def _totals(orders: Sequence[Order]) -> dict[str, Any]:
    paid = [Decimal(order.amount) for order in orders if order.paid_at]
    total = sum(paid, Decimal("0.00"))
    return {"orders": len(orders), "paid": len(paid), "paid_total": f"{total:.2f}"}


def _png(code: str) -> str:
    image = io.BytesIO()
    segno.make(code, error="m", boost_error=False).save(image, kind="png", scale=10, border=4)
    return base64.b64encode(image.getvalue()).decode()


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ready"})


def _now() -> datetime:
    return datetime.now(UTC)
