"""One, two and four worker processes on one queue: `python -m benchmarks.growth.processes`.

The queue never runs dry and the handler waits 5 ms. A process of ours fills a core, and so does the
bed that serves the queue. So a crew is held to the bounds when all of it, the bed and whatever else
keeps this machine busy have a core each; of a larger crew the figures are shown, for what they are.
"""

import argparse
import os
import sys
from dataclasses import replace

from benchmarks.findings import Finding, tell
from benchmarks.workers.consumers import OURS, SUBJECTS, Subject
from benchmarks.workers.environments import STATE
from benchmarks.workers.measure import Cell, Result, measure
from benchmarks.workers.processes import busy_cores
from benchmarks.workers.stores import Store

LEAST_EFFICIENCY = 0.9
# A machine that idles is still a little busy.
_ROUNDING = 0.3
# What a message may cost more when others take from the same queue.
MOST_CPU = 1.15


def crew_of(count: int) -> Subject:
    """Give `count` of our consumers as one subject."""
    ours = next(subject for subject in SUBJECTS if subject.name == OURS)
    command = (sys.executable, "-m", "benchmarks.growth.crew", str(count))
    return replace(ours, name=f"{count} processes", command=command)


def compare(counts: list[int], *, handler: str, rounds: int, window: float) -> dict[int, Result]:
    """Measure all in turns; give the least disturbed round of each, which is its fastest."""
    taken: dict[int, list[Result]] = {count: [] for count in counts}
    cell = Cell(handler=handler, round_trip=0.01, backlog=50_000, window=window, paced=0.0)
    for _ in range(rounds):
        for count, results in taken.items():
            results.append(measure(crew_of(count), cell, logs=STATE / "logs", store=Store()))
    return {count: max(results, key=lambda r: r.rate) for count, results in taken.items()}


def findings(found: dict[int, Result], *, cores: float) -> list[Finding]:
    """Compare each crew with one process alone; `cores` are those that nobody else uses."""
    alone = found[1]
    lines = []
    for count, crew in found.items():
        if count == 1:
            continue
        # The bed needs a core of its own, or it is what is measured.
        has_room = count + 1 <= cores
        lines += [
            Finding(
                what=f"{count} processes: rate of each",
                this=(f"{count} processes", crew.rate / count),
                other=("1 process", alone.rate),
                unit="messages/s",
                at_least=LEAST_EFFICIENCY if has_room else None,
            ),
            Finding(
                what=f"{count} processes: CPU of a message",
                this=(f"{count} processes", crew.cpu),
                other=("1 process", alone.cpu),
                unit="s per 1,000",
                at_most=MOST_CPU if has_room else None,
            ),
        ]
    return lines


def main() -> int:
    """Measure, print, and return 1 when processes are in each other's way."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth.processes", description=__doc__
    )
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--handler", default="io", choices=("trivial", "io"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=float, default=4.0, help="seconds that are counted")
    chosen = parser.parse_args()
    counts = sorted({1, *chosen.counts})
    cores = round(len(os.sched_getaffinity(0)) - busy_cores(), 1)
    print(f"{cores} cores are free")
    found = compare(counts, handler=chosen.handler, rounds=chosen.rounds, window=chosen.window)
    for count, crew in found.items():
        print(
            f"{count} processes: {crew.rate:>8,.0f} messages/s, {crew.cpu:.3f} CPU-s per 1,000,"
            f" bed busy {crew.bed_load:.2f}"
        )
    lines = findings(found, cores=cores + _ROUNDING)
    for line in lines:
        print(f"{line.what:<36}{line.ratio:>7.3f}{'' if line.is_kept else '  BROKEN'}")
    return 0 if tell(lines) else 1


if __name__ == "__main__":
    sys.exit(main())
