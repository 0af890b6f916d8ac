"""The supervisor with real processes: order, restart, stop, and nothing left behind."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from local.supervisor.logs import LogBook
from local.supervisor.parts import Part, Process, RestartPolicy, Step, SystemFailed, WrongPlan
from local.supervisor.ports import reserve_ports
from local.supervisor.probes import http, tcp
from local.supervisor.running import StartFailed
from local.supervisor.supervisor import Supervisor

SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
print("listening", os.environ.get("GREETING"))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER
PARENT = "import subprocess, sys; subprocess.Popen(['sleep', '600'])\n" + SERVER
QUICK = RestartPolicy(first_pause=timedelta(milliseconds=10), most_deaths=3)


@pytest.fixture
def screen() -> StringIO:
    return StringIO()


@pytest.fixture
def logs(tmp_path: Path, screen: StringIO) -> Iterator[LogBook]:
    book = LogBook(tmp_path / "logs", console=Console(file=screen, width=200))
    yield book
    book.close()


@pytest.fixture
def port() -> Iterator[int]:
    with reserve_ports(1) as (port,):
        yield port


def server(port: int, *, name: str = "server", code: str = SERVER, **more: object) -> Process:
    return Process(
        name=name,
        command=(sys.executable, "-u", "-c", code, str(port)),
        is_ready=http(f"http://127.0.0.1:{port}/"),
        **more,  # type: ignore[arg-type]
    )


@asynccontextmanager
async def running(
    *parts: Part, logs: LogBook, policy: RestartPolicy = QUICK
) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(
        parts, folder=Path.cwd(), logs=logs, environment=dict(os.environ), policy=policy
    )
    await supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def members_of_group(group: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


async def eventually(condition: "object", *, within: float = 8) -> None:
    until = time.monotonic() + within
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_parts_start_when_what_they_need_is_ready(logs: LogBook) -> None:
    order: list[str] = []

    def step(name: str, *needs: str) -> Step:
        async def run() -> None:
            await asyncio.sleep(0.01)
            order.append(name)

        return Step(name=name, needs=needs, run=run)

    async with running(step("c", "b"), step("b", "a"), step("a"), logs=logs):
        pass

    assert order == ["a", "b", "c"]


async def test_a_process_gets_the_environment_that_a_step_found_out(
    logs: LogBook, port: int
) -> None:
    found: dict[str, str] = {}

    async def find_out() -> None:
        found["GREETING"] = "bom dia"

    parts = (
        Step(name="step", run=find_out),
        server(port, needs=("step",), environment=lambda: found),
    )
    async with running(*parts, logs=logs):
        await eventually(lambda: "bom dia" in logs.tail("server"))


async def test_nothing_is_left_after_stop_not_even_grandchildren(logs: LogBook, port: int) -> None:
    async with running(server(port, code=PARENT), logs=logs) as supervisor:
        pid = supervisor.views()["server"].pid
        assert pid is not None
        await eventually(lambda: len(members_of_group(pid)) == 2)

    assert members_of_group(pid) == []


async def test_a_process_that_ignores_sigterm_is_killed(
    logs: LogBook, port: int, screen: StringIO
) -> None:
    process = server(port, code=STUBBORN, stop_within=timedelta(milliseconds=200))
    async with running(process, logs=logs) as supervisor:
        pid = supervisor.views()["server"].pid
        assert pid is not None

    assert not is_alive(pid)
    assert "did not stop within 0.2 s" in screen.getvalue()


async def test_a_killed_process_is_announced_and_started_again(
    logs: LogBook, port: int, screen: StringIO
) -> None:
    async with running(server(port), logs=logs) as supervisor:
        old = supervisor.kill("server")
        await eventually(lambda: supervisor.views()["server"].restarts == 1)
        await eventually(lambda: supervisor.views()["server"].is_ready)

        assert supervisor.views()["server"].pid != old
        assert f"server (pid {old}) died: signal SIGKILL" in screen.getvalue()
        await eventually(lambda: "is back after" in screen.getvalue())


async def test_a_process_that_keeps_dying_stays_down(
    logs: LogBook, port: int, screen: StringIO
) -> None:
    async with running(server(port), logs=logs) as supervisor:
        view = lambda: supervisor.views()["server"]  # noqa: E731
        for _ in range(QUICK.most_deaths):
            await eventually(lambda: view().is_ready)
            supervisor.kill("server")
            await eventually(lambda: not view().is_ready)
        await eventually(lambda: view().has_failed)

        assert "died 3 times within 60 s and stays down" in screen.getvalue()


async def test_a_process_that_fails_to_start_shows_the_end_of_its_log(
    logs: LogBook, port: int
) -> None:
    process = server(port, code="import sys; sys.exit('no such table: pratos')")

    with pytest.raises(StartFailed, match=r"status 1(.|\n)*no such table: pratos"):
        async with running(process, logs=logs):
            pass


async def test_a_process_that_is_never_ready_fails_by_its_deadline(logs: LogBook) -> None:
    process = Process(
        name="sleeper",
        command=("sleep", "600"),
        is_ready=tcp(1),
        ready_within=timedelta(milliseconds=200),
    )

    with pytest.raises(SystemFailed, match=r"was not ready within 0.2 s"):
        async with running(process, logs=logs):
            pass


async def test_a_failed_start_stops_what_had_started(logs: LogBook, port: int) -> None:
    supervisor = Supervisor(
        (
            server(port),
            Process(name="bad", command=("false",), is_ready=tcp(1), needs=("server",)),
        ),
        folder=Path.cwd(),
        logs=logs,
        environment=dict(os.environ),
    )

    with pytest.raises(StartFailed):
        await supervisor.start()

    assert supervisor.views()["server"].pid is None
    assert not await http(f"http://127.0.0.1:{port}/")()


async def test_no_orphan_is_left_when_the_supervisor_is_killed(tmp_path: Path, port: int) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        f"""
import asyncio, os, sys
from pathlib import Path
from rich.console import Console
from local.supervisor.logs import LogBook
from local.supervisor.parts import Process
from local.supervisor.probes import http
from local.supervisor.supervisor import Supervisor
async def main():
    process = Process(name="server", is_ready=http("http://127.0.0.1:{port}/"),
        command=(sys.executable, "-c", {PARENT!r}, "{port}"))
    supervisor = Supervisor((process,), folder=Path.cwd(), environment=dict(os.environ),
        logs=LogBook(Path({str(tmp_path)!r}), console=Console()))
    await supervisor.start()
    print(supervisor.views()["server"].pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    )
    keeper = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        stdout=asyncio.subprocess.PIPE,
    )
    assert keeper.stdout is not None
    pid = int(await keeper.stdout.readline())
    await eventually(lambda: len(members_of_group(pid)) == 2)

    keeper.send_signal(signal.SIGKILL)
    await keeper.wait()

    await eventually(lambda: members_of_group(pid) == [])


def test_a_plan_that_cannot_start_is_refused() -> None:
    async def run() -> None: ...

    with pytest.raises(WrongPlan, match="wait for each other"):
        Supervisor(
            (Step(name="a", needs=("b",), run=run), Step(name="b", needs=("a",), run=run)),
            folder=Path.cwd(),
            logs=LogBook.__new__(LogBook),
            environment={},
        )


def test_the_pause_before_a_restart_doubles_up_to_its_limit() -> None:
    policy = RestartPolicy(first_pause=timedelta(seconds=1), longest_pause=timedelta(seconds=5))

    assert [policy.pause(n).total_seconds() for n in (1, 2, 3, 4, 50)] == [1, 2, 4, 5, 5]
