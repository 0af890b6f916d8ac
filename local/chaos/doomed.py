"""Run a worker or an API in whose every await there are two points to die at.

`python -m local.chaos.doomed BASE MODULE` becomes `python -m MODULE`, with a coroutine of ours
around that of each task. Nothing of this is in the module's own code, nor in what is shipped.

A task that gives way is *at* the await: what it asked for may be under way. When it goes on it is
*past* it: the answer is there (a commit has happened, say) and nothing has been done with it yet.
"""

import asyncio
import os
import runpy
import sys
import threading
import time
from collections.abc import Coroutine, Generator, Sequence
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from local.chaos.doom import Doom
from local.loops import wrap_runs
from local.provision.context import REPOSITORY

_LOOK_EVERY = 0.05
_OURS = tuple(str(REPOSITORY / name) + os.sep for name in ("workers", "comanda"))
# Every call to AWS waits there; whose call it is, is the more telling name.
_WIRE = str(REPOSITORY / "workers" / "runtime" / "wire") + os.sep


class Points:
    """The points of this process, and the one that it must not live past."""

    def __init__(self, doom: Doom) -> None:
        self._doom = doom
        self._known = doom.seen()
        self._ordained = doom.ordained()

    def watch(self) -> None:
        """Look now and then for what is ordained; never returns."""
        while True:
            time.sleep(_LOOK_EVERY)
            self._ordained = self._doom.ordained()

    def meet(self, moment: str, places: Sequence[str]) -> None:
        """Note that the last of the places, the innermost, is met; fall if it is ordained."""
        point = f"{moment} {places[-1]}"
        if point not in self._known:
            self._known.add(point)
            self._doom.note_seen([point])
        ordained = self._ordained
        if ordained is not None and point in ordained[0]:
            self._ordained = None
            self._doom.withdraw()
            self._doom.note_struck(point)
            os.kill(os.getpid(), ordained[1])


class Stepped(Coroutine[Any, Any, Any]):
    """A coroutine whose steps are met by the points."""

    def __init__(self, inner: Coroutine[Any, Any, Any], points: Points) -> None:
        self._inner = inner
        self._points = points
        self._places: list[str] = []

    def send(self, value: Any) -> Any:
        """Go on from one await to the next."""
        if self._places:
            self._points.meet("past", self._places)
        yielded = self._inner.send(value)
        self._rest()
        return yielded

    def throw(self, *fault: Any) -> Any:
        """Go on by a fault: a cancellation, for one."""
        yielded = self._inner.throw(*fault)
        self._rest()
        return yielded

    def close(self) -> None:
        """End the coroutine within."""
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        # Whoever looks at a task's coroutine, as anyio does, is to see the one within.
        return getattr(self._inner, name)

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self._inner.__await__())

    def _rest(self) -> None:
        self._places = places_of(self._inner)
        if self._places:
            self._points.meet("at", self._places)


def places_of(awaited: Any) -> list[str]:
    """Name the lines of ours that wait, the innermost last, with what of others' that waits in."""
    ours: list[tuple[CodeType, int]] = []
    beneath = ""
    while (frame := _frame_of(awaited)) is not None:
        code = frame.f_code
        if code.co_filename.startswith(_OURS) and not code.co_filename.startswith(_WIRE):
            ours.append((code, frame.f_lineno))
            beneath = ""
        elif not beneath:
            beneath = f" in {code.co_name.strip('_')}"
        awaited = _next_of(awaited, frame)
    places = [_named(code, line) for code, line in ours]
    return [*places[:-1], places[-1] + beneath] if places else []


@cache
def _named(code: CodeType, line: int) -> str:
    module = Path(code.co_filename).relative_to(REPOSITORY).with_suffix("")
    return f"{'.'.join(module.parts)}.{code.co_qualname}:{line}"


def _frame_of(awaited: Any) -> FrameType | None:
    for name in ("cr_frame", "ag_frame", "gi_frame"):
        frame = getattr(awaited, name, None)
        if frame is not None:
            return frame if isinstance(frame, FrameType) else None
    return None


def _next_of(awaited: Any, frame: FrameType) -> Any:
    # What a context manager made of a generator waits for, the generator alone can tell.
    if frame.f_code.co_name in ("__aenter__", "__aexit__") and "contextlib" in frame.f_globals.get(
        "__name__", ""
    ):
        return getattr(frame.f_locals.get("self"), "gen", None)
    for name in ("cr_await", "ag_await", "gi_yieldfrom"):
        if (found := getattr(awaited, name, None)) is not None:
            return found
    return None


def main(base: str, module: str) -> None:
    """Become the module."""
    become(module, Points(Doom(Path(base))))


def become(module: str, points: Points) -> None:
    """Run the module, met by the points, as if it had been started by its name."""
    threading.Thread(target=points.watch, daemon=True, name="doom").start()
    wrap_runs(lambda coroutine: _stepping(coroutine, points))
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


async def _stepping(coroutine: Coroutine[Any, Any, Any], points: Points) -> Any:
    loop = asyncio.get_running_loop()

    def make(
        loop: asyncio.AbstractEventLoop, made: Coroutine[Any, Any, Any], **words: Any
    ) -> "asyncio.Task[Any]":
        return asyncio.Task(Stepped(made, points), loop=loop, **words)

    loop.set_task_factory(make)  # type: ignore[arg-type]  # Its type allows for futures as well.
    return await loop.create_task(coroutine)


if __name__ == "__main__":
    main(*sys.argv[1:])
