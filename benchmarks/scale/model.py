"""The road as queues: find the processes that keep a customer's wait short at the busiest minute.

CPU of an order is measured by process (`measured.json`); a process is one event loop, so it is one
server. What does not depend on us is a constant delay. A big system is cut into equal cells, each
with its share of the processes; cells that shared them would wait less, so this errs on the safe
side, and costs no more time for 100 million orders than for one.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import simpy

from benchmarks.scale.order import POD_CALLS, deliveries
from benchmarks.scale.queueing import Station, Steps

MEASURED = Path(__file__).with_name("measured.json")
WORKERS = ("orders-worker", "payments-worker", "catalog-worker", "archive-worker")
APIS = ("orders", "catalog", "payments")
# A fifth of a day's orders come in its busiest hour, and its busiest minute is half again as dense.
BUSIEST_HOUR, BUSIEST_MINUTE = 0.2, 1.5
# Processes are so busy at the busiest minute; pods are at least two, so that one may go.
MOST_BUSY, FEWEST_PODS = 0.6, 2
# Seconds: commit to the next queue's answer (two calls and a long poll), and one provider call.
HOP, PROVIDER = 0.040, 0.300
CELL_RATE, CELL_SECONDS, WARM_UP = 50.0, 60.0, 10.0
# How many times an API's process is asked for one order.
VISITS = {"orders": POD_CALLS - 2, "catalog": 1, "payments": 1}

# Events of which the archive hears: placed, held, code; two notifications, approved, paid; steps.
_WHILE_ORDERING, _WHILE_PAYING, _WHILE_COOKING = 3, 4, 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """CPU-milliseconds of one order by process, and where that was measured."""

    at: str
    machine: str
    cpu_ms: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sized:
    """Orders a second of the busiest minute, and the processes of each kind for it."""

    rate: float
    processes: Mapping[str, int]

    @property
    def pods(self) -> int:
        """Add up all pods; each is one process."""
        return sum(self.processes.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Waits:
    """Seconds from `POST` until a customer has the Pix code."""

    p50: float
    p99: float


def measured(file: Path = MEASURED) -> Measured:
    """Read what `python -m benchmarks.road --keep` wrote."""
    facts = json.loads(file.read_text())
    return Measured(at=facts["at"], machine=facts["machine"], cpu_ms=facts["cpu_ms"])


def peak_rate(orders_a_day: int) -> float:
    """Give the orders a second of the busiest minute."""
    return orders_a_day * BUSIEST_HOUR / 3600 * BUSIEST_MINUTE


def sized(orders_a_day: int, *, costs: Measured) -> Sized:
    """Count the processes that a day needs."""
    rate = peak_rate(orders_a_day)
    processes = {
        name: max(FEWEST_PODS, math.ceil(rate * costs.cpu_ms[name] / 1000 / MOST_BUSY))
        for name in (*WORKERS, *APIS)
    }
    return Sized(rate=rate, processes=processes)


def simulated(size: Sized, *, costs: Measured, seed: int) -> Waits:
    """Let the busiest minute happen to these processes."""
    cells = max(1, math.ceil(size.rate / CELL_RATE))
    of_a_cell = {name: max(1, count // cells) for name, count in size.processes.items()}
    waits = sorted(_Cell(of_a_cell, costs=costs, rate=size.rate / cells, seed=seed).run())
    return Waits(p50=waits[len(waits) // 2], p99=waits[int(len(waits) * 0.99)])


class _Cell:
    """One share of the system at the busiest minute, all three thirds of the road at once."""

    def __init__(
        self, processes: Mapping[str, int], *, costs: Measured, rate: float, seed: int
    ) -> None:
        self._world = simpy.Environment()
        self._chance = Random(seed)  # noqa: S311  # Arrivals, not secrets.
        self._rate = rate
        self._codes: list[float] = []
        # Few orders a second need more of it to have a 99th percentile.
        self._seconds = max(CELL_SECONDS, 500 / rate) + WARM_UP
        self._stations = {
            name: Station(
                self._world,
                servers=count,
                mean=max(1e-6, costs.cpu_ms[name] / 1000 / _visits(name)),
                chance=self._chance,
            )
            for name, count in processes.items()
        }

    def run(self) -> list[float]:
        """Simulate; give the seconds from `POST` to the Pix code of each order."""
        for road in (self._ordering, self._paying, self._cooking):
            self._world.process(self._arrivals(road))
        self._world.run(until=self._seconds)
        return self._codes

    def _arrivals(self, road: Callable[[], Steps]) -> Steps:
        while True:
            yield self._world.timeout(self._chance.expovariate(self._rate))
            self._world.process(road())

    def _ordering(self) -> Steps:
        began = self._world.now
        yield from self._at("orders")
        self._archived(_WHILE_ORDERING)
        yield self._world.timeout(HOP)
        yield from self._at("catalog-worker")
        # The order hears of its stock while the charge is made.
        self._world.process(self._at("orders-worker"))
        yield self._world.timeout(HOP + PROVIDER)
        yield from self._at("payments-worker")
        yield self._world.timeout(HOP)
        yield from self._at("orders-worker")
        if began > WARM_UP:
            self._codes.append(self._world.now - began)

    def _paying(self) -> Steps:
        self._archived(_WHILE_PAYING)
        for provider in (PROVIDER, PROVIDER):
            yield self._world.timeout(HOP + provider)
            yield from self._at("payments-worker")
        yield self._world.timeout(HOP)
        self._world.process(self._at("catalog-worker"))
        yield from self._at("orders-worker")

    def _cooking(self) -> Steps:
        self._archived(_WHILE_COOKING)
        for name in ("catalog", "payments", *("orders",) * (VISITS["orders"] - 1)):
            yield from self._at(name)

    def _archived(self, events: int) -> None:
        for _ in range(events):
            self._world.process(self._at("archive-worker"))

    def _at(self, name: str) -> Steps:
        return self._stations[name].visit()


def _visits(name: str) -> int:
    """Count how often a station is visited for one order."""
    if name in VISITS:
        return VISITS[name]
    return deliveries(name.removesuffix("-worker"))
