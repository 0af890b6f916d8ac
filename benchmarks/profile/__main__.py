"""Where the processor time of an order goes, and what mends are worth: `benchmarks.profile`.

Starts one laptop, samples each process of ours under load, and names the rooms that take most of
it. Then the same orders once as it is and once with each mend undone, turn by turn.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import aiohttp
import uvloop

from benchmarks.findings import Finding, tell
from benchmarks.profile.sampling import rooms_of, sampled
from benchmarks.profile.without import MENDS
from benchmarks.workers.processes import cost_of
from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.demo.load import drive
from local.supervisor import Options, System
from local.supervisor.parts import Part, Process
from local.supervisor.run import Description, run_folder, supervised
from local.supervisor.wrapped import Wrapped
from local.system import CONTEXTS, DOORS, SCREENS, describe_laptop

OURS = (*DOORS, *CONTEXTS, *(f"{name}-worker" for name in CONTEXTS))
_WORDS = {
    "calls": ("signed by our client", "by aiobotocore"),
    "collector": ("looking seldom", "Python's default"),
}
# A room with less than this is not worth a line.
_LEAST_SHARE = 0.08
_WARMING = 100
# What is still under way when the last order is at the counter.
_DRAINING_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One laptop's orders: CPU in milliseconds of an order by process, shares of its rooms."""

    cpu: Mapping[str, float]
    rooms: Mapping[str, Mapping[str, float]]


class Undone(Wrapped):
    """The laptop's description, one mend undone in every process of ours."""

    def __init__(self, description: Description, *, mend: str) -> None:
        super().__init__(description)
        self._mend = mend

    @property
    def parts(self) -> tuple[Part, ...]:
        """Give the laptop's parts as they were before the mend."""
        return tuple(map(self._without, self._description.parts))

    def _without(self, part: Part) -> Part:
        if not isinstance(part, Process) or part.name not in (*OURS, SCREENS):
            return part
        words = part.command[part.command.index("-m") + 1 :]
        module = "benchmarks.profile.without"
        return replace(part, command=(sys.executable, "-m", module, self._mend, *words))


async def run(*, orders: int, mend: str | None = None, is_sampled: bool = False) -> Run:
    """Start a laptop, warm it, drive orders through it; raise `RuntimeError` when one failed."""
    with tempfile.TemporaryDirectory(prefix="comanda-profile-") as root:
        options = Options(root=Path(root))
        with run_folder(options) as folder, describe_laptop(folder, cache=folder / "cache") as told:
            described = told if mend is None else Undone(told, mend=mend)
            async with supervised(described, folder=folder, options=options) as system:
                return await _measured(system, orders=orders, folder=folder, spy=is_sampled)


async def _measured(system: System, *, orders: int, folder: Path, spy: bool) -> Run:
    pids = {name: pid for name in OURS if (pid := system.processes[name].pid) is not None}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await _drive(session, system, orders=_WARMING)
        if spy:
            with sampled(pids, folder=folder):
                await _drive(session, system, orders=orders)
            raw = {name: (folder / f"{name}.raw").read_text().splitlines() for name in pids}
            return Run(cpu={}, rooms={name: rooms_of(lines) for name, lines in raw.items()})
        before = {name: cost_of(pid).cpu_seconds for name, pid in pids.items()}
        await _drive(session, system, orders=orders)
        after = {name: cost_of(pid).cpu_seconds for name, pid in pids.items()}
    return Run(cpu={it: (after[it] - before[it]) / orders * 1000 for it in pids}, rooms={})


async def _drive(session: aiohttp.ClientSession, system: System, *, orders: int) -> None:
    doors = doors_of(system)
    result = await drive(
        Shopper(session, doors), shops=doors.shops, orders=orders, advance=lambda: None
    )
    if result.failures:
        raise RuntimeError(f"orders failed: {result.failures[:3]}")
    await asyncio.sleep(_DRAINING_SECONDS)


def shares(rooms: Mapping[str, Mapping[str, float]], *, cpu: Mapping[str, float]) -> list[Finding]:
    """Say which rooms take most of each process, in milliseconds of an order."""
    return [
        Finding(
            what=f"where the CPU of {name} goes",
            this=(room, share * cpu[name]),
            other=("all of it", cpu[name]),
            unit="ms of an order",
        )
        for name in sorted(rooms, key=lambda it: -cpu[it])
        for room, share in rooms[name].items()
        if share >= _LEAST_SHARE and cpu[name] >= 1
    ]


def worths(as_it_is: list[Run], undone: Mapping[str, list[Run]]) -> list[Finding]:
    """Say what an order costs now, beside the same with a mend undone."""
    now = _whole(as_it_is)
    return [
        Finding(
            what=f"a mend undone: {mend}",
            this=(_WORDS[mend][0], now),
            other=(_WORDS[mend][1], _whole(runs)),
            unit="ms of an order",
            at_most=1.0,
        )
        for mend, runs in undone.items()
    ]


def _whole(runs: list[Run]) -> float:
    return median(sum(one.cpu.values()) for one in runs)


async def _main(*, orders: int, rounds: int) -> list[Finding]:
    spied = await run(orders=orders, is_sampled=True)
    as_it_is: list[Run] = []
    undone: dict[str, list[Run]] = {mend: [] for mend in MENDS}
    # Turn by turn, so that a machine that others make slow is slow for all.
    for _ in range(rounds):
        as_it_is.append(await run(orders=orders))
        for mend, runs in undone.items():
            runs.append(await run(orders=orders, mend=mend))
    cpu = {name: median(one.cpu[name] for one in as_it_is) for name in as_it_is[0].cpu}
    return shares(spied.rooms, cpu=cpu) + worths(as_it_is, undone)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        lines = runner.run(_main(orders=chosen.orders, rounds=chosen.rounds))
    for line in lines:
        print(
            f"{line.what:<40}{line.this[0]:<26}{line.this[1]:>8.2f}  {line.other[0]:<20}"
            f"{line.other[1]:>8.2f} {line.unit:<16}{line.ratio:>6.2f}"
        )
    return 0 if tell(lines) else 1


if __name__ == "__main__":
    sys.exit(main())
