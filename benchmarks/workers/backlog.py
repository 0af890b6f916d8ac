"""Prove that a long queue costs no more per message: a backlog of 1 thousand beside 1 million.

`python -m benchmarks.workers.backlog` keeps each backlog standing while it measures, in turns, and
leaves with 1 when the long one costs over a quarter more CPU per message.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime

from benchmarks.findings import Finding, tell
from benchmarks.workers.consumers import OURS, SUBJECTS
from benchmarks.workers.environments import STATE
from benchmarks.workers.measure import Cell, Result, measure
from benchmarks.workers.report import merged
from benchmarks.workers.stores import opened, prefill

_ALLOWED = 1.25


def main() -> None:
    """Measure in turns, compare."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.workers.backlog", description=__doc__
    )
    parser.add_argument("--short", type=int, default=1_000)
    parser.add_argument("--long", type=int, default=1_000_000)
    parser.add_argument("--handler", default="io", choices=("trivial", "io", "postgres"))
    parser.add_argument("--round-trip", type=float, default=10.0, help="ms")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=float, default=4.0, help="seconds that are counted")
    chosen = parser.parse_args()
    short, long = compare(chosen)
    ratio = long.cpu / short.cpu
    facts = {"ratio": round(ratio, 3), "short": asdict(short), "long": asdict(long)}
    folder = STATE / "results"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"backlog-{chosen.handler}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    (folder / name).write_text(json.dumps(facts, indent=1) + "\n")
    print(json.dumps(facts, indent=1))
    line = Finding(
        what=f"a message of a backlog ({chosen.handler}): CPU",
        this=(f"{chosen.long:,} waiting", long.cpu),
        other=(f"{chosen.short:,} waiting", short.cpu),
        unit="s per 1,000",
        at_most=_ALLOWED,
    )
    sys.exit(0 if tell([line]) else 1)


def compare(chosen: argparse.Namespace) -> tuple[Result, Result]:
    """Measure both backlogs in turns; give the medians of the short and the long one."""
    subject = next(s for s in SUBJECTS if s.name == OURS)
    sizes = (chosen.short, chosen.long)
    taken: dict[int, list[Result]] = {size: [] for size in sizes}
    with opened(chosen.handler, folder=STATE / "stores" / str(time.time_ns())) as fresh_store:
        for _ in range(chosen.rounds):
            for size in sizes:
                cell = Cell(
                    handler=chosen.handler,
                    round_trip=chosen.round_trip / 1000,
                    backlog=size,
                    window=chosen.window,
                    paced=0.0,
                )
                store = fresh_store()
                # A long backlog comes with a long history: the inbox has as many rows.
                prefill(store, size)
                taken[size].append(measure(subject, cell, logs=STATE / "logs", store=store))
    short, long = (merged(taken[size])[0] for size in sizes)
    return short, long


if __name__ == "__main__":
    main()
