"""What a message costs with one shop and with a thousand: `python -m benchmarks.growth.shops`.

Inbox, effect and outbox in a real PostgreSQL, on the bed. Messages of one shop share a commit
(ADR 0006), so shops are not free: a thousand of them leave little to share. The database's CPU is
counted with ours. Leaves with 1 when a message of a thousand shops costs over what is allowed.
"""

import argparse
import os
import sys
import time
from unittest.mock import patch

from benchmarks.findings import Finding, tell
from benchmarks.workers.consumers import OURS, SUBJECTS
from benchmarks.workers.environments import STATE
from benchmarks.workers.measure import Cell, Result, measure
from benchmarks.workers.stores import opened

# A commit of one's own costs about this much more than a share of one.
MOST = 4.0


def compare(counts: list[int], *, rounds: int, window: float) -> dict[int, Result]:
    """Measure all in turns; give the cheapest round of each."""
    subject = next(it for it in SUBJECTS if it.name == OURS)
    taken: dict[int, list[Result]] = {count: [] for count in counts}
    cell = Cell(handler="postgres", round_trip=0.01, backlog=50_000, window=window, paced=2.0)
    with opened(cell.handler, folder=STATE / "stores" / str(time.time_ns())) as fresh_store:
        for _ in range(rounds):
            for count, results in taken.items():
                with patch.dict(os.environ, {"BENCH_SHOPS": str(count)}):
                    store = fresh_store()
                    results.append(measure(subject, cell, logs=STATE / "logs", store=store))
    return {count: min(results, key=_cost) for count, results in taken.items()}


def findings(found: dict[int, Result]) -> list[Finding]:
    """Compare the most shops with the fewest."""
    few, many = min(found), max(found)
    names = (f"{many:,} shops", f"{few:,} shop")
    lines = [
        Finding(
            what="CPU of a message, the database's included",
            this=(names[0], _cost(found[many])),
            other=(names[1], _cost(found[few])),
            unit="s per 1,000",
            at_most=MOST,
        )
    ]
    slow, fast = found[many].p99_ms, found[few].p99_ms
    if slow and fast:
        this, other = (names[0], slow), (names[1], fast)
        lines.append(Finding(what="from sent to deleted, p99", this=this, other=other, unit="ms"))
    return lines


def _cost(result: Result) -> float:
    return result.cpu + result.store_cpu


def main() -> int:
    """Measure, print, and return 1 when shops cost more than they may."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth.shops", description=__doc__)
    parser.add_argument("--counts", type=int, nargs=2, default=[1, 1_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=float, default=4.0, help="seconds that are counted")
    chosen = parser.parse_args()
    found = compare(chosen.counts, rounds=chosen.rounds, window=chosen.window)
    for count, it in found.items():
        print(
            f"{count:>6,} shops: {it.rate:>7,.0f} messages/s, CPU-s per 1,000: ours {it.cpu:.3f},"
            f" PostgreSQL {it.store_cpu:.3f}; p99 {it.p99_ms or 0:.0f} ms"
        )
    lines = findings(found)
    for line in lines:
        print(f"{line.what:<44}{line.ratio:>7.3f}{'' if line.is_kept else '  BROKEN'}")
    return 0 if tell(lines) else 1


if __name__ == "__main__":
    sys.exit(main())
