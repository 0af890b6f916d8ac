"""What an API takes in: so many bytes, within so many seconds, and no more of either.

Whoever sends is not known yet while a request arrives, so these bounds hold for everybody. A
request that breaks one is refused with a problem document, before anything reads it.
"""

import asyncio
from time import monotonic

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024
# A phone in a cellar sends the largest picture in this time at 0.2 Mbit/s.
LONGEST_BODY_SECONDS = 20.0
LARGEST_HEAD = 16 * 1024
MOST_HEADERS = 100
LONGEST_HEAD_SECONDS = 10.0


class Intake:
    """Bound the body of each request: 413 when it is too large, 408 when it is too slow."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        largest: int = LARGEST_BODY,
        seconds: float = LONGEST_BODY_SECONDS,
    ) -> None:
        self._app = app
        self._largest = largest
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request with a bounded body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _BoundedBody(receive, largest=self._largest, seconds=self._seconds)
        body.expect(Headers(scope=scope).get("content-length", ""))
        await self._app(scope, body, send)


class _BoundedBody:
    """What the app receives; it raises what the app answers with."""

    def __init__(self, receive: Receive, *, largest: int, seconds: float) -> None:
        self._receive = receive
        self._left = largest
        self._largest = largest
        self._until = monotonic() + seconds
        self._is_whole = False
        self._is_refused = False

    def expect(self, content_length: str) -> None:
        """Note what the client announces; a length that is none was refused by the server."""
        self._is_refused = content_length.isdecimal() and int(content_length[:12]) > self._largest

    async def __call__(self) -> Message:
        if self._is_whole:
            # Nothing is waited for but the end of the connection, which may take its time.
            return await self._receive()
        if self._is_refused:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._until - monotonic()):
                message = await self._receive()
        except TimeoutError as exc:
            raise HTTPException(408, "The body took too long") from exc
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._too_large()
        self._is_whole = not message.get("more_body", False)
        return message

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"The body is too large: at most {self._largest} bytes")
