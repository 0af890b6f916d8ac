"""The drill: people buy, both databases are backed up and lost, and come back as they were.

What was acknowledged before the point in time must be there again. What was paid after it must end
as an order, a refund or a case, which is for the sweeps over the provider's own list to see to.
"""

import asyncio
import random
import re
import signal
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from console.door import DoorClosed
from local.chaos.customers import Customers
from local.chaos.history import History
from local.chaos.settling import Verdict, settle
from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.provision.context import REPOSITORY
from local.recovery.disowning import disown
from local.recovery.postgres import back_up, newest_segment_age, restore, segments_since
from local.recovery.tables import Shipper
from local.supervisor import Options, System, running_system
from local.supervisor.parts import RestartPolicy
from local.supervisor.run import run_folder

# An order that is acknowledged is committed; a mark of the journal may be so much older than now.
_SKEW = 1.0
# A crowded machine sells slowly, and a loss of nothing would prove nothing.
_PATIENCE = 60.0
_SETTLING = timedelta(seconds=200)
# Each look signs in as staff of each shop, and the door bounds how often.
_LOOK_AGAIN = 12.0
_RUN = "recovery"


@dataclass(frozen=True, kw_only=True, slots=True)
class Drill:
    """How long people buy before the backup, until the point in time, and after it; seconds."""

    before: float = 6.0
    between: float = 6.0
    after: float = 8.0
    people: int = 6
    seed: int = 1
    root: Path = REPOSITORY / ".comanda"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """What the drill found; times are seconds.

    The `lags` are what a loss without warning would have cost at that moment (RPO); `service` and
    `books` are from the loss until an order is paid again, and until the audit is clean (RTO).
    """

    kept: int
    gone: tuple[str, ...]
    undone: int
    postgres_lag: float
    tables_lag: float
    service: float
    books: float
    verdict: Verdict

    @property
    def is_sound(self) -> bool:
        """Tell whether all that was to be kept is there, and the audit is clean."""
        return not (self.gone or self.verdict.offenders or unexplained(self.verdict))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Loss:
    until: datetime
    postgres_lag: float
    tables_lag: float
    kept: frozenset[str]
    later: frozenset[str]


async def run_drill(drill: Drill) -> Recovered:
    """Do it all; raise `SystemFailed` when the laptop does not start."""
    options = Options(
        root=drill.root, name=_RUN, is_fresh=False, policy=RestartPolicy(most_deaths=100)
    )
    # Another drill that runs now holds the folder, and must not lose it.
    with run_folder(replace(options, is_fresh=True)) as folder:
        (folder / "postgres" / "archive").mkdir(parents=True)
    backup, shipper = (
        folder / "backup",
        Shipper(folder / "ministack" / "dynamodb", target=folder / "shipped"),
    )
    async with running_system(options) as system:
        loss = await _lose(system, drill, backup=backup, shipper=shipper)
    began = time.monotonic()
    restore(backup, folder=folder / "postgres", until=loss.until)
    shipper.restore(folder / "ministack" / "dynamodb", until=loss.until)
    async with running_system(options) as system:
        await _sell_one(system)
        service = time.monotonic() - began
        verdict = await _settled(system)
        books = time.monotonic() - began
    return Recovered(
        kept=len(loss.kept),
        gone=tuple(sorted(loss.kept - set(verdict.statuses))),
        undone=len(loss.later - set(verdict.statuses)),
        postgres_lag=loss.postgres_lag,
        tables_lag=loss.tables_lag,
        service=service,
        books=books,
        verdict=verdict,
    )


async def _lose(system: System, drill: Drill, *, backup: Path, shipper: Shipper) -> _Loss:
    history = History()
    shipping = asyncio.create_task(shipper.run())
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        customers = _customers(system, session, history, seed=drill.seed)
        length = drill.before + drill.between + drill.after
        crowd = asyncio.create_task(
            customers.crowd(until=time.monotonic() + length + _PATIENCE, people=drill.people)
        )
        await asyncio.sleep(drill.before)
        data = system.folder / "postgres" / "data"
        dsn = system.env_for("payments")["COMANDA_DATABASE_URL"]
        await asyncio.to_thread(back_up, dsn, data=data, target=backup)
        await asyncio.sleep(drill.between)
        point, until = time.monotonic(), datetime.now(UTC)
        await asyncio.sleep(drill.after)
        await _until_sold(history, system.folder / "postgres" / "archive", after=point)
        tables_lag = time.time() - shipper.last_mark.at
        postgres_lag = newest_segment_age(system.folder / "postgres" / "archive", now=time.time())
        for name in ("postgres", "ministack"):
            system.kill(name, sent=signal.SIGKILL)
        crowd.cancel()
        shipping.cancel()
        await asyncio.gather(crowd, shipping, return_exceptions=True)
    kept = {sight.order_id for sight in history.sights if sight.told < point - _SKEW}
    return _Loss(
        until=until,
        postgres_lag=postgres_lag,
        tables_lag=tables_lag,
        kept=frozenset(kept),
        later=frozenset(history.orders - kept),
    )


async def _until_sold(history: History, archive: Path, *, after: float) -> None:
    """Wait until an order that began after a moment is archived, or the patience is over."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        known = {sight.order_id for sight in history.sights if sight.told < after}
        later = [sight.told for sight in history.sights if sight.order_id not in known]
        # The segment of that moment may be the one that is just being written.
        if (
            later
            and segments_since(archive, moment=min(later) - time.monotonic() + time.time()) > 1
        ):
            return
        await asyncio.sleep(0.5)


async def _settled(system: System) -> Verdict:
    """Read the books until they agree and no dead letter lacks an explanation."""
    deadline = time.monotonic() + _SETTLING.total_seconds()
    while True:
        is_late = time.monotonic() > deadline
        try:
            verdict = await settle(system, patience=timedelta())
        except DoorClosed:
            if is_late:
                raise
        else:
            await asyncio.to_thread(disown, system)
            if is_late or not (verdict.offenders or unexplained(verdict)):
                return verdict
        await asyncio.sleep(_LOOK_AGAIN)


def unexplained(verdict: Verdict) -> list[str]:
    """Give the dead letters that are not about an order which the restore took back."""
    found = (re.search(r"unknown order ([0-9a-f-]{36})", line) for line in verdict.dead)
    return [
        line
        for line, about in zip(verdict.dead, found, strict=True)
        if about is None or about[1] in verdict.statuses
    ]


async def _sell_one(system: System) -> None:
    """Take an order and have it paid, as the first customer after a loss."""
    doors = doors_of(system)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        shopper = Shopper(session, doors)
        shop = doors.shops[0]
        token = await shopper.guest_token(shop)
        product: dict[str, Any] = (await shopper.menu(shop))[-1]
        lines = [{"product_id": product["id"], "quantity": 1}]
        order = await shopper.order(shop, lines, token=token, key=f"recovery-{time.time_ns()}")
        await shopper.pay(order["pix"]["code"])
        await shopper.order_until(order, token=token, has="paid_at")


def _customers(
    system: System, session: aiohttp.ClientSession, history: History, *, seed: int
) -> Customers:
    doors = doors_of(system)
    return Customers(
        shopper=Shopper(session, doors),
        session=session,
        doors=doors,
        history=history,
        dice=random.Random(seed),
    )
