"""Points of death are found at each await of ours, named, and met once where they were ordained."""

import asyncio
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

from local.chaos.doom import Doom
from local.chaos.doomed import Points, Stepped, places_of
from tests.bus_server import ROOT
from workers.runtime.waiting import first_of

_PROGRAM = """
import asyncio, uvloop
from workers.runtime.waiting import first_of
async def main():
    await first_of(asyncio.sleep(0.01), seconds=5)
    print("alive", flush=True)
uvloop.run(main())
"""


def test_an_await_of_ours_is_named_by_its_line_and_by_what_it_waits_in() -> None:
    waiting = first_of(asyncio.sleep(1), seconds=1)

    async def look() -> list[str]:
        task = asyncio.create_task(waiting)
        await asyncio.sleep(0)
        places = places_of(task.get_coro())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return places

    (place,) = asyncio.run(look())

    name, _, beneath = place.partition(" in ")
    assert name.startswith("workers.runtime.waiting.first_of:")
    assert beneath == "wait"


def test_an_await_of_others_is_no_point() -> None:
    async def look() -> list[str]:
        task = asyncio.create_task(asyncio.sleep(1))
        await asyncio.sleep(0)
        places = places_of(task.get_coro())
        task.cancel()
        return places

    assert asyncio.run(look()) == []


def test_each_await_is_two_points_and_what_the_coroutine_gives_and_raises_comes_through(
    tmp_path: Path,
) -> None:
    doom = Doom(tmp_path / "w")
    points = Points(doom)

    async def live() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(lambda loop, made: asyncio.Task(Stepped(made, points), loop=loop))
        await asyncio.create_task(first_of(asyncio.sleep(0), seconds=1))
        given = await asyncio.create_task(_seven())
        assert given == 7
        late = asyncio.create_task(first_of(asyncio.Event().wait(), seconds=60))
        await asyncio.sleep(0)
        late.cancel()
        (fault,) = await asyncio.gather(late, return_exceptions=True)
        assert isinstance(fault, asyncio.CancelledError)

    asyncio.run(live())

    moments = Counter(point.partition(" ")[0] for point in doom.seen())
    assert moments["at"] >= 1
    assert moments["past"] >= 1


async def _seven() -> int:
    await asyncio.sleep(0)
    return 7


def doomed(base: Path, module: Path) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "local.chaos.doomed", str(base), module.stem)
    environment = {"PYTHONPATH": f"{ROOT}:{module.parent}", "PATH": ""}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def test_a_process_dies_where_it_was_told_and_whoever_takes_its_place_lives(tmp_path: Path) -> None:
    module = tmp_path / "chaos_doomed_program.py"
    module.write_text(_PROGRAM)
    doom = Doom(tmp_path / "w")

    first = doomed(doom.base, module)
    point = min(known for known in doom.seen() if known.startswith("past"))
    doom.ordain([point], signal.SIGKILL)
    second = doomed(doom.base, module)
    third = doomed(doom.base, module)

    assert (first.returncode, first.stdout) == (0, "alive\n"), first.stderr
    assert (second.returncode, second.stdout) == (-signal.SIGKILL, ""), second.stderr
    assert (third.returncode, third.stdout) == (0, "alive\n"), third.stderr
    assert doom.struck() == [point]
    assert doom.ordained() is None


_API = """
import anyio, uvicorn
from fastapi import FastAPI
from workers.runtime.waiting import first_of
app = FastAPI()
@app.get("/")
async def answer():
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0.01)
    await first_of(anyio.sleep(0.01), seconds=5)
    return "well"
config = uvicorn.Config(app, port=0, log_level="info")
server = uvicorn.Server(config)
@app.get("/leave")
async def leave():
    server.should_exit = True
server.run()
"""


def test_an_api_answers_with_points_in_it(tmp_path: Path) -> None:
    module = tmp_path / "chaos_doomed_api.py"
    module.write_text(_API)
    doom = Doom(tmp_path / "api")
    command = (sys.executable, "-m", "local.chaos.doomed", str(doom.base), module.stem)
    environment = {"PYTHONPATH": f"{ROOT}:{module.parent}", "PATH": ""}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            line = next(line for line in process.stderr if "running on" in line)
            address = line.split("running on ")[1].split()[0]
            answers = [
                urllib.request.urlopen(address + path, timeout=10).read()
                for path in ("/", "/leave")
            ]
            left = process.wait(timeout=20)
        finally:
            process.kill()

    assert answers == [b'"well"', b"null"]
    assert left == 0
    assert any("first_of" in point for point in doom.seen())
