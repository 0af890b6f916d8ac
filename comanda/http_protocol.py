"""The server's half of HTTP, with bounds on what comes before a request is one.

uvicorn's parser takes heads of any size, and waits without end for whoever connects and says
nothing; an app never hears of either. A head that is too large or too slow ends its connection.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from comanda.intake import LARGEST_HEAD, LONGEST_HEAD_SECONDS, MOST_HEADERS


class HeadTooLarge(Exception):
    """The request line and headers are larger than any client of ours sends."""


class PatientProtocol(HttpToolsProtocol):
    """One connection; the parser turns an exception of a callback into 400 and hangs up."""

    head_seconds = LONGEST_HEAD_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head = True
        self._head_size = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with the connection."""
        self._head_is_whole()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what came of a head that is not whole yet; one header may be all of it."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_size += len(data)
            if self._head_size > LARGEST_HEAD:
                self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Wait for the head of one more request."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """Refuse a head that came whole and is too large."""
        self._head_is_whole()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > LARGEST_HEAD or len(self.headers) > MOST_HEADERS:
            raise HeadTooLarge
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_is_whole()
        self._in_head, self._head_size = True, 0
        self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _head_is_whole(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
