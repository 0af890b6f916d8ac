"""Start all parts in the order of their needs, watch them, and stop them in reverse."""

import asyncio
import signal
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.supervisor.logs import LogBook
from local.supervisor.parts import Part, Process, RestartPolicy, check_plan
from local.supervisor.running import Running
from local.supervisor.watchdog import Watchdog


@dataclass(frozen=True, kw_only=True)
class ProcessView:
    """How one process is at this moment."""

    name: str
    pid: int | None
    is_ready: bool
    has_failed: bool
    restarts: int
    log: Path


class Supervisor:
    """The parts of one run, from start to stop."""

    def __init__(
        self,
        parts: tuple[Part, ...],
        *,
        folder: Path,
        logs: LogBook,
        environment: Mapping[str, str],
        policy: RestartPolicy | None = None,
    ) -> None:
        check_plan(parts)
        self._parts = parts
        self._folder = folder
        self._logs = logs
        self._environment = environment
        self._policy = policy or RestartPolicy()
        self._running: dict[str, Running] = {}
        self._ready = {part.name: asyncio.Event() for part in parts}
        self._watchdog: Watchdog | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Start all, each when what it needs is ready; on a failure stop all and raise it."""
        self._watchdog = Watchdog()
        self._loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(self._start(part)) for part in self._parts]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop all, those that others need last; afterwards no process of ours is left."""
        stopped = {part.name: asyncio.Event() for part in self._parts}
        await asyncio.gather(*(self._stop(part, stopped) for part in self._parts))
        if self._watchdog is not None:
            self._watchdog.close()
            self._watchdog = None

    def kill(self, name: str, *, sent: signal.Signals = signal.SIGKILL) -> int:
        """Kill one process, as a fault would; it is started again. Give the id it had."""
        return self._running[name].kill(sent)

    async def halt(self, name: str) -> None:
        """Stop one process in good order; it stays down until `resume`. Any loop may call this."""
        await self._in_own_loop(self._running[name].stop())

    async def resume(self, name: str) -> None:
        """Start a halted process, and wait until it is ready; raise `StartFailed`."""
        process = self._running[name].process
        await self._in_own_loop(self._start_process(process))

    async def _in_own_loop(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None  # `start` found it.
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def kill_all(self) -> None:
        """End everything at once, without asking."""
        for running in self._running.values():
            running.kill_group()

    def views(self) -> dict[str, ProcessView]:
        """Tell how each process is."""
        return {
            name: ProcessView(
                name=name,
                pid=running.pid,
                is_ready=running.is_ready,
                has_failed=running.has_failed,
                restarts=running.restarts,
                log=self._logs.path(name),
            )
            for name, running in self._running.items()
        }

    async def _start(self, part: Part) -> None:
        for name in part.needs:
            await self._ready[name].wait()
        began = asyncio.get_running_loop().time()
        if isinstance(part, Process):
            await self._start_process(part)
        else:
            await part.run()
        took = asyncio.get_running_loop().time() - began
        self._logs.note(f"{part.name} is ready after {took:.2f} s")
        self._ready[part.name].set()

    async def _start_process(self, process: Process) -> None:
        assert self._watchdog is not None  # `start` made it.
        running = Running(process, logs=self._logs, groups=self._watchdog, policy=self._policy)
        self._running[process.name] = running
        environment = {**self._environment, **process.environment()}
        await running.start(environment=environment, folder=self._folder)

    async def _stop(self, part: Part, stopped: Mapping[str, asyncio.Event]) -> None:
        for other in self._parts:
            if part.name in other.needs:
                await stopped[other.name].wait()
        if part.name in self._running:
            await self._running[part.name].stop()
        stopped[part.name].set()
