"""HTTP/1.1 on both sides of the guard: requests are read whole, answers are passed on as they are.

Each connection of a caller has its own connections to the stand-ins, so a caller that goes away
takes its long poll with it, and a stand-in that resets is seen to.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import cast
from urllib.parse import urlsplit

import httptools

from local.iam.asked import Request

log = logging.getLogger(__name__)
# These are about one connection, and the body is passed on whole.
_OWN = frozenset({b"connection", b"content-length", b"expect", b"transfer-encoding", b"keep-alive"})


class Backend:
    """One connection to a stand-in, opened when it is needed."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._place = (address.hostname, address.port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def is_stale(self) -> bool:
        """Tell whether the stand-in has hung up in the meantime."""
        return self._reader is not None and self._reader.at_eof()

    async def ask(self, request: bytes, *, is_head: bool = False) -> bytes:
        """Give the answer as it came; raise `OSError` when there is none."""
        if self._reader is None or self._writer is None or self.is_stale:
            self.close()
            self._reader, self._writer = await asyncio.open_connection(*self._place)
        self._writer.write(request)
        answer = _Answer(is_head=is_head)
        while not answer.is_whole:
            data = await self._reader.read(65536)
            if not data:
                raise ConnectionResetError("the stand-in closed the connection")
            answer.feed(data)
        return b"".join(answer.parts)

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


class _Answer:
    """An answer as it arrives; one to HEAD ends with its headers."""

    def __init__(self, *, is_head: bool) -> None:
        self.parts: list[bytes] = []
        self.is_whole = False
        self.body: list[bytes] = []
        self._is_head = is_head
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self.parts.append(data)
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        """Take a part of the body, whatever its encoding of transfer."""
        self.body.append(part)

    def on_headers_complete(self) -> None:
        """End here, if it was a HEAD."""
        self.is_whole = self._is_head

    def on_message_complete(self) -> None:
        """End."""
        self.is_whole = True


def body_of(answer: bytes) -> bytes:
    """Give the body of a whole answer."""
    read = _Answer(is_head=False)
    read.feed(answer)
    return b"".join(read.body)


Ask = Callable[[Request, bytes, "Backends"], Awaitable[bytes]]


class Backends:
    """The stand-ins as one caller's connection reaches them."""

    def __init__(self, urls: dict[str, str]) -> None:
        self._known = {name: Backend(url) for name, url in urls.items()}

    def __getitem__(self, name: str) -> Backend:
        return self._known[name]

    def close(self) -> None:
        """Hang up everywhere."""
        for backend in self._known.values():
            backend.close()


class Connection(asyncio.Protocol):
    """One caller's connection; a request that comes early waits for those before it."""

    def __init__(self, answer: Ask, backends: Backends) -> None:
        self._answer = answer
        self._backends = backends
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Request, bytes, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._begin()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature.
        """Leave whatever is being waited for."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        self._backends.close()

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
        """Take a header."""
        self._headers.append((name, value))
        if name.lower() == b"expect":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """Answer when those before it are answered."""
        address, body = urlsplit(self._url.decode("latin-1")), b"".join(self._parts)
        request = Request(
            method=self._parser.get_method().decode("latin-1"),
            path=address.path,
            query=address.query,
            headers={k.decode("latin-1").lower(): v.decode("latin-1") for k, v in self._headers},
            body=body,
        )
        lines = [b"%s: %s\r\n" % (k, v) for k, v in self._headers if k.lower() not in _OWN]
        head = b"%s %s HTTP/1.1\r\n" % (self._parser.get_method(), self._url)
        raw = head + b"".join(lines) + b"content-length: %d\r\n\r\n%s" % (len(body), body)
        self._waiting.append((request, raw, self._parser.should_keep_alive()))
        self._begin()
        if self._task is None:
            self._task = asyncio.ensure_future(self._serve())

    def _begin(self) -> None:
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []

    async def _serve(self) -> None:
        while self._waiting:
            request, raw, is_kept = self._waiting.popleft()
            try:
                self._transport.write(await self._answer(request, raw, self._backends))
            except OSError:
                # A caller sees a stand-in that is down as if it had called it itself.
                self._transport.abort()
            except (
                Exception
            ):  # The route boundary: nobody waits for ever because of a fault of ours.
                log.exception("request failed")
                self._transport.abort()
            if not is_kept:
                self._transport.close()
        self._task = None
