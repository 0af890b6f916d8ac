"""Take turns and compare: the least disturbed round of each side counts."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one call cost, in microseconds: of the wall clock, and of this process."""

    wall: float
    cpu: float


def in_turns(
    rivals: Mapping[str, Callable[[], object]], *, calls: int, rounds: int
) -> dict[str, Cost]:
    """Let each rival make so many calls, round by round; give each one's least costs."""
    taken: dict[str, list[Cost]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, call in rivals.items():
            taken[name].append(_round(call, calls=calls))
    return {
        name: Cost(wall=min(c.wall for c in costs), cpu=min(c.cpu for c in costs))
        for name, costs in taken.items()
    }


def _round(call: Callable[[], object], *, calls: int) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    return Cost(
        wall=(time.perf_counter() - wall) / calls * 1e6,
        cpu=(time.process_time() - cpu) / calls * 1e6,
    )
