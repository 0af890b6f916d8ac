"""Run the day: people come in seven waves, and during each something happens to the shop."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import aiohttp

from console.audit.reading import read_books
from console.door import Door
from console.places import find_places
from local.chaos.settling import Verdict, settle
from local.demo.client import Shopper
from local.demo.day.books import Evening, disagreements
from local.demo.day.customers import Counter, draw_fates
from local.demo.day.owner import Owner
from local.demo.day.receipts import Drawer, Fate
from local.demo.doors import StaffLogin, doors_of
from local.supervisor import System

OUTAGES = ("payments-worker", "bus", "postgres")
AT_THE_COUNTER = 32
_PATIENCE = timedelta(seconds=180)
_LOOK_AGAIN = 2.0
Tell = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class Day:
    """What a day was, and all in which books and people differ after it."""

    drawer: Drawer
    evening: Evening
    verdict: Verdict
    faults: tuple[str, ...]
    seconds: float

    @property
    def is_good(self) -> bool:
        """Tell whether all agree, no invariant is broken and no letter is dead."""
        return not (self.faults or self.verdict.offenders or self.verdict.dead)


@dataclass(frozen=True, kw_only=True, slots=True)
class Visits:
    """How many people come, the seed of who does what, and how long each outage lasts."""

    orders: int
    seed: int = 1
    outage_seconds: float = 4.0


@dataclass(kw_only=True)
class _Shift:
    """One shop and all who are in it during the day."""

    system: System
    counter: Counter
    owner: Owner
    tell: Tell
    outage_seconds: float
    inside: int = 0
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_THE_COUNTER))

    async def wave(self, fates: list[Fate], name: str, act: Callable[[], Awaitable[str]]) -> None:
        """Serve a wave of people while something happens."""
        _, came_of_it = await asyncio.gather(
            asyncio.gather(*(self._serve(fate) for fate in fates)), act()
        )
        self.tell(name, came_of_it)

    async def _serve(self, fate: Fate) -> None:
        async with self.room:
            self.inside += 1
            try:
                await self.counter.serve(fate)
            finally:
                self.inside -= 1

    async def outage(self, process: str) -> str:
        """Take a process away for a while, in the middle of all that goes on."""
        await self.system.halt(process)
        try:
            await asyncio.sleep(self.outage_seconds)
            waiting = self.inside
        finally:
            await self.system.resume(process)
        return f"{process} was away for {self.outage_seconds:.0f} s, with {waiting} people inside"


async def run_day(
    system: System,
    *,
    session: aiohttp.ClientSession,
    visits: Visits,
    tell: Tell,
) -> Day:
    """Live through a day at the first shop, and read its books in the evening.

    Raises `WalkFailed` where a door breaks its contract towards the owner.
    """
    began = time.monotonic()
    rng = random.Random(visits.seed)
    doors = doors_of(system)
    owners = {
        str(login.shop): StaffLogin(username=login.username, password=login.password)
        for login in system.staff
        if "owner" in login.groups
    }
    shop = doors.shops[0]
    counter = Counter(Shopper(session, doors), shop, drawer=Drawer(), rng=rng)
    owner = Owner(Shopper(session, replace(doors, kitchens=owners)), counter)
    shift = _Shift(
        system=system,
        counter=counter,
        owner=owner,
        tell=tell,
        outage_seconds=visits.outage_seconds,
    )
    tell("menu", await owner.import_menu())
    await _live(shift, draw_fates(visits.orders, rng=rng))
    await counter.end_codes()
    return await _close(shift, began=began)


async def _live(shift: _Shift, fates: list[Fate]) -> None:
    owner = shift.owner
    acts: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        ("morning", _nothing),
        ("sold out", owner.sell_out),
        *[(f"outage {n}", _outage(shift, it)) for n, it in enumerate(OUTAGES, start=1)],
        ("new price", owner.raise_a_price),
        ("closed", owner.close_for_a_while),
    ]
    for number, (name, act) in enumerate(acts):
        await shift.wave(fates[number :: len(acts)], name, act)


async def _nothing() -> str:
    return "people come"


def _outage(shift: _Shift, process: str) -> Callable[[], Awaitable[str]]:
    return lambda: shift.outage(process)


async def _close(shift: _Shift, *, began: float) -> Day:
    """Wait until all has come to rest, or the patience is over; then read the books."""
    seconds = time.monotonic() - began
    deadline = time.monotonic() + _PATIENCE.total_seconds()
    while True:
        verdict = await settle(shift.system, patience=_PATIENCE)
        evening = await asyncio.to_thread(_read, shift)
        faults = tuple(disagreements(evening, shift.counter.drawer))
        if not faults or shift.counter.drawer.angry or time.monotonic() > deadline:
            return Day(
                drawer=shift.counter.drawer,
                evening=evening,
                verdict=verdict,
                faults=faults,
                seconds=seconds,
            )
        await asyncio.sleep(_LOOK_AGAIN)


def _read(shift: _Shift) -> Evening:
    shop = shift.counter.shop
    places = find_places(shift.system.folder / "places.json")
    door = Door(places.edge, logins=places.logins)
    return Evening.of(
        read_books(shop, places=places, door=door, days=7),
        levels=door.read(shop, f"/apis/catalog/{shop}/stock")["levels"],
        ledger=door.read(shop, f"/apis/catalog/{shop}/audit/ledger")["levels"],
        scarce=shift.counter.dish()["id"],
    )
