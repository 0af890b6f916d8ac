"""HTTP/1.1 for the bus: requests arrive, answers leave in order; most without a task of their own.

It is leaner than an ASGI server because the bus must never be what a benchmark measures, and it
can do what ASGI cannot: tear a connection down in the middle of a request.
"""

import asyncio
import logging
import socket
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from itertools import count
from typing import cast
from urllib.parse import urlsplit

import httptools

from local.bus.errors import ConnectionReset

log = logging.getLogger(__name__)
REQUEST_LIMIT = 4 * 1024 * 1024
_STATUS = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}
_RST = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Request:
    """What was asked; the body is None when it was too long to be kept."""

    method: str
    path: str
    query: str
    target: str
    host: str
    body: bytes | None


@dataclass(slots=True)
class Answer:
    """What is said; `headers` are further header lines, each with its line end."""

    status: int
    kind: bytes
    body: bytes
    headers: bytes = b""


Handler = Callable[[Request], Answer | Awaitable[Answer]]


class Connection(asyncio.Protocol):
    """One client's connection; requests that come early wait for those before them."""

    def __init__(self, handler: Handler, connections: "set[Connection]") -> None:
        self._handler = handler
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._numbers = count(1)
        self._start()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the way back."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature.
        """Leave the long poll of a client that is gone: it takes no message any more."""
        self._connections.discard(self)
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Take bytes; what is not HTTP ends the connection."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; only three of them matter."""
        lowered = name.lower()
        if lowered == b"x-amz-target":
            self._target = value.decode("latin-1")
        elif lowered == b"host":
            self._host = value.decode("latin-1")
        elif lowered == b"expect":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._size += len(part)
        if self._size <= REQUEST_LIMIT:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        """Answer, or queue up behind a request that is still being answered."""
        address = urlsplit(self._url.decode("latin-1")) if len(self._url) > 1 else None
        body = b"".join(self._parts) if self._size <= REQUEST_LIMIT else None
        request = Request(
            method=self._parser.get_method().decode("latin-1"),
            path=address.path if address else "/",
            query=address.query if address else "",
            target=self._target,
            host=self._host,
            body=body,
        )
        is_kept = self._parser.should_keep_alive()
        self._start()
        if self._task is not None:
            self._waiting.append((request, is_kept))
        else:
            self._serve(request, is_kept=is_kept)

    def abort(self) -> None:
        """Tear the connection down, so that the client sees a reset."""
        found = self._transport.get_extra_info("socket")
        if found is not None:
            # With no time to linger a close is sent as RST instead of FIN.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        self._transport.abort()

    def _start(self) -> None:
        self._url = b""
        self._target = self._host = ""
        self._parts: list[bytes] = []
        self._size = 0

    def _serve(self, request: Request, *, is_kept: bool) -> None:
        try:
            answer = self._handler(request)
        except ConnectionReset:
            self.abort()
            return
        except Exception:  # The route boundary: a fault of ours is a 500, not a silent client.
            log.exception("request failed", extra={"target": request.target})
            answer = Answer(500, b"text/plain", b"")
        if isinstance(answer, Answer):
            self._write(answer, is_kept=is_kept)
        else:
            self._task = asyncio.ensure_future(self._serve_later(answer, is_kept=is_kept))

    async def _serve_later(self, answer: Awaitable[Answer], *, is_kept: bool) -> None:
        try:
            self._write(await answer, is_kept=is_kept)
        except ConnectionReset:
            self.abort()
        except Exception:  # The route boundary, as above.
            log.exception("request failed")
            self._write(Answer(500, b"text/plain", b""), is_kept=is_kept)
        finally:
            self._task = None
        while self._waiting and self._task is None:
            request, is_kept = self._waiting.popleft()
            self._serve(request, is_kept=is_kept)

    def _write(self, answer: Answer, *, is_kept: bool) -> None:
        if self._transport.is_closing():
            return
        head = (
            b"%scontent-type: %s\r\ncontent-length: %d\r\nx-amzn-requestid: %x-%x\r\n"
            b"date: %s\r\n%s%s\r\n%s"
        )
        parts = (
            _STATUS.get(answer.status) or b"HTTP/1.1 %d Unknown\r\n" % answer.status,
            answer.kind,
            len(answer.body),
            id(self),
            next(self._numbers),
            _date(),
            answer.headers,
            b"" if is_kept else b"connection: close\r\n",
            answer.body,
        )
        self._transport.write(head % parts)
        if not is_kept:
            self._transport.close()


_dates: dict[int, bytes] = {}


def _date() -> bytes:
    now = int(time.time())
    date = _dates.get(now)
    if date is None:
        _dates.clear()
        date = _dates[now] = formatdate(now, usegmt=True).encode()
    return date
