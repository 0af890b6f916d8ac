"""Let every worker fall at every line at which it waits, until there is no line left."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from itertools import cycle
from urllib.request import urlopen

from local.bus.remote import BusControl
from local.chaos.breakable import Breakable

_LOOK_EVERY = 1.0
# What fell holds its messages; the bus's clock gives them back at once.
_HELD_FOR = 70.0
_LEAVES_EVERY, _ASKS_EVERY = 6, 3
_ANSWERS_WITHIN = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long a hunt goes on, in seconds: without news, and at most."""

    quiet: float = 75.0
    longest: float = 720.0


async def hunt(laptop: Breakable, *, patience: Patience) -> None:
    """Hunt all workers until nobody fell anywhere new for a while.

    Now and then one is asked to leave, for there are lines at which only the leaving wait.
    """
    prey = {name: doom for name, doom in laptop.dooms.items() if name.endswith("-worker")}
    bus = BusControl(laptop.system.urls["bus"])
    for doom in prey.values():
        doom.hunt()
    began = news = time.monotonic()
    struck, leaving = 0, cycle(sorted(prey))
    try:
        for turn in range(int(patience.longest / _LOOK_EVERY)):
            await asyncio.sleep(_LOOK_EVERY)
            now, before = time.monotonic(), struck
            struck = sum(len(doom.struck()) for doom in prey.values())
            if struck > before:
                news = now
                with suppress(OSError):
                    await asyncio.to_thread(bus.advance, _HELD_FOR)
            if now - news > patience.quiet or now - began > patience.longest:
                break
            if turn % _ASKS_EVERY == 0:
                await asyncio.gather(*(_ask_how_it_is(laptop, name) for name in prey))
            if turn % _LEAVES_EVERY == 0:
                _ask_to_leave(laptop, next(leaving))
    finally:
        for doom in prey.values():
            doom.spare()


async def _ask_how_it_is(laptop: Breakable, name: str) -> None:
    """Ask as a cluster would: whether it is ready depends on its store."""
    url = f"{laptop.system.urls[name]}/health/ready"
    # Whoever has just fallen does not answer.
    with suppress(OSError, HTTPException):
        await asyncio.to_thread(_read, url)


def _read(url: str) -> None:
    with urlopen(url, timeout=_ANSWERS_WITHIN) as answer:  # noqa: S310  # A worker of the laptop.
        answer.read()


def _ask_to_leave(laptop: Breakable, name: str) -> None:
    pid = laptop.system.processes[name].pid
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
