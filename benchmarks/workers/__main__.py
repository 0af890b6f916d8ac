"""Measure SQS consumers side by side: `python -m benchmarks.workers [--quick]`."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from benchmarks.findings import tell
from benchmarks.workers.consumers import SUBJECTS, Subject
from benchmarks.workers.environments import STATE, prepare, versions
from benchmarks.workers.measure import Cell, NothingConsumed, Result, measure
from benchmarks.workers.processes import ROOT
from benchmarks.workers.report import Setting, findings, merged, save, table
from benchmarks.workers.stores import opened

HANDLERS = ("trivial", "io", "postgres", "dynamodb")
PAGE = ROOT / "docs" / "benchmarks" / "workers.md"
LOGS = STATE / "logs"


def main() -> None:
    """Read the arguments, measure, report; leave with 1 when a consumer did nothing."""
    chosen = _arguments()
    missing = prepare()
    subjects = [s for s in _chosen(chosen) if not s.name.startswith(missing)]
    cells = [
        _cell(chosen, handler=handler, round_trip=round_trip / 1000)
        for handler in chosen.handlers
        for round_trip in chosen.round_trips
    ]
    results: list[Result] = []
    failures = 0
    for cell in cells:
        taken, failed = _measure_all(subjects, cell, rounds=chosen.rounds)
        results += taken
        failures += failed
        tell(findings(taken))
        print(f"\n{cell.handler}, round trip {cell.round_trip * 1000:g} ms\n{table(taken)}\n")
    window = cells[0].window
    setting = Setting(
        at=datetime.now(UTC), versions=versions(), rounds=chosen.rounds, window=window
    )
    data = STATE / "results" / f"{setting.at:%Y%m%dT%H%M%SZ}.json"
    save(results, setting, page=chosen.page, data=data)
    print(f"results: {data}")
    sys.exit(1 if failures else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="five consumers, one cell, < 60 s")
    parser.add_argument("--only", nargs="+", default=(), help="parts of consumers' names")
    parser.add_argument("--handlers", nargs="+", choices=HANDLERS, default=None)
    parser.add_argument("--round-trips", nargs="+", type=float, default=None, help="ms")
    parser.add_argument("--rounds", type=int, default=2, help="A/B/A/B")
    parser.add_argument("--window", type=float, default=None, help="seconds that are counted")
    parser.add_argument("--no-page", action="store_true", help=f"leave {PAGE.name} as it is")
    chosen = parser.parse_args()
    chosen.handlers = chosen.handlers or (("io",) if chosen.quick else HANDLERS)
    chosen.round_trips = chosen.round_trips or ((10,) if chosen.quick else (0, 10))
    # Only the whole measurement makes the page; a part of it would look like the whole.
    is_part = chosen.quick or chosen.only or chosen.no_page or set(chosen.handlers) != set(HANDLERS)
    chosen.page = None if is_part else PAGE
    return chosen


def _chosen(chosen: argparse.Namespace) -> Iterator[Subject]:
    for subject in SUBJECTS:
        if chosen.only and not any(part.lower() in subject.name.lower() for part in chosen.only):
            continue
        if subject.is_quick or not chosen.quick:
            yield subject


def _cell(chosen: argparse.Namespace, *, handler: str, round_trip: float) -> Cell:
    if chosen.quick:
        window = chosen.window or 1.5
        return Cell(handler=handler, round_trip=round_trip, warm_up=0.7, window=window, paced=1.0)
    return Cell(handler=handler, round_trip=round_trip, window=chosen.window or 4.0)


def _measure_all(
    subjects: Sequence[Subject], cell: Cell, *, rounds: int
) -> tuple[list[Result], int]:
    """Measure all in turn, `rounds` times, so that a noisy minute hits all alike."""
    results: list[Result] = []
    failures = 0
    with opened(cell.handler, folder=STATE / "stores" / str(time.time_ns())) as fresh_store:
        for _ in range(rounds):
            for subject in subjects:
                if cell.handler not in subject.handlers:
                    continue
                print(f"  {cell.handler} {cell.round_trip:g} {subject.name}", file=sys.stderr)
                try:
                    results.append(measure(subject, cell, logs=LOGS, store=fresh_store()))
                except NothingConsumed as exc:
                    failures += 1
                    print(f"{subject.name}: {exc}", file=sys.stderr)
    return merged(results), failures


if __name__ == "__main__":
    main()
