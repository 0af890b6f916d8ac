"""Do to a running system what a plan says, and take it back when its time is over."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import cycle
from typing import Any

import aiohttp
import psycopg

from local.bus.remote import BusControl
from local.chaos.breakable import Breakable
from local.chaos.database import Database
from local.chaos.plan import Fault
from local.chaos.points import Fates
from local.proxy import Link, Misdeed

_BANK_CALLS = aiohttp.ClientTimeout(total=10)
_LOOK_EVERY = 0.1
# Most points of a busy worker are met within a second; the others belong to its start or its end.
_LONGEST_WAIT_AT_A_POINT = 1.5
Act = Callable[[Fault], Coroutine[Any, Any, None]]


class Nobody(Exception):
    """The fault found nobody whom it could have struck."""


# A stand-in that is down, too, cannot be told to misbehave.
_OUT_OF_REACH = (aiohttp.ClientError, OSError, TimeoutError, psycopg.Error, Nobody)


class Injector:
    """Inject faults one after the other; each runs in a task of its own."""

    def __init__(self, laptop: Breakable, session: aiohttp.ClientSession, *, dsn: str) -> None:
        self._laptop = laptop
        self._system = laptop.system
        self._session = session
        self._database = Database(dsn)
        self._bus = BusControl(laptop.system.urls["bus"])
        self._running: set[asyncio.Task[None]] = set()
        self._frozen: set[int] = set()
        self.fates = Fates(dooms=laptop.dooms)
        self.done: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self._acts: dict[str, Act] = {
            "kill": self._kill,
            "stop": self._stop,
            "freeze": self._freeze,
            "at a point": self._fell,
            "network": self._misuse_network,
            "cut connections": self._cut,
            "lock a table": self._lock,
            "slow queries": self._slow,
            "disk full": self._fill_disk,
            "bus": self._misuse_bus,
            "bank": self._misuse_bank,
            "dynamodb": self._misuse_store,
            "clock": self._step_clock,
        }

    async def carry_out(self, plan: Sequence[Fault], *, began: float) -> None:
        """Inject each fault at its time after `began` (monotonic seconds)."""
        for fault in plan:
            await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
            task = asyncio.create_task(self._inject(fault))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def reap(self, parts: Sequence[str], *, until: float) -> None:
        """Let one part after the other fall at a point until `until` (monotonic seconds).

        One at a time: while nothing lives there is nothing to die of.
        """
        dice = random.Random(0)
        for part in cycle(parts):
            await asyncio.sleep(_LOOK_EVERY)
            if time.monotonic() > until:
                return
            if not self._system.processes[part].is_ready:
                continue
            within = _LONGEST_WAIT_AT_A_POINT
            if await self.fates.fell(part, sent=signal.SIGKILL, dice=dice, within=within):
                self.done["at a point: SIGKILL"] += 1

    async def heal(self) -> None:
        """End all faults; raise what an injection raised."""
        if self._running:
            await asyncio.gather(*self._running)
        # A part may have met its point in the moment in which it was spared.
        views = [self._system.processes[part] for part in self._laptop.dooms]
        for pid in {*self._frozen, *(view.pid for view in views if view.pid is not None)}:
            self._thaw(pid)
        for link in self._laptop.network.links.values():
            link.behave()
        if self._laptop.volume is not None:
            await asyncio.to_thread(self._laptop.volume.free)
        await self._until_ready()
        await self._database.hurry()
        await asyncio.to_thread(self._bus.behave)
        await self._ask(self._system.urls["mercadopago"] + "/_control/faults", method="DELETE")
        await self._ask(self._system.urls["ministack"] + "/_control/dynamodb")

    async def _until_ready(self) -> None:
        async with asyncio.timeout(90):
            while not all(view.is_ready for view in self._system.processes.values()):  # noqa: ASYNC110  # The supervisor tells nobody.
                await asyncio.sleep(0.2)

    async def _inject(self, fault: Fault) -> None:
        try:
            await self._acts[fault.kind](fault)
        except _OUT_OF_REACH:
            self.missed[fault.name] += 1
        else:
            self.done[fault.name] += 1

    async def _kill(self, fault: Fault) -> None:
        self._signal(fault.target, signal.SIGKILL)

    async def _stop(self, fault: Fault) -> None:
        # PostgreSQL takes SIGTERM for a wish, and waits for its last client.
        is_patient = fault.target == "postgres"
        self._signal(fault.target, signal.SIGINT if is_patient else signal.SIGTERM)

    async def _freeze(self, fault: Fault) -> None:
        pid = self._signal(fault.target, signal.SIGSTOP)
        self._frozen.add(pid)
        await asyncio.sleep(fault.seconds)
        self._thaw(pid)

    def _thaw(self, pid: int) -> None:
        self._frozen.discard(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> int:
        pid = self._system.processes[name].pid
        if pid is None:
            raise ProcessLookupError(name)
        os.kill(pid, number)
        return pid

    async def _fell(self, fault: Fault) -> None:
        """Let a part fall at one of its own points; by which signal, the plan says."""
        sent, part = signal.Signals[fault.words["sent"]], fault.target
        dice = random.Random(fault.at)
        within = _LONGEST_WAIT_AT_A_POINT + fault.seconds
        if not await self.fates.fell(part, sent=sent, dice=dice, within=within):
            raise Nobody(part)
        # Whoever fell may not be the one that was there when it was ordained.
        pid = self._system.processes[part].pid
        if sent is signal.SIGSTOP and pid is not None:
            self._frozen.add(pid)
            await asyncio.sleep(fault.seconds)
            self._thaw(pid)

    async def _misuse_network(self, fault: Fault) -> None:
        link = self._link(fault)
        before = link.struck
        link.misbehave(Misdeed(fault.words["misdeed"]), seconds=fault.words.get("late", 0.0))
        await asyncio.sleep(fault.seconds)
        link.behave()
        if link.struck == before:
            raise Nobody(fault.target)

    def _link(self, fault: Fault) -> Link:
        """Give the link that was drawn; when nobody is connected to it, one that is in use."""
        links = self._laptop.network.links
        if links[fault.target].is_used:
            return links[fault.target]
        used = sorted(name for name, link in links.items() if link.is_used)
        return links[random.Random(fault.at).choice(used or [fault.target])]

    async def _cut(self, _: Fault) -> None:
        await self._database.cut()

    async def _lock(self, fault: Fault) -> None:
        await self._database.lock(fault.target, seconds=fault.seconds)

    async def _slow(self, fault: Fault) -> None:
        await self._database.slow(fault.target, seconds=fault.seconds)

    async def _fill_disk(self, fault: Fault) -> None:
        volume = self._laptop.volume
        assert volume is not None  # Else the plan holds no such fault.
        await asyncio.to_thread(volume.fill)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            await asyncio.to_thread(volume.free)

    async def _misuse_bus(self, fault: Fault) -> None:
        number = await asyncio.to_thread(lambda: self._bus.misbehave(**fault.words))
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(self._bus.behave, number)

    async def _misuse_bank(self, fault: Fault) -> None:
        url = self._system.urls["mercadopago"] + "/_control/faults"
        rule = await self._ask(url, **fault.words)
        await asyncio.sleep(fault.seconds)
        await self._ask(f"{url}/{rule['id']}", method="DELETE")

    async def _misuse_store(self, fault: Fault) -> None:
        url = self._system.urls["ministack"] + "/_control/dynamodb"
        await self._ask(url, **fault.words)
        await asyncio.sleep(fault.seconds)
        await self._ask(url)

    async def _step_clock(self, fault: Fault) -> None:
        seconds = fault.words["advance"]
        if fault.target == "bus":
            await asyncio.to_thread(self._bus.advance, seconds)
            return
        url = self._system.urls["mercadopago"] + "/_control/clock"
        await self._ask(url, advance_seconds=seconds)

    async def _ask(self, url: str, *, method: str = "POST", **words: Any) -> Any:
        async with self._session.request(method, url, json=words, timeout=_BANK_CALLS) as answer:
            if answer.status >= 300:
                raise RuntimeError(f"{url} refused {words}: {await answer.text()}")
            return await answer.json(content_type=None) if method == "POST" else None
