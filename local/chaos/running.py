"""One run from start to verdict."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp

from local.chaos.customers import Customers
from local.chaos.history import History, violations
from local.chaos.injecting import Injector
from local.chaos.plan import draw_plan
from local.chaos.settling import Verdict, settle
from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.provision.context import REPOSITORY
from local.supervisor import Options, System, running_system
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
    root: Path = REPOSITORY / ".comanda"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a run did and found."""

    trial: Trial
    faults: Counter[str]
    missed: int
    orders: int
    by_status: Counter[str]
    given_up: tuple[str, ...]
    broken: tuple[str, ...]
    verdict: Verdict

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing was violated and nothing lies dead."""
        return not (self.broken or self.verdict.offenders or self.verdict.dead)


async def run_trial(trial: Trial) -> Outcome:
    """Start a laptop, break it for a while, heal it, and judge it; raise `SystemFailed`."""
    async with running_system(Options(root=trial.root, policy=_FORGIVING)) as system:
        history = History()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            injector = await _storm(system, session, trial, history)
            await injector.heal()
        verdict = await settle(system, patience=_SETTLING)
        return Outcome(
            trial=trial,
            faults=injector.done,
            missed=injector.missed,
            orders=len(history.orders),
            by_status=Counter(verdict.statuses.values()),
            given_up=tuple(history.given_up),
            broken=tuple(violations(history, final=verdict.statuses)),
            verdict=verdict,
        )


async def _storm(
    system: System, session: aiohttp.ClientSession, trial: Trial, history: History
) -> Injector:
    doors = doors_of(system)
    customers = Customers(
        shopper=Shopper(session, doors),
        session=session,
        doors=doors,
        history=history,
        dice=random.Random(trial.seed),
    )
    dsn = system.env_for("payments")["COMANDA_DATABASE_URL"]
    injector = Injector(system, session, dsn=dsn)
    plan = draw_plan(
        trial.seed, seconds=trial.seconds, processes=tuple(system.processes), pace=trial.pace
    )
    began = time.monotonic()
    await asyncio.gather(
        customers.crowd(until=began + trial.seconds, people=trial.people),
        injector.carry_out(plan, began=began),
    )
    return injector
