"""One run from start to verdict."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from local.chaos.breakable import Breakable, breakable_system
from local.chaos.customers import Customers
from local.chaos.errands import errands_in
from local.chaos.history import History, violations
from local.chaos.hunting import Patience, hunt
from local.chaos.injecting import Injector
from local.chaos.kitchen import kitchen_faults, work_off
from local.chaos.plan import Fault, Scope, Targets, draw_plan
from local.chaos.points import Struck
from local.chaos.settling import Verdict, settle
from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.provision.context import REPOSITORY
from local.supervisor import Options
from local.supervisor.parts import RestartPolicy

# Chaos kills more often than a supervisor forgives.
_FORGIVING = RestartPolicy(longest_pause=timedelta(seconds=1), most_deaths=1_000)
# Patience of a client, sweeps once a minute, and a hidden message's half minute, twice over.
_SETTLING = timedelta(seconds=240)
# What goes wrong beside a hunt: whatever leaves the workers themselves to it.
_BESIDES = ("network", "cut connections", "lock a table", "slow queries", "bus", "bank", "dynamodb")
_HUNTS_PACE = 0.25


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """How hard a run is: seconds of faults, faults a second, people who buy side by side."""

    seed: int
    seconds: float
    pace: float = 1.0
    people: int = 12
    # None named means all.
    kinds: tuple[str, ...] = ()
    # Without end let each worker and API fall at each of its points, besides what the plan says.
    at_every_point: bool = False
    # Instead of `seconds`: until each worker fell at each line at which it waits.
    hunts: bool = False
    root: Path = REPOSITORY / ".comanda"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a run did and found."""

    trial: Trial
    faults: Counter[str]
    missed: Counter[str]
    orders: int
    by_status: Counter[str]
    given_up: tuple[str, ...]
    broken: tuple[str, ...]
    verdict: Verdict
    points: tuple[Struck, ...] = ()
    # Orders on a board when the storm was over; what the kitchen owes, or made too much.
    deaths: int = 0
    errands: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    made_last: int = 0
    unmade: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing was violated and nothing lies dead."""
        verdict = self.verdict
        found = (self.broken, self.unmade, verdict.offenders, verdict.dead, verdict.stuck)
        return not any(found)


async def run_trial(trial: Trial) -> Outcome:
    """Start a laptop, break it for a while, heal it, and judge it; raise `SystemFailed`."""
    options = Options(root=trial.root, policy=_FORGIVING)
    async with breakable_system(options, has_hunt=trial.hunts) as laptop:
        history, began = History(), time.monotonic()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            injector, errands = await _storm(laptop, session, trial, history)
            await injector.heal()
            took = time.monotonic() - began
            verdict = await settle(laptop.system, patience=_SETTLING)
            shopper = Shopper(session, doors_of(laptop.system))
            made_last = await work_off(shopper, verdict.books)
        verdict = await settle(laptop.system, patience=_SETTLING)
        return Outcome(
            trial=trial,
            faults=injector.done,
            missed=injector.missed,
            orders=len(history.orders),
            by_status=Counter(verdict.statuses.values()),
            given_up=tuple(history.given_up),
            broken=tuple(violations(history, final=verdict.statuses)),
            verdict=verdict,
            points=injector.fates.told(),
            deaths=_deaths(laptop) if trial.hunts else 0,
            errands=errands,
            seconds=took,
            made_last=made_last,
            unmade=tuple(kitchen_faults(verdict.books)),
        )


async def _storm(
    laptop: Breakable, session: aiohttp.ClientSession, trial: Trial, history: History
) -> tuple[Injector, Counter[str]]:
    doors = doors_of(laptop.system)
    customers = Customers(
        shopper=Shopper(session, doors),
        session=session,
        doors=doors,
        history=history,
        dice=random.Random(trial.seed),
    )
    dsn = laptop.system.env_for("payments")["COMANDA_DATABASE_URL"]
    injector = Injector(laptop, session, dsn=dsn)
    if trial.hunts:
        return injector, await _hunt(laptop, trial, customers, injector)
    plan, targets = _plan(laptop, trial, seconds=trial.seconds)
    began = time.monotonic()
    reaped = targets.doomed if trial.at_every_point else ()
    async with _errands(laptop, trial, customers) as done:
        await asyncio.gather(
            customers.crowd(until=began + trial.seconds, people=trial.people),
            injector.carry_out(plan, began=began),
            injector.reap(reaped, until=began + trial.seconds),
        )
    return injector, done


@asynccontextmanager
async def _errands(
    laptop: Breakable, trial: Trial, customers: Customers
) -> AsyncIterator[Counter[str]]:
    """Let errands be run in each shop for as long as the block lasts; count them after it."""
    runs = [errands_in(shop, customers, laptop, seed=trial.seed) for shop in customers.doors.shops]
    done = Counter[str]()
    async with _meanwhile(*(it.run() for it in runs)):
        yield done
    for it in runs:
        done.update(it.done)


@asynccontextmanager
async def _meanwhile(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do all this besides, and stop with the block; raise what went wrong with it."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for fault in ended:
        if isinstance(fault, Exception):
            raise fault


def _plan(laptop: Breakable, trial: Trial, *, seconds: float) -> tuple[list[Fault], Targets]:
    targets = Targets(
        processes=tuple(laptop.system.processes),
        links=tuple(laptop.network.links),
        doomed=tuple(laptop.dooms),
        has_volume=laptop.volume is not None,
    )
    scope = Scope(seconds=seconds, pace=trial.pace, kinds=trial.kinds)
    return draw_plan(trial.seed, scope=scope, targets=targets), targets


async def _hunt(
    laptop: Breakable, trial: Trial, customers: Customers, injector: Injector
) -> Counter[str]:
    """Hunt the workers while people buy, run errands and what they stand on fails now and then."""
    patience = Patience(longest=trial.seconds)
    began = time.monotonic()
    until = began + patience.longest
    milder = replace(trial, kinds=trial.kinds or _BESIDES, pace=min(trial.pace, _HUNTS_PACE))
    plan, _ = _plan(laptop, milder, seconds=patience.longest)
    async with (
        _errands(laptop, trial, customers) as done,
        _meanwhile(
            customers.crowd(until=until, people=trial.people),
            injector.carry_out(plan, began=began),
        ),
    ):
        await hunt(laptop, patience=patience)
    return done


def _deaths(laptop: Breakable) -> int:
    return sum(len(doom.falls()) for doom in laptop.dooms.values())
