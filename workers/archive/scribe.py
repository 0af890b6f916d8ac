"""Entries arrive one by one; groups leave: one compressed object, then the rows of the index.

Each caller waits until its own entry is in both. A crash between the two leaves an object that no
row leads to; the message comes again, and is written and indexed then. Whoever reads goes by the
index, or by ids (`workers.archive.windows`), so each event is there once. Whom an object names is
noted before it is written, so that an erasure reaches it in any case.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from comanda.ids import new_id
from workers.archive.model import Entry, Place, hour_of
from workers.archive.ports import Index, Objects
from workers.runtime.errors import StoreUnavailable

MOST = 500
LINGER = timedelta(seconds=1)


class Scribe:
    """Gather up to `most` entries, or what comes within `linger`, and write them together."""

    def __init__(
        self,
        index: Index,
        objects: Objects,
        *,
        clock: Callable[[], datetime],
        most: int = MOST,
        linger: timedelta = LINGER,
    ) -> None:
        self._index = index
        self._objects = objects
        self._clock = clock
        self._most = most
        self._linger = linger.total_seconds()
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writing: set[asyncio.Task[None]] = set()

    async def keep(self, entry: Entry) -> None:
        """Return when the entry is written and indexed; raise what befell its group."""
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[None] = loop.create_future()
        self._waiting.append((entry, kept))
        if len(self._waiting) >= self._most:
            self._close_group()
        elif self._timer is None:
            self._timer = loop.call_later(self._linger, self._close_group)
        await kept

    def _close_group(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting = self._waiting, []
        task = asyncio.create_task(self._settle(group), name="scribe")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _settle(self, group: Sequence[tuple[Entry, asyncio.Future[None]]]) -> None:
        fault: Exception | None = None
        try:
            await self._write([entry for entry, kept in group if not kept.cancelled()])
        except StoreUnavailable as exc:
            fault = exc
        except Exception as exc:  # noqa: BLE001  # Every member learns what befell its group.
            if len(group) > 1:
                # One entry that cannot be written must not take its neighbours along.
                half = len(group) // 2
                await self._settle(group[:half])
                await self._settle(group[half:])
                return
            fault = exc
        for _, kept in group:
            if kept.done():
                continue
            if fault is None:
                kept.set_result(None)
            else:
                kept.set_exception(fault)

    async def _write(self, entries: Iterable[Entry]) -> None:
        unique = {entry.event_id: entry for entry in entries}
        known = await self._index.known(unique.values())
        new = sorted(
            (it for it in unique.values() if it.event_id not in known),
            key=lambda it: (it.at, it.event_id),
        )
        placed: list[tuple[Entry, Place]] = []
        for hour, members in groupby(new, key=lambda it: hour_of(it.at)):
            key = f"{hour}{new_id(self._clock())}.jsonl.gz"
            chosen = list(members)
            people = {(it.shop_id, it.person_id) for it in chosen if it.person_id is not None}
            await self._index.expect(people, key)
            await self._objects.put(key, [it.body for it in chosen])
            placed += [(it, Place(key=key, line=line)) for line, it in enumerate(chosen)]
        if placed:
            await self._index.add(placed)
