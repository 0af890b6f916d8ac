"""One run from start to verdict."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp

from local.chaos.breakable import Breakable, breakable_system
from local.chaos.customers import Customers
from local.chaos.history import History, violations
from local.chaos.injecting import Injector
from local.chaos.kitchen import kitchen_faults, work_off
from local.chaos.plan import Scope, Targets, draw_plan
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
    made_last: int = 0
    unmade: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing was violated and nothing lies dead."""
        found = (self.broken, self.unmade, self.verdict.offenders, self.verdict.dead)
        return not any(found)


async def run_trial(trial: Trial) -> Outcome:
    """Start a laptop, break it for a while, heal it, and judge it; raise `SystemFailed`."""
    async with breakable_system(Options(root=trial.root, policy=_FORGIVING)) as laptop:
        history = History()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            injector = await _storm(laptop, session, trial, history)
            await injector.heal()
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
            made_last=made_last,
            unmade=tuple(kitchen_faults(verdict.books)),
        )


async def _storm(
    laptop: Breakable, session: aiohttp.ClientSession, trial: Trial, history: History
) -> Injector:
    system = laptop.system
    doors = doors_of(system)
    customers = Customers(
        shopper=Shopper(session, doors),
        session=session,
        doors=doors,
        history=history,
        dice=random.Random(trial.seed),
    )
    dsn = system.env_for("payments")["COMANDA_DATABASE_URL"]
    injector = Injector(laptop, session, dsn=dsn)
    targets = Targets(
        processes=tuple(system.processes),
        links=tuple(laptop.network.links),
        doomed=tuple(laptop.dooms),
        has_volume=laptop.volume is not None,
    )
    scope = Scope(seconds=trial.seconds, pace=trial.pace, kinds=trial.kinds)
    plan = draw_plan(trial.seed, scope=scope, targets=targets)
    began = time.monotonic()
    reaped = targets.doomed if trial.at_every_point else ()
    await asyncio.gather(
        customers.crowd(until=began + trial.seconds, people=trial.people),
        injector.carry_out(plan, began=began),
        injector.reap(reaped, until=began + trial.seconds),
    )
    return injector
