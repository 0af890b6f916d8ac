"""Do to a running system what a plan says, and take it back when its time is over."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import psycopg

from local.bus.remote import BusControl
from local.chaos.plan import Fault
from local.supervisor import System

_BANK_CALLS = aiohttp.ClientTimeout(total=10)
Act = Callable[[Fault], Coroutine[Any, Any, None]]
# A stand-in that is down, too, cannot be told to misbehave.
_OUT_OF_REACH = (aiohttp.ClientError, OSError, TimeoutError, psycopg.Error)


class Injector:
    """Inject faults one after the other; each runs in a task of its own."""

    def __init__(self, system: System, session: aiohttp.ClientSession, *, dsn: str) -> None:
        self._system = system
        self._session = session
        self._dsn = dsn
        self._bus = BusControl(system.urls["bus"])
        self._running: set[asyncio.Task[None]] = set()
        self._frozen: set[int] = set()
        self.done: Counter[str] = Counter()
        self.missed = 0
        self._acts: dict[str, Act] = {
            "kill": self._kill,
            "stop": self._stop,
            "freeze": self._freeze,
            "cut connections": self._cut,
            "lock a table": self._lock,
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

    async def heal(self) -> None:
        """End all faults; raise what an injection raised."""
        if self._running:
            await asyncio.gather(*self._running)
        for pid in set(self._frozen):
            self._thaw(pid)
        await self._until_ready()
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
            self.missed += 1
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

    async def _cut(self, _: Fault) -> None:
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            await connection.execute(query)

    async def _lock(self, fault: Fault) -> None:
        async with await psycopg.AsyncConnection.connect(self._dsn) as connection:
            await connection.execute("LOCK TABLE charges IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(fault.seconds)

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
