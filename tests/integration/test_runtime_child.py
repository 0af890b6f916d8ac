"""A supervised process: started again, killed when it stalls, told to leave once and twice."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from workers.runtime.child import Child

LINK = (
    "import os, signal, socket, sys, time;"
    "link = socket.socket(fileno=int(os.environ['COMANDA_PARENT_FD']));"
)
FORGETS_TERM = "signal.signal(signal.SIGTERM, lambda *_: None);"


def child(
    program: str, *, patience: float = 10, stall: float = 30, arguments: tuple[str, ...] = ()
) -> Child:
    return Child(
        "0",
        (sys.executable, "-c", LINK + program, *arguments),
        patience=timedelta(seconds=patience),
        longest_stall=timedelta(seconds=stall),
    )


async def until(condition: Callable[[], bool], *, within: float = 10) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(subject: Child) -> AsyncIterator[asyncio.Task[int]]:
    task = asyncio.create_task(subject.run())
    yield task
    if not task.done():
        subject.stop()
        await asyncio.wait_for(task, 15)


async def test_a_process_that_dies_is_started_again_after_growing_pauses(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    note = "open(sys.argv[1], 'a').write(f'{time.monotonic()}\\n'); sys.exit(3)"
    subject = child(note, arguments=(str(starts),))

    async with running(subject):
        await until(lambda: subject.starts == 3)
        await until(lambda: len(starts.read_text().splitlines()) == 3)

    first, second = (b - a for a, b in pairwise(map(float, starts.read_text().split())))
    assert first >= 0.5
    assert second >= first + 0.25


async def test_a_process_that_says_nothing_for_too_long_is_killed_and_started_again() -> None:
    subject = child("time.sleep(60)", stall=0.3)

    async with running(subject):
        await until(lambda: subject.starts == 2)


async def test_a_process_that_beats_is_left_alone() -> None:
    subject = child("[(link.send(b'.'), time.sleep(0.1)) for _ in range(600)]", stall=0.8)

    async with running(subject):
        await asyncio.sleep(2)
        assert subject.starts == 1


async def test_the_port_is_heard_among_the_beats() -> None:
    subject = child("link.send(b'..81'); time.sleep(0.2); link.send(b'.23\\n'); time.sleep(60)")

    async with running(subject):
        await until(lambda: subject.port is not None)
        assert subject.port == 8123


async def test_a_process_that_leaves_well_when_told_gives_its_status() -> None:
    subject = child(
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); link.send(b'1\\n'); time.sleep(60)"
    )

    async with running(subject) as task:
        await until(lambda: subject.port == 1)
        subject.stop()
        assert await asyncio.wait_for(task, 5) == 0
    assert subject.starts == 1


async def test_a_second_stop_reaches_the_process_too() -> None:
    # Its "port" tells how far it is: 1 when it listens to signals, and it leaves at the second.
    subject = child(
        "told = []; signal.signal(signal.SIGTERM, lambda *_: told.append(1)); link.send(b'1\\n')\n"
        "while len(told) < 2: time.sleep(0.01)\n"
        "sys.exit(7)"
    )

    async with running(subject) as task:
        await until(lambda: subject.port == 1)
        subject.stop()
        await asyncio.sleep(0.2)
        assert not task.done()
        subject.stop()
        assert await asyncio.wait_for(task, 5) == 7


async def test_a_process_that_will_not_leave_is_killed() -> None:
    subject = child(f"{FORGETS_TERM}link.send(b'1\\n');\nwhile True: time.sleep(1)", patience=0.5)

    async with running(subject) as task:
        await until(lambda: subject.port == 1)
        subject.stop()
        assert await asyncio.wait_for(task, 5) == -9


async def test_a_process_that_is_told_to_leave_while_it_is_born_left_well() -> None:
    subject = child("time.sleep(60)")

    async with running(subject) as task:
        await asyncio.sleep(0)
        subject.stop()
        assert await asyncio.wait_for(task, 5) == 0


async def test_a_stop_between_two_lives_ends_the_pause() -> None:
    subject = child("sys.exit(3)")

    async with running(subject) as task:
        await until(lambda: subject.starts == 3)
        subject.stop()
        await asyncio.wait_for(task, 1)


async def test_a_process_that_cannot_even_be_started_is_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "program"
    subject = Child("0", (str(program),), patience=timedelta(seconds=5))

    async with running(subject):
        await asyncio.sleep(0.1)
        assert subject.starts == 0
        program.write_text("#!/bin/sh\nsleep 60\n")
        program.chmod(0o755)
        await until(lambda: subject.starts == 1)
