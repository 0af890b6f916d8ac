"""One soak: find the load that the laptop bears, put half of it on, look every ten seconds."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import aiohttp

from console.door import DoorClosed
from local.chaos.settling import Verdict, settle
from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.places import write_places
from local.provision.context import REPOSITORY
from local.soak.judging import Growth, Series, judge, percentile
from local.soak.load import Counter, Served
from local.soak.vitals import Vitals, look
from local.supervisor import Options, System
from local.supervisor.parts import Part, Process
from local.supervisor.run import Description, run_folder, supervised
from local.supervisor.wrapped import Wrapped
from local.system import CONTEXTS, DOORS, SCREENS, describe_laptop

# The stand-ins keep their state in memory, so that of theirs grows with the orders: not ours.
WATCHED = (*DOORS, *CONTEXTS, *(f"{name}-worker" for name in CONTEXTS), SCREENS)
# After an hour the books are long, and reading them once takes minutes.
_SETTLING = timedelta(seconds=300)


@dataclass(frozen=True, kw_only=True, slots=True)
class Soak:
    """How long, in seconds, how often it is looked, and how the bearable load is found."""

    seconds: float
    every: float = 10.0
    measuring: float = 20.0
    people: int = 16
    root: Path = REPOSITORY / ".comanda"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a soak found: orders a second borne and put on, and what went how."""

    soak: Soak
    borne: float
    orders: int
    faults: tuple[str, ...]
    series: tuple[Series, ...]
    growths: tuple[Growth, ...]
    restarts: int
    verdict: Verdict
    # Why the books were not read, if they were not: then the verdict says nothing.
    unread: str = ""

    @property
    def is_flat(self) -> bool:
        """Tell whether nothing grew, failed, died or was violated."""
        judged = (self.unread, self.verdict.offenders, self.verdict.dead)
        found = (self.faults, self.restarts, *judged)
        return not any(found) and not any(it.is_too_much for it in self.growths)


async def run_soak(soak: Soak) -> Outcome:
    """Start a laptop, soak it, judge it; raise `SystemFailed`."""
    async with _watched_system(Options(root=soak.root)) as system:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            watch = _Watch(system)
            counter = Counter(
                shopper=Shopper(session, doors_of(system)),
                shops=doors_of(system).shops,
                tell=watch.now,
            )
            borne = await counter.measure(seconds=soak.measuring, people=soak.people)
            until = time.monotonic() + soak.seconds
            async with asyncio.TaskGroup() as group:
                group.create_task(counter.crowd(rate=borne / 2, until=until))
                group.create_task(watch.look_until(until, every=soak.every))
            # Whoever came last was served after the last look.
            watch.take()
        verdict, unread = await _settled(system)
        series = watch.series()
        return Outcome(
            soak=soak,
            borne=borne,
            orders=watch.orders,
            faults=tuple(watch.faults),
            series=series,
            growths=tuple(judge(it) for it in series),
            restarts=sum(view.restarts for view in system.processes.values()),
            verdict=verdict,
            unread=unread,
        )


async def _settled(system: System) -> tuple[Verdict, str]:
    """Read the books; what was seen in an hour is told even if they cannot be read, and why."""
    try:
        return await settle(system, patience=_SETTLING), ""
    except DoorClosed as exc:
        nothing = Verdict(offenders=(), statuses={}, dead=(), redriven=0, open_cases=0)
        return nothing, str(exc)


class _Watch:
    """Looks, and what customers met between them."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._looks: list[tuple[float, Mapping[str, Vitals], Served]] = []
        self.served = Served()
        self.faults: list[str] = []
        self.orders = 0

    def now(self) -> Served:
        """Give where a customer who comes now leaves word."""
        return self.served

    async def look_until(self, until: float, *, every: float) -> None:
        """Look at all parts now and then until `until` (monotonic seconds)."""
        began = time.monotonic()
        while time.monotonic() + every <= until:
            await asyncio.sleep(every)
            views = {name: self._system.processes[name].pid for name in WATCHED}
            pids = {name: pid for name, pid in views.items() if pid is not None}
            seen = await asyncio.to_thread(look, pids, tasks=self._system.folder / "tasks")
            self._looks.append((time.monotonic() - began, seen, self.take()))

    def take(self) -> Served:
        """Give what customers met since this was last asked, and count it."""
        served, self.served = self.served, Served()
        self.orders += len(served.kitchen_seconds)
        self.faults += served.faults
        return served

    def series(self) -> tuple[Series, ...]:
        """Give all that was seen, by what it is and whose."""
        seen = [
            self._of_process(name, kind)
            for kind in ("memory_mb", "handles", "tasks")
            for name in WATCHED
            # The door's server starts its loop by itself, and tells no tasks.
            if (name, kind) != ("edge", "tasks")
        ]
        waits = [
            self._of_customers(field, part)
            for field in ("code_seconds", "kitchen_seconds")
            for part in (0.5, 0.95)
        ]
        return (*seen, *waits)

    def _of_process(self, name: str, kind: str) -> Series:
        points = (
            (at, float(getattr(seen[name], kind))) for at, seen, _ in self._looks if name in seen
        )
        return Series(name=name, kind=kind, points=tuple(points))

    def _of_customers(self, field: str, part: float) -> Series:
        points = (
            (at, percentile(waited, part))
            for at, _, served in self._looks
            if (waited := getattr(served, field))
        )
        what = {"code_seconds": "order to code", "kitchen_seconds": "paid to kitchen"}[field]
        return Series(name=f"{what}, {part:.0%}", kind="seconds", points=tuple(points))


@asynccontextmanager
async def _watched_system(options: Options) -> AsyncIterator[System]:
    with (
        run_folder(options) as folder,
        describe_laptop(folder, cache=options.root / "cache") as laptop,
    ):
        (folder / "tasks").mkdir(exist_ok=True)
        described = _Watched(laptop, tasks=folder / "tasks")
        async with supervised(described, folder=folder, options=options) as system:
            write_places(folder, urls=system.urls, staff=system.staff)
            yield system


class _Watched(Wrapped):
    """The laptop's description, whose own processes tell how many tasks they have."""

    def __init__(self, description: Description, *, tasks: Path) -> None:
        super().__init__(description)
        self._tasks = tasks

    @property
    def parts(self) -> tuple[Part, ...]:
        """Give the laptop's parts, watched."""
        return tuple(map(self._watched, self._description.parts))

    def _watched(self, part: Part) -> Part:
        if not isinstance(part, Process) or part.name not in WATCHED:
            return part
        file = str(self._tasks / part.name)
        words = part.command[part.command.index("-m") + 1 :]
        return replace(part, command=(sys.executable, "-m", "local.soak.watched", file, *words))
