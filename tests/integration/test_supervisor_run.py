"""A run: its folder, its ports, its logs and its Ctrl-C."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from local.provision.context import StaffLogin
from local.supervisor.logs import LogBook
from local.supervisor.parts import Part, Process, SystemFailed
from local.supervisor.ports import reserve_ports
from local.supervisor.run import Options, clean_environment, run_folder, supervised


class OneSleeper:
    """A description of one process that does nothing."""

    urls: Mapping[str, str] = {"edge": "http://127.0.0.1:1"}
    environment: Mapping[str, str] = {}
    staff: tuple[StaffLogin, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        async def at_once() -> bool:
            return True

        return (Process(name="sleeper", command=("sleep", "600"), is_ready=at_once),)

    def environment_of(self, name: str) -> Mapping[str, str]:
        return {"COMANDA_NAME": name}


def test_runs_side_by_side_get_folders_of_their_own(tmp_path: Path) -> None:
    options = Options(root=tmp_path)

    with run_folder(options) as first, run_folder(options) as second:
        assert first != second


def test_a_run_by_name_refuses_to_share_its_folder(tmp_path: Path) -> None:
    options = Options(root=tmp_path, name="mine")

    refused = pytest.raises(SystemFailed, match="another run holds mine")
    with run_folder(options), refused, run_folder(options):
        pass


def test_a_fresh_run_begins_empty_and_another_goes_on(tmp_path: Path) -> None:
    with run_folder(Options(root=tmp_path, name="a")) as folder:
        (folder / "state").write_text("1")
    with run_folder(Options(root=tmp_path, name="a", is_fresh=False)) as folder:
        kept = (folder / "state").exists()
    with run_folder(Options(root=tmp_path, name="a")) as folder:
        wiped = not (folder / "state").exists()

    assert kept
    assert wiped


def test_two_runs_never_reserve_the_same_port() -> None:
    with reserve_ports(40) as first, reserve_ports(40) as second:
        assert len({*first, *second}) == 80


def test_preferred_ports_are_kept_when_all_are_free_and_else_none() -> None:
    with reserve_ports(2) as wanted, reserve_ports(2, preferred=wanted) as others:
        assert not {*wanted} & {*others}

    with reserve_ports(2, preferred=wanted) as again:
        assert again == wanted


def test_neither_an_account_of_aws_nor_a_proxy_leaks_into_children() -> None:
    environ = {"AWS_PROFILE": "prod", "HTTPS_PROXY": "x", "COMANDA_STAGE": "prod", "HOME": "/h"}

    kept = clean_environment(environ)

    assert {"AWS_PROFILE", "HTTPS_PROXY", "COMANDA_STAGE"}.isdisjoint(kept)
    assert kept["HOME"] == "/h"


def test_the_terminal_shows_trouble_and_the_file_has_all(tmp_path: Path) -> None:
    screen = StringIO()
    logs = LogBook(tmp_path, console=Console(file=screen, width=200))

    logs.line("orders", '{"level":"info","event":"fine"}')
    logs.line("orders", '{"level":"error","event":"[bad] thing"}')
    logs.line("postgres", "FATAL:  could not write to file")
    logs.line("orders", "{not json, ERROR or not")
    logs.close()

    assert "fine" not in screen.getvalue()
    assert "[bad] thing" in screen.getvalue()
    assert "could not write" in screen.getvalue()
    assert "fine" in (tmp_path / "orders.log").read_text()


def test_our_own_knocking_at_a_database_that_starts_is_no_trouble(tmp_path: Path) -> None:
    screen = StringIO()
    logs = LogBook(tmp_path, console=Console(file=screen, width=200))

    logs.line("postgres", "FATAL:  the database system is starting up")
    logs.close()

    assert screen.getvalue() == ""
    assert "starting up" in (tmp_path / "postgres.log").read_text()


async def test_a_system_tells_of_its_processes_and_ends_them(tmp_path: Path) -> None:
    options = Options(root=tmp_path)
    async with supervised(OneSleeper(), folder=tmp_path, options=options) as system:
        pid = system.processes["sleeper"].pid
        assert pid is not None
        assert system.env_for("sleeper") == {"COMANDA_NAME": "sleeper"}
        assert system.urls["edge"]

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_ctrl_c_stops_in_order_and_leaves_nothing(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, str(Path.cwd() / "tests" / "integration"))
from test_supervisor_run import OneSleeper
from local.supervisor.run import Options, supervised
async def main():
    folder = Path(sys.argv[1])
    async with supervised(OneSleeper(), folder=folder, options=Options(root=folder)) as system:
        print(system.processes["sleeper"].pid, flush=True)
        await asyncio.sleep(600)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    sys.exit(7)
"""
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        str(tmp_path),
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    pid = int(await child.stdout.readline())

    child.send_signal(signal.SIGINT)
    _, errors = await child.communicate()

    assert child.returncode == 7
    assert b"stopping; once more to kill" in errors
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
