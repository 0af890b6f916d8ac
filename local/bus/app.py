"""The bus as an ASGI application: one path, two protocols, told apart by their headers."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from local.bus.errors import AwsError
from local.bus.wire_sns import SnsWire, error_xml
from local.bus.wire_sqs import SqsWire
from local.bus.world import World

REQUEST_LIMIT = 3 * 1024 * 1024
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
JSON = b"application/x-amz-json-1.0"


class Bus:
    """Answer SDKs at `/`, and people and tests at `/health` and `/__bus/`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sqs = SqsWire(world)
        self._sns = SnsWire(world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        if scope["method"] == "GET":
            status, content = self._look(scope["path"], scope["query_string"].decode())
            await _respond(send, status, JSON, content)
            return
        headers = dict(scope["headers"])
        body = await _body(receive)
        target = headers.get(b"x-amz-target", b"").decode("latin-1")
        if target.startswith("AmazonSQS."):
            base = f"http://{headers.get(b'host', b'127.0.0.1').decode('latin-1')}"
            await self._answer_sqs(send, target.removeprefix("AmazonSQS."), body, base=base)
        else:
            await self._answer_sns(send, body)

    async def _answer_sqs(self, send: Send, action: str, body: bytes | None, *, base: str) -> None:
        try:
            answer = await self._sqs.handle(action, _json(body), base)
            status, content = 200, json.dumps(answer).encode()
            error = None
        except AwsError as exc:
            status, error = exc.status, exc
            content = json.dumps(
                {"__type": f"com.amazonaws.sqs#{exc.code}", "message": exc.message}
            ).encode()
        self._flush()
        await _respond(send, status, JSON, content, error=error)

    async def _answer_sns(self, send: Send, body: bytes | None) -> None:
        try:
            form = _form(body)
            content, status = self._sns.handle(form.get("Action", ""), form), 200
        except AwsError as exc:
            content, status = error_xml(exc), exc.status
        self._flush()
        await _respond(send, status, b"text/xml", content.encode())

    def _flush(self) -> None:
        if self._world.log is not None:
            self._world.log.flush()

    def _look(self, path: str, query: str) -> tuple[int, bytes]:
        if path == "/health":
            return 200, b'{"status":"ready"}'
        if path == "/__bus/queues":
            depths = {name: queue.counts() for name, queue in self._world.queues.items()}
            return 200, json.dumps(depths).encode()
        if path == "/__bus/journal" and self._world.log is not None:
            limit = dict(parse_qsl(query)).get("limit", "100")
            recent = list(self._world.log.recent)
            return 200, json.dumps(recent[-int(limit) if limit.isdigit() else -100 :]).encode()
        return 404, b"{}"


def _json(body: bytes | None) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}") if body is not None else None
    except (ValueError, RecursionError) as exc:
        raise AwsError("SerializationException", "the body is not JSON") from exc
    if not isinstance(request, dict):
        raise AwsError("SerializationException", "the body is not a JSON object, or too long")
    return request


def _form(body: bytes | None) -> dict[str, str]:
    if body is None:
        raise AwsError("RequestEntityTooLarge", "the body is too long", status=413)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=2000))
    except ValueError as exc:
        raise AwsError("MalformedQueryString", "the body is not a form") from exc


async def _body(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > REQUEST_LIMIT:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


async def _respond(
    send: Send, status: int, kind: bytes, content: bytes, *, error: AwsError | None = None
) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(content)).encode()),
        (b"x-amzn-requestid", str(uuid4()).encode()),
    ]
    if error is not None:
        # botocore maps the old query codes from this header.
        headers.append((b"x-amzn-query-error", f"{_query_code(error.code)};Sender".encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _query_code(code: str) -> str:
    return {"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue"}.get(code, code)
