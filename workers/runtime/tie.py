"""What ties a worker process to the parent that supervises it: a socket, on which both listen.

The child tells its health port once and then beats every second; the parent's end closing, however
the parent died, tells the child to finish and leave.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from workers.runtime.health import BEAT_EVERY

VARIABLE = "COMANDA_PARENT_FD"


def is_child(environ: Mapping[str, str]) -> bool:
    """Tell whether a parent supervises this process."""
    return VARIABLE in environ


class Tie:
    """The child's end; without a parent it does nothing."""

    def __init__(self, link: socket.socket | None) -> None:
        self._link = link

    def tell_port(self, port: int) -> None:
        """Tell the parent where this child answers health checks."""
        self._send(f"{port}\n".encode())

    def when_parent_dies(self, leave: Callable[[], None]) -> None:
        """Call `leave` once the parent is gone."""
        if self._link is not None:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._link.fileno(), self._parent_spoke, loop, leave)

    async def beat(self) -> None:
        """Beat until cancelled."""
        while self._link is not None:
            self._send(b".")
            await asyncio.sleep(BEAT_EVERY.total_seconds())

    def _parent_spoke(self, loop: asyncio.AbstractEventLoop, leave: Callable[[], None]) -> None:
        assert self._link is not None  # It is what the loop listens on.
        # The parent never writes: whatever there is to read is the end.
        loop.remove_reader(self._link.fileno())
        leave()

    def _send(self, text: bytes) -> None:
        if self._link is None:
            return
        try:
            self._link.send(text)
        except OSError:
            # Nobody listens any more, or too slowly; the reader tells which.
            return


@asynccontextmanager
async def tied_to_parent(environ: Mapping[str, str] = os.environ) -> AsyncIterator[Tie]:
    """Hold the child's end of the tie and beat on it, if there is a parent."""
    if not is_child(environ):
        yield Tie(None)
        return
    with socket.socket(fileno=int(environ[VARIABLE])) as link:
        link.settimeout(0)
        tie = Tie(link)
        beating = asyncio.create_task(tie.beat(), name="tie")
        try:
            yield tie
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
