"""A replay: whose order it is, which events go to which queue, and how far it has come.

Envelopes go as they were, with their provenance beside them. The context's inbox still decides: an
event whose effect is committed already does nothing again.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from comanda.ids import ShopId, new_id
from comanda.messaging.redrive import Pace
from workers.archive.items import position
from workers.archive.model import Entry
from workers.archive.ports import Objects
from workers.archive.windows import Window, events_in

log = logging.getLogger(__name__)
BATCH = 10
MOST_PER_SECOND = 200
LEASE = timedelta(minutes=1)
# The archive took the address out of it, and without one it says nothing.
NEVER_AGAIN = frozenset({"customers.customer.registered.v1"})


class ReplayState(StrEnum):
    """What a replay is."""

    OPEN = "OPEN"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """An owner's order to send a window of events to one queue, `per_second` of them (1 to 200)."""

    id: str
    window: Window
    queue: str
    by: str
    asked_at: datetime
    per_second: int
    state: ReplayState = ReplayState.OPEN
    sent: int = 0
    position: str = ""


class ReplayTaken(Exception):
    """Another process has the replay, or somebody cancelled it."""


class ReplayBook(Protocol):
    """All replays; they are their own audit and are never taken out."""

    async def add(self, replay: Replay) -> None:
        """Note an order."""

    async def all(self, shop_id: ShopId | None = None) -> list[Replay]:
        """Give the replays of a shop, or of all, the newest first."""

    async def claim(self, replay: Replay, *, holder: str, now: datetime) -> None:
        """Take an open replay for a minute, or raise `ReplayTaken`."""

    async def note(self, replay: Replay, *, holder: str, now: datetime) -> None:
        """Note how far it has come and keep it for another minute, or raise `ReplayTaken`."""

    async def cancel(self, replay: Replay) -> None:
        """End an open replay, or raise `ReplayTaken`."""


class Sender(Protocol):
    """Whoever puts envelopes on a context's queue."""

    async def send(
        self, queue: str, entries: Sequence[Entry], *, provenance: Mapping[str, str]
    ) -> None:
        """Send up to ten; raise `MessagingUnavailable` unless all were taken."""


def types_for(window: Window, heard: frozenset[str]) -> Window:
    """Narrow a window to what the queue's context handles; the rest would be dead letters there."""
    wanted = (window.types or heard) & heard - NEVER_AGAIN
    # A window without types means all of them.
    return replace(window, types=wanted or frozenset({"nothing"}))


class Replayer:
    """Carry out open replays, one after the other, each from where it stands."""

    def __init__(
        self,
        book: ReplayBook,
        *,
        objects: Objects,
        sender: Sender,
        heard: Mapping[str, frozenset[str]],
        clock: Callable[[], datetime],
    ) -> None:
        self._book = book
        self._objects = objects
        self._sender = sender
        self._heard = heard
        self._clock = clock
        self._holder = new_id(clock())

    async def run_open(self) -> None:
        """Carry out what is open and nobody else's; a crash is gone on from by the next holder."""
        for replay in reversed(await self._book.all()):
            # A context that left the topology since must not keep the others' replays waiting.
            if replay.state is not ReplayState.OPEN or replay.queue not in self._heard:
                continue
            try:
                await self._book.claim(replay, holder=self._holder, now=self._clock())
                await self._carry_out(replay)
            except ReplayTaken:
                continue

    async def _carry_out(self, replay: Replay) -> None:
        pace = Pace(replay.per_second)
        window = types_for(replay.window, self._heard[replay.queue])
        batch: list[Entry] = []
        async for entry in events_in(window, self._objects, after=replay.position):
            batch.append(entry)
            if len(batch) >= min(BATCH, replay.per_second):
                replay, batch = await self._send(replay, batch, pace), []
        if batch:
            replay = await self._send(replay, batch, pace)
        done = replace(replay, state=ReplayState.DONE)
        await self._book.note(done, holder=self._holder, now=self._clock())
        log.info("replay done", extra={"replay": replay.id, "by": replay.by, "sent": replay.sent})

    async def _send(self, replay: Replay, batch: Sequence[Entry], pace: Pace) -> Replay:
        await pace.spend(len(batch))
        provenance = {
            "replay_id": replay.id,
            "replayed_by": replay.by[:250],
            "replayed_at": self._clock().isoformat(timespec="seconds"),
        }
        # Asked before each batch: whoever lost the replay, or whose replay was cancelled, stops.
        await self._book.note(replay, holder=self._holder, now=self._clock())
        await self._sender.send(replay.queue, batch, provenance=provenance)
        moved = replace(replay, sent=replay.sent + len(batch), position=position(batch[-1]))
        await self._book.note(moved, holder=self._holder, now=self._clock())
        return moved
