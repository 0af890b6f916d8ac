"""A life that can end anywhere: a process is forked, and killed by SIGKILL at a chosen boundary.

The child runs the real loop; what it calls is asked of the parent over a socket, so the queue and
the topic outlive it. Nothing of a killed process runs again: no `finally`, no cancellation.
"""

import asyncio
import os
import pickle
import select
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

import uvloop

T = TypeVar("T")
_HEAD = struct.Struct("!I")


class Fate(StrEnum):
    """What befalls a process at a boundary."""

    CRASH = "crash"
    CUT = "cut"
    STOP = "stop"
    STOP_TWICE = "stop twice"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """At which boundary (from 1; 0 is never) what happens."""

    at: int = 0
    fate: Fate = Fate.CRASH


class Boundary:
    """Count the boundaries that a process crosses: before and after each call to the outside."""

    def __init__(self, plan: Plan) -> None:
        self.count = 0
        self.is_armed = False
        self.stop: Callable[[], None] = lambda: None
        self._plan = plan

    async def cross(self, call: Awaitable[T], *, cut: Exception) -> T:
        """Make the call, unless its fate comes first; `cut` is what an outage looks like."""
        if self._meets_outage():
            asyncio.ensure_future(call).cancel()
            raise cut
        try:
            return await call
        finally:
            if self._meets_outage():
                raise cut

    def _meets_outage(self) -> bool:
        if not self.is_armed:
            return False
        self.count += 1
        if self.count != self._plan.at:
            return False
        match self._plan.fate:
            case Fate.CRASH:
                os.kill(os.getpid(), signal.SIGKILL)
            case Fate.STOP:
                self.stop()
            case Fate.STOP_TWICE:
                self.stop()
                self.stop()
        return self._plan.fate is Fate.CUT


class Parent:
    """The child's way of asking its parent; calls of many tasks may be under way."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._number = 0

    async def listen(self) -> None:
        """Hear answers until the parent is gone."""
        reader, self._writer = await asyncio.open_connection(sock=self._link)
        while True:
            (size,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
            number, answer = pickle.loads(await reader.readexactly(size))
            asked = self._asked.pop(number, None)
            if asked is not None and not asked.done():
                asked.set_result(answer)

    async def ask(self, name: str, *arguments: Any) -> Any:
        """Call a method of the parent's world."""
        self._number += 1
        asked = asyncio.get_running_loop().create_future()
        self._asked[self._number] = asked
        self._writer.write(_packed((self._number, name, arguments)))
        return await asked


def fork(live: Callable[[Parent], Awaitable[None]], world: Any, *, patience: float) -> int:
    """Run `live` in a child and answer what it asks of `world`; give its exit status.

    A status below zero is the signal that killed it. Raises `TimeoutError` if it does not end.
    """
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        ours.close()
        _be(live, theirs)
    theirs.close()
    until = time.monotonic() + patience
    with ours:
        while _serve(ours, world, until=until):
            pass
        if time.monotonic() >= until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise TimeoutError(f"the process did not end within {patience} s")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _be(live: Callable[[Parent], Awaitable[None]], link: socket.socket) -> NoReturn:
    status = 1
    try:
        uvloop.run(_listening(live, link))
        status = 0
    except BaseException:  # noqa: BLE001  # Whatever it was, the parent's code must not run on.
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


async def _listening(live: Callable[[Parent], Awaitable[None]], link: socket.socket) -> None:
    parent = Parent(link)
    listening = asyncio.create_task(parent.listen())
    await asyncio.sleep(0)
    while not hasattr(parent, "_writer"):
        await asyncio.sleep(0)
    await live(parent)
    listening.cancel()


def _serve(link: socket.socket, world: Any, *, until: float) -> bool:
    """Answer one question; tell whether there may be more."""
    ready, _, _ = select.select([link], [], [], max(0.0, until - time.monotonic()))
    if not ready:
        return False
    try:
        (size,) = _HEAD.unpack(_exactly(link, _HEAD.size))
        number, name, arguments = pickle.loads(_exactly(link, size))
        link.sendall(_packed((number, getattr(world, name)(*arguments))))
    except (ConnectionError, EOFError):
        return False
    return True


def _exactly(link: socket.socket, size: int) -> bytes:
    text = b""
    while len(text) < size:
        part = link.recv(size - len(text))
        if not part:
            raise EOFError
        text += part
    return text


def _packed(value: Any) -> bytes:
    text = pickle.dumps(value)
    return _HEAD.pack(len(text)) + text
