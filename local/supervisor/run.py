"""One whole laptop for as long as an `async with` block lasts; the door of this package."""

import asyncio
import fcntl
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rich.console import Console

from local.provision.context import REPOSITORY, StaffLogin
from local.supervisor.logs import LogBook
from local.supervisor.parts import Part, RestartPolicy, SystemFailed
from local.supervisor.supervisor import ProcessView, Supervisor

MOST_RUNS = 50


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to start; every run has a folder of its own under `root`.

    Without a `name` the first one that no other run holds is taken. A fresh run begins with an
    empty folder; otherwise it goes on with what the last run of that name left. With a guard each
    program is held to its IAM policy (`local.iam`). With traces a collector keeps spans
    (`local.traces`).
    """

    verbose: bool = False
    name: str | None = None
    is_fresh: bool = True
    is_guarded: bool = False
    has_traces: bool = False
    root: Path = REPOSITORY / ".comanda"
    policy: RestartPolicy = field(default_factory=RestartPolicy)


class Description(Protocol):
    """What a run consists of; `local.system` describes the laptop."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Give the processes and steps."""

    @property
    def urls(self) -> Mapping[str, str]:
        """Give the addresses by name."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Give what leads a process to the stand-ins."""

    @property
    def staff(self) -> tuple[StaffLogin, ...]:
        """Give who can sign in as staff."""

    def environment_of(self, name: str) -> Mapping[str, str]:
        """Give the variables of one process."""


class System:
    """A running laptop."""

    def __init__(self, description: Description, supervisor: Supervisor, *, folder: Path) -> None:
        self.folder = folder
        self._description = description
        self._supervisor = supervisor

    @property
    def urls(self) -> Mapping[str, str]:
        """Give the addresses: `edge`, `mercadopago`, `bus`, `ministack` and each service."""
        return self._description.urls

    @property
    def environment(self) -> Mapping[str, str]:
        """Give the variables that lead a client of AWS to the stand-ins."""
        return self._description.environment

    @property
    def staff(self) -> tuple[StaffLogin, ...]:
        """Give the logins of all shops' staff."""
        return self._description.staff

    @property
    def processes(self) -> Mapping[str, ProcessView]:
        """Tell how each process is: id, ready, restarts, log."""
        return self._supervisor.views()

    def env_for(self, name: str) -> Mapping[str, str]:
        """Give the variables of ours that a process was started with."""
        return self._description.environment_of(name)

    def kill(self, name: str, *, sent: signal.Signals = signal.SIGKILL) -> int:
        """Kill a process as a fault would; the supervisor starts it again. Give the old id."""
        return self._supervisor.kill(name, sent=sent)

    async def halt(self, name: str) -> None:
        """Stop a process in good order; it stays down until `resume`."""
        await self._supervisor.halt(name)

    async def resume(self, name: str) -> None:
        """Start a halted process, and wait until it is ready."""
        await self._supervisor.resume(name)

    async def wait_until_failed(self) -> None:
        """Wait, maybe for ever, until a process has died too often; raise `SystemFailed`."""
        while True:
            failed = [view.name for view in self.processes.values() if view.has_failed]
            if failed:
                raise SystemFailed(f"these died too often and stay down: {', '.join(failed)}")
            await asyncio.sleep(0.2)


@asynccontextmanager
async def running_system(options: Options | None = None) -> AsyncIterator[System]:
    """Start the laptop, wait until all is ready, stop it in order; raise `SystemFailed`."""
    # The description knows the supervisor's words, so the supervisor meets it only here.
    from local.places import write_places

    chosen = options or Options()
    with run_folder(chosen) as folder, _described(folder, chosen) as laptop:
        async with supervised(laptop, folder=folder, options=chosen) as system:
            write_places(folder, urls=system.urls, staff=system.staff)
            yield system


@contextmanager
def _described(folder: Path, options: Options) -> Iterator[Description]:
    from local.system import describe_laptop

    with describe_laptop(
        folder, cache=options.root / "cache", has_traces=options.has_traces
    ) as laptop:
        if not options.is_guarded:
            yield laptop
            return
        from local.iam.laptop import guarded_laptop

        with guarded_laptop(laptop, folder=folder) as guarded:
            yield guarded


@asynccontextmanager
async def supervised(
    description: Description, *, folder: Path, options: Options
) -> AsyncIterator[System]:
    """Start what is described in that folder, and stop it at the end of the block."""
    console = Console(stderr=True, highlight=False)
    logs = LogBook(folder / "logs", console=console, is_verbose=options.verbose)
    supervisor = Supervisor(
        description.parts,
        folder=REPOSITORY,
        logs=logs,
        environment=clean_environment(os.environ),
        policy=options.policy,
    )
    try:
        with _interruptible(supervisor, logs) as interruption:
            await supervisor.start()
            try:
                yield System(description, supervisor, folder=folder)
            finally:
                interruption.begin_stopping()
                await supervisor.stop()
    finally:
        logs.close()


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Give what children inherit: neither the user's AWS account nor a proxy may leak in."""
    alien = ("AWS_", "COMANDA_", "OTEL_", "PG", "DATABASE_URL")
    kept = {
        name: text
        for name, text in environ.items()
        if not name.startswith(alien) and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(REPOSITORY)}


@contextmanager
def run_folder(options: Options) -> Iterator[Path]:
    """Hold a folder that no other run holds."""
    names = [options.name] if options.name else [f"run-{n}" for n in range(1, MOST_RUNS)]
    options.root.mkdir(parents=True, exist_ok=True)
    for name in names:
        lock = os.open(options.root / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                folder = options.root / name
                if options.is_fresh:
                    shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(exist_ok=True)
                yield folder
                return
        finally:
            os.close(lock)
    raise SystemFailed(f"another run holds {' and '.join(names[:1])} in {options.root}")


class _Interruption:
    """Ctrl-C: the first time all is stopped in order, the second time at once."""

    def __init__(self, supervisor: Supervisor, logs: LogBook) -> None:
        self._supervisor = supervisor
        self._logs = logs
        self._body = asyncio.current_task()
        self._is_stopping = False
        self.has_happened = False

    def begin_stopping(self) -> None:
        """From now on an interruption is the second one."""
        self._is_stopping = True
        self.listen()

    def listen(self) -> None:
        """Hear SIGINT and SIGTERM; only the main thread can."""
        with suppress(ValueError, RuntimeError):
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, self._hear)

    def _hear(self) -> None:
        if self._is_stopping:
            self._logs.news("killing everything", is_bad=True)
            self._supervisor.kill_all()
            return
        self._is_stopping = True
        self.has_happened = True
        self._logs.news("stopping; once more to kill")
        if self._body is not None:
            self._body.cancel()


@contextmanager
def _interruptible(supervisor: Supervisor, logs: LogBook) -> Iterator[_Interruption]:
    interruption = _Interruption(supervisor, logs)
    interruption.listen()
    try:
        yield interruption
    except asyncio.CancelledError:
        if interruption.has_happened:
            raise KeyboardInterrupt from None
        raise
    finally:
        with suppress(ValueError, RuntimeError):
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().remove_signal_handler(number)
