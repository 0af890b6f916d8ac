"""A short way in for DynamoDB: its calls, most of all calls, skip ministack's routing.

ministack finds out for each request which of a hundred services is meant; a DynamoDB call says so
in one header. Everything else takes the long way. `POST /_control/dynamodb` lets it misbehave.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.core.router import extract_access_key_id, extract_region

from local.ministack.faults import PATH, StoreFaults
from local.ministack.tables import Handler

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class DynamoDoor:
    """ASGI: the calls of DynamoDB to `handle`, the rest to `app`."""

    def __init__(self, app: App, *, handle: Handler) -> None:
        self._app = app
        self._handle = handle
        self._faults = StoreFaults()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope.get("headers", ())}
        if not headers.get("x-amz-target", "").startswith("DynamoDB_2"):
            if scope.get("path") == PATH:
                await _answer(send, *self._faults.configure(await _body(receive) or b""))
                return
            await self._app(scope, receive, send)
            return
        set_request_account_id(extract_access_key_id(headers, {}))
        set_request_region(extract_region(headers, {}))
        body = await _body(receive)
        if body is None:
            return
        status, answer = await self._serve(headers, body)
        await _answer(send, status, answer)

    async def _serve(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        action = headers["x-amz-target"].rpartition(".")[2]
        if self._faults.are_on and (instead := self._faults.before(action, body)):
            return instead
        status, _, answer = await self._handle("POST", "/", headers, body, {})
        if self._faults.are_on and (instead := self._faults.after()):
            return instead
        return status, answer


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/x-amz-json-1.0"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", str(uuid4()).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes | None:
    """Read the body; `None` when the caller went away before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
