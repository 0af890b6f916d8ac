"""One TCP link: what a caller sends arrives at its target, unless the link is told to misbehave."""

import asyncio
import os
import socket
import struct
from contextlib import suppress
from enum import StrEnum

_PIECE = 65536
# Linger for no time: what is closed so is reset, and says no goodbye.
_RESET = struct.pack("ii", 1, 0)


class Misdeed(StrEnum):
    """What a link can do to whoever talks over it."""

    RESET = "reset"
    BLACK_HOLE = "black hole"
    FORGET = "forget"
    DELAY = "delay"
    HALF_CLOSE = "half close"
    CUT_MIDWAY = "cut midway"


class _Flow:
    """Both ends of one connection; whoever waits at a gate that is shut carries nothing."""

    def __init__(self, near: asyncio.StreamWriter) -> None:
        self.ends = [near]
        self.is_forgotten = False

    def reset(self) -> None:
        for end in self.ends:
            _reset(end)


class Link:
    """Listen on a port of its own and carry to `host:port`; `seconds` is how late a delay is.

    `struck` counts connections and pieces that met a misdeed.
    """

    def __init__(self, *, host: str, port: int) -> None:
        self._target = host, port
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._server: asyncio.Server | None = None
        self._flows: set[_Flow] = set()
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._misdeed: Misdeed | None = None
        self._seconds = 0.0
        self.struck = 0

    @property
    def port(self) -> int:
        """Give the port on which callers find it; they can connect before `serve`."""
        number: int = self._socket.getsockname()[1]
        return number

    @property
    def is_used(self) -> bool:
        """Tell whether somebody is connected."""
        return bool(self._flows)

    async def serve(self) -> None:
        """Begin to carry."""
        self._server = await asyncio.start_server(self._carry, sock=self._socket)

    async def close(self) -> None:
        """Reset all that is under way and listen no more."""
        for flow in set(self._flows):
            flow.reset()
        self._is_open.set()
        if self._server is None:
            self._socket.close()
        else:
            self._server.close()

    def misbehave(self, misdeed: Misdeed, *, seconds: float = 0.0) -> None:
        """Do this to all connections until `behave`.

        A black hole keeps what it swallowed and delivers it at its end, as TCP would; `forget` is
        a black hole at whose end the connections of its time are never heard of again.
        """
        self._misdeed, self._seconds = misdeed, seconds
        if misdeed in (Misdeed.BLACK_HOLE, Misdeed.FORGET):
            self._is_open.clear()
            self.struck += len(self._flows)
        if misdeed is Misdeed.FORGET:
            for flow in self._flows:
                flow.is_forgotten = True
        if misdeed is Misdeed.RESET:
            self.struck += len(self._flows)
            for flow in set(self._flows):
                flow.reset()

    def behave(self) -> None:
        """Carry again as a link should."""
        self._misdeed = None
        self._is_open.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flow = _Flow(writer)
        self._flows.add(flow)
        try:
            if await self._welcome(flow):
                await self._carry_both_ways(flow, reader)
        except OSError:
            self.struck += self._misdeed is not None
        finally:
            flow.reset()
            self._flows.discard(flow)

    async def _welcome(self, flow: _Flow) -> bool:
        """Tell whether a new connection may go on; in a black hole it waits to be told."""
        if self._misdeed is None:
            return True
        self.struck += 1
        if self._misdeed is Misdeed.FORGET:
            flow.is_forgotten = True
        await self._is_open.wait()
        return self._misdeed is not Misdeed.RESET

    async def _carry_both_ways(self, flow: _Flow, near: asyncio.StreamReader) -> None:
        far, writer = await asyncio.open_connection(*self._target)
        flow.ends.append(writer)
        # The one that ends first is half a connection; the other may have much to say still.
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(flow, near, flow.ends[1], is_answer=False))
            group.create_task(self._pump(flow, far, flow.ends[0], is_answer=True))

    async def _pump(
        self,
        flow: _Flow,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        *,
        is_answer: bool,
    ) -> None:
        # A closed transport of uvloop's says so by `RuntimeError`.
        with suppress(OSError, RuntimeError):
            while piece := await source.read(_PIECE):
                if not await self._pass(flow, piece, sink, is_answer=is_answer):
                    await _swallow(source)
                    return
            sink.write_eof()
            return
        flow.reset()

    async def _pass(
        self, flow: _Flow, piece: bytes, sink: asyncio.StreamWriter, *, is_answer: bool
    ) -> bool:
        """Let one piece through; tell whether there may be another."""
        misdeed = self._misdeed
        self.struck += misdeed is not None
        if misdeed is Misdeed.DELAY:
            await asyncio.sleep(self._seconds)
        await self._is_open.wait()
        if flow.is_forgotten:
            return False
        if is_answer and misdeed is Misdeed.CUT_MIDWAY:
            sink.write(piece[: len(piece) // 2])
            await sink.drain()
            flow.reset()
            return False
        if is_answer and misdeed is Misdeed.HALF_CLOSE:
            sink.write_eof()
            return False
        sink.write(piece)
        await sink.drain()
        return True


async def _swallow(source: asyncio.StreamReader) -> None:
    """Read for as long as somebody talks, and tell nobody."""
    while await source.read(_PIECE):
        pass


def _reset(end: asyncio.StreamWriter) -> None:
    known = end.get_extra_info("socket")
    if known is None:
        return  # It is closed.
    with suppress(OSError):
        # Not every event loop lets a transport's own socket be told anything.
        own = socket.socket(fileno=os.dup(known.fileno()))
        with own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    end.transport.abort()
