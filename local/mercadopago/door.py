"""The door of both APIs: who calls, under which key, and what goes wrong on the way.

A request arrives as HTTP, becomes a `Call`, is answered by one function without waiting, in one
transaction together with the answer kept under its key, and leaves as HTTP; faults strike before
and after.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from aiohttp import web

from local.mercadopago import broken_answers
from local.mercadopago.applications import Application, Applications
from local.mercadopago.courier import Courier
from local.mercadopago.database import Database
from local.mercadopago.errors import Refused
from local.mercadopago.faults import Faults, Strike
from local.mercadopago.journal import Journal
from local.mercadopago.settings import Settings
from local.mercadopago.store import Store, StoredAnswer

LONGEST_KEY = 128
_REPLACING = ("unauthorized", "rate_limited", "error", "html", "drop_before")
_SPOILING = ("error_after", "truncated", "drop_after")


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request of an application."""

    application: Application
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    is_stale: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What is answered; `kept` is what the key will answer, if that is something else."""

    status: int
    content: Any
    sale_id: str = ""
    kept: Any = None


@dataclass(kw_only=True, slots=True)
class _Visit:
    """A request on its way through the door, and the faults that struck it."""

    request: web.Request
    operation: str
    application: Application
    raw: bytes
    struck: list[str]
    reference: str | None = None


Work = Callable[[Call], Answer]


class Door:
    """Let calls in, and answers out."""

    def __init__(
        self,
        *,
        applications: Applications,
        database: Database,
        store: Store,
        faults: Faults,
        settings: Settings,
        courier: Courier,
        journal: Journal,
    ) -> None:
        self._applications = applications
        self._database = database
        self._store = store
        self._faults = faults
        self._settings = settings
        self._courier = courier
        self._journal = journal
        self._in_flight: set[tuple[str, str]] = set()

    def admit(
        self, operation: str, work: Work, *, needs_key: bool = False
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Make a handler of HTTP from a function that answers calls."""

        async def handle(request: web.Request) -> web.StreamResponse:
            request_id = str(uuid4())
            struck: list[str] = []
            try:
                response = await self._visit(
                    request, operation, work, needs_key=needs_key, struck=struck
                )
            except Refused as exc:
                response = web.json_response(self._body(request, exc), status=exc.status)
            response.headers["x-request-id"] = request_id
            self._journal.add_request(
                method=request.method,
                path=request.path,
                status=response.status,
                request_id=request_id,
                faults=struck,
            )
            return response

        return handle

    async def _visit(
        self,
        request: web.Request,
        operation: str,
        work: Work,
        *,
        needs_key: bool,
        struck: list[str],
    ) -> web.StreamResponse:
        application = self._authorize(request)
        visit = _Visit(
            request=request,
            operation=operation,
            application=application,
            raw=await _read(request),
            struck=struck,
        )
        key = _key(request) if needs_key else None
        if self._faults:
            visit.reference = self._reference(visit)
            if (replaced := self._replaced(visit)) is not None:
                return replaced
        if key is None:
            return await self._work(visit, work, key=None)
        place = (application.shop, key)
        if place in self._in_flight:
            raise Refused(423 if _is_of_orders(request) else 409, "resource_locked")
        self._in_flight.add(place)
        try:
            return await self._work(visit, work, key=key)
        finally:
            self._in_flight.discard(place)

    async def _work(self, visit: _Visit, work: Work, *, key: str | None) -> web.StreamResponse:
        if not self._faults:
            answer = self._answer(visit, work, key=key)
            return web.json_response(answer.content, status=answer.status)
        await self._sleep("slow_before", visit)
        if visit.operation == "create" and self._strike("no_pix_key", visit):
            raise Refused(400, 13253, "Collector user without key enabled for QR render")
        answer = self._answer(visit, work, key=key)
        if visit.operation == "create" and self._strike("webhook_first", visit):
            await self._courier.tried(answer.sale_id)
        await self._sleep("slow", visit)
        return self._spoiled(visit, answer)

    def _answer(self, visit: _Visit, work: Work, *, key: str | None) -> Answer:
        is_stale = visit.operation in ("get", "search", "refunds") and bool(
            self._faults and self._strike("stale_read", visit)
        )
        call = Call(
            application=visit.application,
            path=visit.request.match_info,
            query=visit.request.query,
            headers=visit.request.headers,
            raw=visit.raw,
            is_stale=is_stale,
        )
        if key is None:
            return work(call)
        return self._once(visit, lambda: work(call), key=key)

    def _once(self, visit: _Visit, work: Callable[[], Answer], *, key: str) -> Answer:
        shop = visit.application.shop
        line = f"{visit.request.method} {visit.request.path}\n".encode()
        digest = hashlib.sha256(line + visit.raw).hexdigest()
        known = self._store.answer_of(shop, key)
        if known is not None:
            if known.digest != digest:
                raise Refused(409, "idempotency_key_already_used")
            is_payment = visit.request.path == "/v1/payments"
            status = 200 if is_payment else known.status
            return Answer(status=status, content=json.loads(known.answer))
        with self._database.transaction():
            answer = work()
            kept = answer.content if answer.kept is None else answer.kept
            status = answer.status if answer.kept is None else 201
            text = json.dumps(kept, separators=(",", ":"))
            self._store.keep_answer(
                shop, key, StoredAnswer(digest=digest, status=status, answer=text)
            )
        return answer

    def _authorize(self, request: web.Request) -> Application:
        header = request.headers.get("Authorization")
        if header is None:
            raise Refused(403, "pa_unauthorized_result_from_policies", "At least one policy failed")
        scheme, _, token = header.partition(" ")
        found = self._applications.of_token(token) if scheme == "Bearer" else None
        if found is None:
            raise _unauthorized(request)
        return found

    def _reference(self, visit: _Visit) -> str | None:
        name = visit.request.match_info.get("id")
        if name is not None:
            sale = self._store.find(name)
            return None if sale is None else sale.reference
        if visit.operation == "search":
            return visit.request.query.get("external_reference")
        try:
            found = json.loads(visit.raw).get("external_reference")
        except (ValueError, AttributeError, RecursionError):
            return None
        return found if isinstance(found, str) else None

    def _strike(self, kind: str, visit: _Visit) -> Strike | None:
        strike = self._faults.strike(
            kind,
            shop=visit.application.shop,
            reference=visit.reference,
            operation=visit.operation,
        )
        if strike is not None:
            visit.struck.append(kind)
        return strike

    async def _sleep(self, kind: str, visit: _Visit) -> None:
        strike = self._strike(kind, visit)
        if strike is not None:
            await asyncio.sleep(strike.number)

    def _replaced(self, visit: _Visit) -> web.StreamResponse | None:
        for kind in _REPLACING:
            strike = self._strike(kind, visit)
            if strike is None:
                continue
            if kind == "unauthorized":
                raise _unauthorized(visit.request)
            if kind == "drop_before":
                return broken_answers.cut(visit.request)
            if kind == "html":
                return broken_answers.page(int(strike.number))
            if kind == "error":
                return broken_answers.outage(int(strike.number))
            return broken_answers.rate_limited(strike.text)
        return None

    def _spoiled(self, visit: _Visit, answer: Answer) -> web.StreamResponse:
        for kind in _SPOILING:
            strike = self._strike(kind, visit)
            if strike is None:
                continue
            if kind == "drop_after":
                return broken_answers.cut(visit.request)
            if kind == "error_after":
                return broken_answers.outage(int(strike.number))
            return broken_answers.truncated(answer.content, status=answer.status)
        return web.json_response(answer.content, status=answer.status)

    def _body(self, request: web.Request, refused: Refused) -> dict[str, object]:
        is_plain = self._settings.switches.error_envelope == "orders"
        if _is_of_orders(request) and is_plain:
            return refused.order_body
        return refused.payment_body


async def _read(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as exc:
        raise Refused(413, 1, "the body is too large") from exc


def _key(request: web.Request) -> str:
    key = request.headers.get("X-Idempotency-Key", "")
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        if _is_of_orders(request):
            raise Refused(400, "empty_required_header", "X-Idempotency-Key: 1 to 128 characters")
        raise Refused(400, 4292, "Header X-Idempotency-Key can't be null")
    return key


def _is_of_orders(request: web.Request) -> bool:
    return request.path.startswith("/v1/orders")


def _unauthorized(request: web.Request) -> Refused:
    if _is_of_orders(request):
        return Refused(401, "invalid_credentials")
    return Refused(401, "unauthorized", "invalid_token")
