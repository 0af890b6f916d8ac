"""HTTP/1.1 as the SDKs speak it, by hand: whole requests in, answers out after the round trip."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nx-amz-target: *AmazonSQS\.(\w+)", re.IGNORECASE)
_REASONS = {200: b"OK", 400: b"Bad Request", 404: b"Not Found"}


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request; `action` is empty unless it is one of SQS."""

    line: bytes
    action: str
    body: bytes


Answer = Callable[[int, bytes, bytes], None]
Handle = Callable[[Request, "Connection"], None]


class Connection(asyncio.Protocol):
    """One connection, one request at a time; `answer` may be called later, as by a long poll."""

    def __init__(self, handle: Handle, *, round_trip: Callable[[], float]) -> None:
        self._handle = handle
        self._round_trip = round_trip
        self._buffer = b""
        self._is_busy = False
        self._transport: asyncio.Transport | None = None
        self.on_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's shape.
        """Tell whoever still has this connection waiting."""
        self._transport = None
        if self.on_lost is not None:
            self.on_lost()

    def data_received(self, data: bytes) -> None:
        """Gather, and handle the next whole request."""
        self._buffer = self._buffer + data if self._buffer else data
        if not self._is_busy:
            self._next()

    def answer(self, status: int, kind: bytes, content: bytes) -> None:
        """Send the answer when the round trip is over."""
        head = b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (
            *(status, _REASONS[status], kind, len(content)),
        )
        delay = self._round_trip()
        if delay:
            asyncio.get_running_loop().call_later(delay, self._write, head + content)
        else:
            self._write(head + content)

    def _write(self, payload: bytes) -> None:
        if self._transport is None:
            return
        self._transport.write(payload)
        self._is_busy = False
        if self._buffer:
            self._next()

    def _next(self) -> None:
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._is_busy = True
        target = _TARGET.search(head)
        action = target[1].decode() if target else ""
        line = head.partition(b"\r\n")[0]
        self._handle(Request(line, action, rest[:length]), self)
