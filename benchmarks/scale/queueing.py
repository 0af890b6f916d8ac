"""Stations with servers and a queue each, in simulated time; and Erlang's formula to check them."""

import math
from collections.abc import Generator
from random import Random
from typing import Any

import simpy

Steps = Generator[simpy.Event, Any, None]


class Station:
    """So many servers with one queue; a visit takes an exponential time of this mean, in seconds.

    What is measured varies less than that, so waits come out longer here than they would be.
    """

    def __init__(
        self, world: simpy.Environment, *, servers: int, mean: float, chance: Random
    ) -> None:
        self._world = world
        self._servers = simpy.Resource(world, capacity=servers)
        self._mean = mean
        self._chance = chance
        self.waits: list[float] = []

    def visit(self) -> Steps:
        """Queue for a server, be served, leave."""
        came = self._world.now
        with self._servers.request() as turn:
            yield turn
            self.waits.append(self._world.now - came)
            yield self._world.timeout(self._chance.expovariate(1 / self._mean))


def erlang_wait(*, rate: float, mean: float, servers: int) -> float:
    """Give the mean wait in seconds of an M/M/c queue (Erlang C); infinite if it cannot keep up."""
    load = rate * mean
    if load >= servers:
        return math.inf
    # Erlang B by its recurrence, which neither overflows nor cancels; then C from B.
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    waiting = blocked / (1 - load / servers * (1 - blocked))
    return waiting * mean / (servers - load)
