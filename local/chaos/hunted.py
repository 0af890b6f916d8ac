"""Run a worker that falls at each line at which it waits and nobody fell yet, and rises at once.

`python -m local.chaos.hunted BASE MODULE` loads the module and forks one worker after the other
from what is loaded, as long as the hunt is on: starting anew would take a second for each of some
hundred deaths. A worker that ends by itself, or dies when there is no hunt, takes all of it along,
as without us.

All lines of ours that wait when a task gives way, or goes on, are points, not the innermost alone:
so each step of each handler is died at, not only the calls that they share.
"""

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from local.chaos.doom import Doom
from local.chaos.doomed import Points, become
from workers.runtime import service

# What is done once an hour, or seldomer than the hunted live, would never be died at.
_LONGEST_TURN = timedelta(seconds=4)


class Prey(Points):
    """The points of a worker that is hunted."""

    def __init__(self, doom: Doom) -> None:
        super().__init__(doom)
        self._struck = set(doom.struck())

    def meet(self, moment: str, places: Sequence[str]) -> None:
        """Note all lines that wait; fall if nobody fell at one of them."""
        points = {f"{moment} {place}" for place in places}
        if fresh := points - self._known:
            self._known |= fresh
            self._doom.note_seen(sorted(fresh))
        new = points - self._struck
        if not new or not self._doom.is_hunted:
            return
        self._struck |= new
        self._doom.note_struck(*sorted(new))
        self._doom.note_loaded(sys.modules)
        os.kill(os.getpid(), signal.SIGKILL)


class Lineage:
    """One worker after the other, of which one lives."""

    def __init__(self, doom: Doom, module: str) -> None:
        self._doom = doom
        self._module = module
        self._heir = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)

    def live(self) -> None:
        """Go on until the hunt is over and the last one has ended, and end as that one did."""
        while True:
            self._load()
            self._heir = os.fork()
            if self._heir == 0:
                self._be()
                return
            _, status = os.waitpid(self._heir, 0)
            fell = os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
            if not (fell and self._doom.is_hunted):
                _end_as(status)

    def _load(self) -> None:
        """Import what the last one had imported when it fell, so that the next need not."""
        for name in sorted(self._doom.loaded() - set(sys.modules)):
            with suppress(ImportError):
                importlib.import_module(name)

    def _be(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        sys.modules.pop(self._module, None)
        become(self._module, Prey(self._doom))

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            if self._heir > 0:
                os.kill(self._heir, number)


def _end_as(status: int) -> None:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


def _hurry() -> None:
    """Let every schedule have its turn within a hunt."""
    repeat: Any = vars(service)["_repeat"]

    async def often(schedule: service.Schedule) -> None:
        await repeat(replace(schedule, every=min(schedule.every, _LONGEST_TURN)))

    vars(service)["_repeat"] = often


def main(base: str, module: str) -> None:
    """Be the worker, again and again."""
    importlib.import_module(module)
    _hurry()
    Lineage(Doom(Path(base)), module).live()


if __name__ == "__main__":
    main(*sys.argv[1:])
