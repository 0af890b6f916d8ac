"""One process: started, watched, started again when it dies, stopped with all of its children."""

import asyncio
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol

from local.supervisor.child import guarded
from local.supervisor.logs import LogBook
from local.supervisor.parts import Process, RestartPolicy, SystemFailed

READ_BYTES = 65536
FIRST_PROBE_SECONDS, LONGEST_PROBE_SECONDS = 0.02, 0.2


class StartFailed(SystemFailed):
    """A part did not become ready; the message holds the end of its log."""


class Groups(Protocol):
    """Who must end a process group if the supervisor cannot."""

    def add(self, group: int) -> None:
        """Take the group into care."""

    def remove(self, group: int) -> None:
        """Let go of a group that has ended."""


class Running:
    """The life of one process."""

    def __init__(
        self, process: Process, *, logs: LogBook, groups: Groups, policy: RestartPolicy
    ) -> None:
        self.process = process
        self.restarts = 0
        self.is_ready = False
        self.has_failed = False
        self._logs = logs
        self._groups = groups
        self._policy = policy
        self._child: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._guard: asyncio.Task[None] | None = None
        self._is_stopping = False

    @property
    def pid(self) -> int | None:
        """Give the id of the process, None while there is none."""
        return self._child.pid if self._child and self._child.returncode is None else None

    async def start(self, *, environment: Mapping[str, str], folder: Path) -> None:
        """Start and wait until ready; raise `StartFailed`. Then watch in the background."""
        await self._spawn(environment, folder)
        await self._wait_until_ready()
        self._guard = asyncio.create_task(self._watch(environment, folder))

    def kill(self, sent: signal.Signals) -> int:
        """Send a signal to the process alone, as the world might; give its id."""
        if self.pid is None:
            raise ProcessLookupError(f"{self.process.name} is not running")
        os.kill(self.pid, sent)
        return self.pid

    def kill_group(self) -> None:
        """End the process and all that it started, at once."""
        if self._child is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end, then make it; nothing of its group is left after this."""
        self._is_stopping = True
        if self._guard is not None:
            self._guard.cancel()
            await asyncio.gather(self._guard, return_exceptions=True)
        if self._child is None:
            return
        if self._child.returncode is None:
            await self._ask_to_end(self._child)
        await self._clean_up(self._child)
        self.is_ready = False

    async def _ask_to_end(self, child: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            child.send_signal(self.process.stop_signal)
        try:
            async with asyncio.timeout(self.process.stop_within.total_seconds()):
                await child.wait()
        except TimeoutError:
            self._logs.news(
                f"{self.process.name} (pid {child.pid}) did not stop within"
                f" {self.process.stop_within.total_seconds():g} s: killed",
                is_bad=True,
            )

    async def _spawn(self, environment: Mapping[str, str], folder: Path) -> None:
        command = (*self.process.prefix, *guarded(self.process.command, python=sys.executable))
        # A pipe of asyncio's own would hide a death for as long as a grandchild holds the pipe.
        reading, writing = os.pipe()
        try:
            self._child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )
        finally:
            os.close(writing)
        self._groups.add(self._child.pid)
        self._logs.note(f"started {self.process.name} (pid {self._child.pid})")
        self._pump = asyncio.create_task(self._read_lines(reading))

    async def _read_lines(self, descriptor: int) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
        )
        rest = b""
        with closing(transport):
            while chunk := await reader.read(READ_BYTES):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._logs.line(self.process.name, line.decode(errors="replace").rstrip("\r"))
        if rest:
            self._logs.line(self.process.name, rest.decode(errors="replace"))

    async def _wait_until_ready(self) -> None:
        child, name = self._child, self.process.name
        assert child is not None  # It was spawned just before.
        until = time.monotonic() + self.process.ready_within.total_seconds()
        pause = FIRST_PROBE_SECONDS
        while True:
            if child.returncode is not None:
                await self._clean_up(child)
                raise self._failure(f"{name} ended while starting: {ending(child.returncode)}")
            if await self.process.is_ready():
                break
            if time.monotonic() > until:
                within = self.process.ready_within.total_seconds()
                raise self._failure(f"{name} (pid {child.pid}) was not ready within {within:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, LONGEST_PROBE_SECONDS)
        self.is_ready = True

    def _failure(self, what: str) -> StartFailed:
        name = self.process.name
        return StartFailed(
            f"{what}\n--- the end of {self._logs.path(name)}\n{self._logs.tail(name)}\n---"
        )

    async def _watch(self, environment: Mapping[str, str], folder: Path) -> None:
        deaths: deque[float] = deque(maxlen=self._policy.most_deaths)
        while not self._is_stopping:
            child = self._child
            assert child is not None  # It was spawned before the watch began.
            code = await child.wait()
            self.is_ready = False
            await self._clean_up(child)
            deaths.append(time.monotonic())
            self._logs.news(
                f"{self.process.name} (pid {child.pid}) died: {ending(code)}", is_bad=True
            )
            if self._has_died_too_often(deaths):
                self._give_up(len(deaths))
                return
            await self._start_again(environment, folder, deaths=len(deaths))

    def _has_died_too_often(self, deaths: deque[float]) -> bool:
        window = self._policy.within.total_seconds()
        while deaths and time.monotonic() - deaths[0] > window:
            deaths.popleft()
        return len(deaths) >= self._policy.most_deaths

    def _give_up(self, deaths: int) -> None:
        self.has_failed = True
        within = self._policy.within.total_seconds()
        self._logs.news(
            f"{self.process.name} died {deaths} times within {within:g} s and stays down;"
            f" its log is {self._logs.path(self.process.name)}",
            is_bad=True,
        )

    async def _start_again(
        self, environment: Mapping[str, str], folder: Path, *, deaths: int
    ) -> None:
        began = time.monotonic()
        await asyncio.sleep(self._policy.pause(deaths).total_seconds())
        await self._spawn(environment, folder)
        self.restarts += 1
        try:
            await self._wait_until_ready()
        except StartFailed as exc:
            self._logs.news(str(exc), is_bad=True)
            self.kill_group()
            return
        took = time.monotonic() - began
        self._logs.news(f"{self.process.name} (pid {self.pid}) is back after {took:.1f} s")

    async def _clean_up(self, child: asyncio.subprocess.Process) -> None:
        # What the process started may outlive it, and would hold its ports, files and pipe.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
        self._groups.remove(child.pid)
        if self._pump is not None:
            await asyncio.wait({self._pump}, timeout=1)
            self._pump.cancel()


def ending(code: int) -> str:
    """Say how a process ended: its status, or the signal's name."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"
