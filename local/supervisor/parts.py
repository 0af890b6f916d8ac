"""What the supervisor is told to start: processes that stay, and steps that are done once."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

Probe = Callable[[], Awaitable[bool]]


def _nothing() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process that stays up; it starts once all that it needs is ready.

    The environment is asked for when the process starts, so that it may hold what a step found
    out. `prefix` stands before the wrapper that ties the process to the supervisor.
    """

    name: str
    command: tuple[str, ...]
    is_ready: Probe
    needs: tuple[str, ...] = ()
    environment: Callable[[], Mapping[str, str]] = _nothing
    prefix: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    ready_within: timedelta = timedelta(seconds=30)
    stop_within: timedelta = timedelta(seconds=8)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something done once, in this process, when all that it needs is ready."""

    name: str
    run: Callable[[], Awaitable[None]]
    needs: tuple[str, ...] = ()


Part = Process | Step


class SystemFailed(Exception):
    """The laptop could not be started, or a process of it died too often."""


class WrongPlan(Exception):
    """The parts cannot be started in any order, or two have one name."""


@dataclass(frozen=True, kw_only=True)
class RestartPolicy:
    """How soon and how often a process that died is started again."""

    first_pause: timedelta = timedelta(milliseconds=100)
    longest_pause: timedelta = timedelta(seconds=5)
    most_deaths: int = 6
    within: timedelta = timedelta(minutes=1)

    def pause(self, deaths: int) -> timedelta:
        """Give the pause after so many deaths in a row: doubled each time, up to the longest."""
        return min(self.first_pause * (1 << min(deaths - 1, 16)), self.longest_pause)


def check_plan(parts: tuple[Part, ...]) -> None:
    """Raise `WrongPlan` unless each part needs only parts that can come before it."""
    names = [part.name for part in parts]
    if len(set(names)) != len(names):
        raise WrongPlan(f"two parts have one name: {sorted(names)}")
    started: set[str] = set()
    waiting = {part.name: set(part.needs) for part in parts}
    while waiting:
        able = {name for name, needs in waiting.items() if needs <= started}
        if not able:
            raise WrongPlan(f"these wait for each other or for what is not there: {waiting}")
        started |= able
        waiting = {name: needs for name, needs in waiting.items() if name not in able}
