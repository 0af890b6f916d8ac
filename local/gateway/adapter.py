"""Serve a Chalice app over ASGI, as API Gateway and Lambda would serve it.

A request becomes the event of a REST proxy integration; the app runs in a thread, as in its own
container; its answer becomes the response. Limits and refusals are API Gateway's own.
"""

import asyncio
import base64
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from local.gateway.event import HttpRequest, lambda_event
from local.gateway.routes import RouteTable

log = logging.getLogger(__name__)
PAYLOAD_LIMIT = 10 * 1024 * 1024
TIME_LIMIT_SECONDS = 29.0
THREADS = 16
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpResponse:
    """What goes back over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class LambdaContext:
    """What Lambda passes beside the event."""

    memory_limit_in_mb = "512"
    function_version = "$LATEST"

    def __init__(self, name: str, request_id: str) -> None:
        self.function_name = name
        self.invoked_function_arn = f"arn:aws:lambda:sa-east-1:000000000000:function:{name}"
        self.aws_request_id = request_id

    def get_remaining_time_in_millis(self) -> int:
        """Give what API Gateway leaves to an integration."""
        return int(TIME_LIMIT_SECONDS * 1000)


class ChaliceGateway:
    """One Chalice app as an ASGI application."""

    def __init__(self, app: Any, *, name: str, stage: str = "laptop") -> None:
        self._app = app
        self._name = name
        self._stage = stage
        self._routes = RouteTable(app.routes)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        if scope["path"] == "/health":
            await _respond(send, _message(200, "ready"))
            return
        body = await _body(receive)
        response = await self._answer(scope, body)
        await _respond(send, response)

    async def _answer(self, scope: Scope, body: bytes | None) -> HttpResponse:
        if body is None:
            return _message(413, "Request Too Long")
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
        found = self._routes.find(path, scope["method"])
        if found is None:
            # API Gateway answers so for any path or method that it does not know.
            return _message(403, "Missing Authentication Token")
        request = _request(scope, path=path, body=body)
        resource, parameters = found
        event = lambda_event(request, resource=resource, parameters=parameters, stage=self._stage)
        return await self._invoke(event, request.request_id)

    async def _invoke(self, event: dict[str, Any], request_id: str) -> HttpResponse:
        context = LambdaContext(self._name, request_id)
        loop = asyncio.get_running_loop()
        call = loop.run_in_executor(self._threads, self._app, event, context)
        try:
            answer = await asyncio.wait_for(asyncio.shield(call), TIME_LIMIT_SECONDS)
            return _response(answer)
        except TimeoutError:
            return _message(504, "Endpoint request timed out")
        except Exception:
            log.exception("the function failed", extra={"request_id": request_id})
            return _message(502, "Internal server error")


def _request(scope: Scope, *, path: str, body: bytes) -> HttpRequest:
    headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
    client = scope.get("client") or ("127.0.0.1", 0)
    return HttpRequest(
        method=scope["method"],
        path=path,
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        source_ip=client[0],
        request_id=str(uuid4()),
    )


def _response(answer: dict[str, Any]) -> HttpResponse:
    headers = [(k, str(v)) for k, v in (answer.get("headers") or {}).items()]
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        headers += [(name, str(value)) for value in values]
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return HttpResponse(status=int(answer["statusCode"]), headers=tuple(headers), body=content)


def _message(status: int, text: str) -> HttpResponse:
    return HttpResponse(
        status=status,
        headers=(("Content-Type", "application/json"),),
        body=json.dumps({"message": text}).encode(),
    )


async def _body(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if size > PAYLOAD_LIMIT:
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _respond(send: Send, response: HttpResponse) -> None:
    headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in response.headers]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
