"""Faults are done, counted and taken back; what finds nobody is counted apart."""

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.chaos.breakable import Breakable
from local.chaos.doom import Doom
from local.chaos.injecting import Injector
from local.chaos.plan import _WEIGHTS, Fault
from local.proxy import Network

NOBODY_THERE = "postgresql://127.0.0.1:1/payments"


@dataclass
class Room:
    """A volume that notes what was done to it."""

    did: list[str]

    def fill(self) -> None:
        self.did.append("fill")

    def free(self) -> None:
        self.did.append("free")


@pytest.fixture
async def laptop(tmp_path: Path) -> Any:
    process = await asyncio.create_subprocess_exec("sleep", "60")
    views = {"orders-worker": SimpleNamespace(pid=process.pid, is_ready=True)}
    urls = {"bus": "http://127.0.0.1:1", "orders": "http://127.0.0.1:2"}
    network: Any = Network(urls)
    network.lead("edge", urls["orders"])
    system: Any = SimpleNamespace(processes=views, urls=urls)
    volume: Any = Room([])
    dooms = {"orders-worker": Doom(tmp_path / "orders-worker")}
    yield Breakable(system=system, network=network, dooms=dooms, volume=volume)
    if process.returncode is None:
        process.kill()
    await process.wait()
    await network.close()


def injector(laptop: Breakable) -> Injector:
    session: Any = None
    return Injector(laptop, session, dsn=NOBODY_THERE)


def fault(kind: str, target: str, *, seconds: float = 0.05, **words: Any) -> Fault:
    return Fault(at=0.0, kind=kind, target=target, seconds=seconds, words=words)


async def done(subject: Injector, *plan: Fault) -> None:
    await subject.carry_out(plan, began=time.monotonic())
    await asyncio.gather(*subject._running)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_every_kind_of_fault_that_is_drawn_can_be_done(laptop: Breakable) -> None:
    assert set(injector(laptop)._acts) == set(_WEIGHTS)


async def test_who_is_frozen_goes_on_when_it_is_over(laptop: Breakable) -> None:
    subject = injector(laptop)
    pid = laptop.system.processes["orders-worker"].pid
    assert pid is not None

    await subject.carry_out([fault("freeze", "orders-worker", seconds=0.3)], began=time.monotonic())
    while state(pid) != "T":
        await asyncio.sleep(0.001)
    await asyncio.gather(*subject._running)

    assert state(pid) != "T"
    assert subject.done == {"freeze": 1}


async def test_a_link_misbehaves_for_its_time_alone(laptop: Breakable) -> None:
    subject = injector(laptop)
    link = laptop.network.links["edge to orders"]

    await subject.carry_out(
        [fault("network", "edge to orders", seconds=0.2, misdeed="reset")], began=time.monotonic()
    )
    while link._misdeed is None:
        await asyncio.sleep(0.001)
    reader, _ = await asyncio.open_connection("127.0.0.1", link.port)
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    await asyncio.gather(*subject._running)

    assert subject.done == {"network: reset": 1}
    assert link._misdeed is None


async def test_a_disk_is_freed_again(laptop: Breakable) -> None:
    subject, volume = injector(laptop), laptop.volume
    await done(subject, fault("disk full", "postgres"))

    assert isinstance(volume, Room)
    assert volume.did == ["fill", "free"]
    assert subject.done == {"disk full": 1}


async def test_what_finds_nobody_is_counted_apart(laptop: Breakable) -> None:
    subject = injector(laptop)
    await done(
        subject,
        fault("network", "edge to orders", misdeed="delay", late=0.1),
        fault("cut connections", "cut connections"),
        fault("at a point", "orders-worker", sent="SIGKILL"),
    )

    assert not subject.done
    assert subject.missed == {"network: delay": 1, "cut connections": 1, "at a point: SIGKILL": 1}


async def test_a_worker_that_froze_at_a_point_is_woken(laptop: Breakable) -> None:
    subject, doom = injector(laptop), laptop.dooms["orders-worker"]
    pid = laptop.system.processes["orders-worker"].pid
    assert pid is not None
    doom.note_seen(["at a"])

    await subject.carry_out(
        [fault("at a point", "orders-worker", sent="SIGSTOP")], began=time.monotonic()
    )
    while (told := doom.ordained()) is None:
        await asyncio.sleep(0.01)
    # What the worker's own points would do.
    doom.withdraw()
    doom.note_struck("at a")
    await asyncio.gather(*subject._running)

    assert told == ({"at a"}, signal.SIGSTOP)
    assert subject.done == {"at a point: SIGSTOP": 1}
    assert subject._frozen == set()


async def test_parts_fall_one_after_the_other_until_the_time_is_over(laptop: Breakable) -> None:
    subject, doom = injector(laptop), laptop.dooms["orders-worker"]
    doom.note_seen(["at a", "past a"])
    until = time.monotonic() + 0.8

    reaping = asyncio.create_task(subject.reap(["orders-worker"], until=until))
    while not reaping.done():
        if (told := doom.ordained()) is not None:
            doom.withdraw()
            doom.note_struck(min(told[0]))
        await asyncio.sleep(0.005)

    # Each once before any of them again.
    assert set(doom.struck()[:2]) == {"at a", "past a"}
    assert subject.done["at a point: SIGKILL"] == len(doom.struck())
    assert time.monotonic() >= until


async def test_nobody_falls_where_nobody_is_named(laptop: Breakable) -> None:
    subject = injector(laptop)

    await subject.reap([], until=time.monotonic() + 60)

    assert not subject.done
