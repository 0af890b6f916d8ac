"""A hunted program falls wherever nobody fell yet, rises from what is loaded, and ends alone."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.chaos.doom import Doom
from tests.bus_server import ROOT

_PROGRAM = """
import asyncio, uvloop
from workers.runtime.waiting import first_of
async def main():
    await first_of(asyncio.sleep(0.01), seconds=5)
    print("alive", flush=True)
    raise SystemExit(3)
if __name__ == "__main__":
    uvloop.run(main())
"""
_WAITING = """
import asyncio, signal, uvloop
from workers.runtime.waiting import first_of
async def main():
    leaving = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leaving.set)
    print("alive", flush=True)
    await first_of(leaving.wait(), seconds=60)
    print("left", flush=True)
if __name__ == "__main__":
    uvloop.run(main())
"""


def command(doom: Doom, module: Path) -> tuple[str, ...]:
    return (sys.executable, "-m", "local.chaos.hunted", str(doom.base), module.stem)


def environment(module: Path) -> dict[str, str]:
    return {"PYTHONPATH": f"{ROOT}:{module.parent}", "PATH": ""}


@contextmanager
def running(doom: Doom, module: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command(doom, module), cwd=ROOT, env=environment(module), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_falls_once_at_every_line_that_waits_and_then_lives(tmp_path: Path) -> None:
    module = tmp_path / "chaos_hunted_program.py"
    module.write_text(_PROGRAM)
    doom = Doom(tmp_path / "w")
    doom.hunt()

    done = subprocess.run(
        command(doom, module),
        cwd=ROOT,
        env=environment(module),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (3, "alive\n"), done.stderr
    assert doom.seen() == set(doom.struck())
    assert len(doom.struck()) == len(set(doom.struck()))
    assert len(doom.falls()) >= 2
    assert {point.split()[0] for point in doom.seen()} == {"at", "past"}


def test_who_is_asked_to_leave_in_a_hunt_has_an_heir_and_without_one_leaves(tmp_path: Path) -> None:
    module = tmp_path / "chaos_hunted_waiting.py"
    module.write_text(_WAITING)
    doom = Doom(tmp_path / "w")
    with running(doom, module) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        assert next(lines) == "alive\n"
        doom.hunt()
        # It falls as it comes to the line and as it leaves it, whichever it did first.
        asyncio.run(_until_struck(doom, {"at", "past"}, process=process))
        doom.spare()
        process.send_signal(signal.SIGTERM)
        told = list(lines)
        code = process.wait(timeout=20)

    assert code == 0
    assert told[-1] == "left\n"
    assert len(doom.falls()) >= 2


async def _until_struck(doom: Doom, moments: set[str], *, process: subprocess.Popen[str]) -> None:
    async with asyncio.timeout(90):
        while not moments <= {point.split()[0] for point in doom.struck()}:
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
