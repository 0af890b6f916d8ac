"""Serve a Chalice app over ASGI, as API Gateway and Lambda would serve it.

A request becomes the event of a REST proxy integration; the app runs in a thread, as in its own
container; its answer becomes the response. Limits, refusals and the check of tokens are those of
API Gateway, set up by `gateway.json`.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from local.gateway.answer import HttpResponse, MalformedAnswer, response_of
from local.gateway.authorizer import Authorize, InvalidToken, KeysUnavailable, token_in
from local.gateway.event import HttpRequest, lambda_event
from local.gateway.refusals import refusal
from local.gateway.routes import RouteTable

log = logging.getLogger(__name__)
PAYLOAD_LIMIT = 10 * 1024 * 1024
TIME_LIMIT_SECONDS = 29.0
THREADS = 16
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class NotPlayedHere(Exception):
    """The app asks for an authorizer that this adapter would have to wave through."""


class ClientGone(Exception):
    """The client hung up before its request was whole."""


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
    """One Chalice app as an ASGI application; `documents` are JSON served beside it, by path."""

    def __init__(
        self,
        app: Any,
        *,
        name: str,
        stage: str = "laptop",
        authorize: Authorize | None = None,
        documents: Mapping[str, object] | None = None,
        time_limit: float = TIME_LIMIT_SECONDS,
    ) -> None:
        self._app = app
        self._name = name
        self._stage = stage
        self._time_limit = time_limit
        self._routes = RouteTable(app.routes)
        self._guarded = _guarded(app, can_check=authorize is not None)
        self._authorize = authorize
        served = {"/health": {"status": "ready"}, **(documents or {})}
        self._documents = {path: json.dumps(content).encode() for path, content in served.items()}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        try:
            response = await self._answer(scope, receive)
        except ClientGone:
            return
        await _respond(send, response, is_head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive) -> HttpResponse:
        document = self._documents.get(scope["path"])
        if document is not None and scope["method"] in ("GET", "HEAD"):
            json_type = (("Content-Type", "application/json"),)
            return HttpResponse(status=200, headers=json_type, body=document)
        body = await _body(receive)
        if body is None:
            return refusal("REQUEST_TOO_LARGE")
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
        found = self._routes.find(path, scope["method"])
        if found is None:
            return refusal("MISSING_AUTHENTICATION_TOKEN")
        request = _request(scope, path=path, body=body)
        resource, parameters = found
        event = lambda_event(request, resource=resource, parameters=parameters, stage=self._stage)
        if (resource, scope["method"]) in self._guarded:
            try:
                event["requestContext"]["authorizer"] = await self._claims(request)
            except InvalidToken:
                return refusal("UNAUTHORIZED")
            except KeysUnavailable:
                return refusal("INTEGRATION_FAILURE")
        return await self._invoke(event, request.request_id)

    async def _claims(self, request: HttpRequest) -> dict[str, Any]:
        assert self._authorize is not None  # Else the app would not have been taken.
        token = token_in(list(request.headers))
        loop = asyncio.get_running_loop()
        return {"claims": await loop.run_in_executor(self._threads, self._authorize, token)}

    async def _invoke(self, event: dict[str, Any], request_id: str) -> HttpResponse:
        context = LambdaContext(self._name, request_id)
        loop = asyncio.get_running_loop()
        call = loop.run_in_executor(self._threads, self._app, event, context)
        try:
            answer = await asyncio.wait_for(asyncio.shield(call), self._time_limit)
            return response_of(answer)
        except TimeoutError:
            return refusal("INTEGRATION_TIMEOUT")
        except MalformedAnswer:
            log.exception("the function's answer is none", extra={"request_id": request_id})
        except Exception:  # Whatever a function raises is a failed invocation, as in Lambda.
            log.exception("the function failed", extra={"request_id": request_id})
        return refusal("INTEGRATION_FAILURE")


def _guarded(app: Any, *, can_check: bool) -> frozenset[tuple[str, str]]:
    guarded = set()
    for path, methods in app.routes.items():
        for method, entry in methods.items():
            if entry.authorizer is None:
                continue
            if not can_check or type(entry.authorizer).__name__ != "CognitoUserPoolAuthorizer":
                raise NotPlayedHere(f"{method} {path}: {type(entry.authorizer).__name__}")
            guarded.add((path, method))
    return frozenset(guarded)


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


async def _body(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            # Half a body must never reach a function as if it were whole.
            raise ClientGone
        size += len(message.get("body", b""))
        if size > PAYLOAD_LIMIT:
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _respond(send: Send, response: HttpResponse, *, is_head: bool) -> None:
    headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in response.headers]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else response.body})
