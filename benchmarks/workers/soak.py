"""Prove that nothing grows: a million messages; memory, open files, tasks and objects stay flat.

`python -m benchmarks.workers.soak [--messages N] [--handler postgres]` leaves with 1 when one of
them was higher in the last fifth of the run than in the second.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.findings import Finding, tell
from benchmarks.workers.bedside import BedClient, running_bed
from benchmarks.workers.environments import STATE
from benchmarks.workers.measure import inherited
from benchmarks.workers.processes import open_files, resident_mb, running
from benchmarks.workers.stores import opened

_EVERY = 1.0
_FEWEST = 10
# Caches, arenas and pools find their size slowly; a leak of 10 bytes a message would be more.
_ROOM = {"memory_mb": 8.0, "files": 4.0, "tasks": 80.0, "objects": 20_000.0}


class SoakFailed(RuntimeError):
    """The worker left or stood still; its log says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vitals:
    """One look at the worker: memory in MB, open files, tasks and objects of the interpreter."""

    deleted: int
    memory_mb: float
    files: int
    tasks: int
    objects: int


def growth(seen: list[Vitals]) -> dict[str, float]:
    """Compare the last fifth of the run with the second, median by median."""
    fifth = len(seen) // 5
    early, late = seen[fifth : 2 * fifth], seen[-fifth:]
    return {
        name: median(getattr(v, name) for v in late) - median(getattr(v, name) for v in early)
        for name in _ROOM
    }


def grown(growths: dict[str, float]) -> list[str]:
    """Name what grew by more than finding its size explains."""
    return [name for name, by in growths.items() if by > _ROOM[name]]


def main() -> None:
    """Run, look every second, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers.soak", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--handler", default="trivial", choices=("trivial", "postgres"))
    parser.add_argument("--deadline", type=float, default=1800.0, help="seconds")
    chosen = parser.parse_args()
    seen = watch(chosen.messages, handler=chosen.handler, deadline=chosen.deadline)
    if len(seen) < _FEWEST:
        sys.exit(f"only {len(seen)} looks: too short a run to prove anything; give more messages")
    growths = growth(seen)
    facts = {
        "messages": chosen.messages,
        "handler": chosen.handler,
        "seconds": len(seen) * _EVERY,
        "growth": growths,
        "grown": grown(growths),
        "first": asdict(seen[len(seen) // 5]),
        "last": asdict(seen[-1]),
    }
    folder = STATE / "results"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"soak-{chosen.handler}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    (folder / name).write_text(json.dumps({**facts, "seen": [asdict(v) for v in seen]}) + "\n")
    print(json.dumps(facts, indent=1))
    tell(findings(seen))
    sys.exit(1 if facts["grown"] else 0)


def findings(seen: list[Vitals]) -> list[Finding]:
    """Put the last fifth of the run beside the second."""
    fifth = len(seen) // 5
    early, late = seen[fifth : 2 * fifth], seen[-fifth:]
    lines = []
    for name, room in _ROOM.items():
        before = median(getattr(v, name) for v in early)
        after = median(getattr(v, name) for v in late)
        lines.append(
            Finding(
                what=name.replace("_mb", ""),
                this=("the last fifth", after),
                other=("the second fifth", before),
                unit="MB" if name == "memory_mb" else "count",
                at_most=1 + room / before,
            )
        )
    return lines


def watch(messages: int, *, handler: str, deadline: float) -> list[Vitals]:
    """Run one worker until all is deleted; give what was seen of it, in order."""
    logs = STATE / "logs"
    vitals = STATE / f"vitals-{time.time_ns()}.json"
    with (
        running_bed(logs) as bed,
        running_bed(logs) as topic,
        opened(handler, folder=STATE / "stores" / str(time.time_ns())) as fresh_store,
    ):
        bed.ask("fill", count=messages)
        environment = {
            **inherited(),
            **bed.environment(),
            **fresh_store().environment,
            "AWS_ENDPOINT_URL_SNS": topic.url,
            "BENCH_HANDLER": handler,
            "BENCH_VITALS": str(vitals),
        }
        command = (sys.executable, "-m", "benchmarks.workers.ours")
        try:
            with running(command, env=environment, log=logs / "soak.log") as worker:
                return _look(bed, pid=worker.pid, vitals=vitals, deadline=deadline)
        finally:
            vitals.unlink(missing_ok=True)


def _look(bed: BedClient, *, pid: int, vitals: Path, deadline: float) -> list[Vitals]:
    seen: list[Vitals] = []
    until = time.monotonic() + deadline
    while time.monotonic() < until:
        time.sleep(_EVERY)
        stats = bed.ask("stats")
        if stats["deleted"] == stats["filled"]:
            return seen
        if vitals.exists():
            inner = json.loads(vitals.read_text())
            seen.append(
                Vitals(
                    deleted=stats["deleted"],
                    memory_mb=resident_mb(pid),
                    files=open_files(pid),
                    **inner,
                )
            )
    raise SoakFailed(f"not all was handled within {deadline} s; see {STATE / 'logs' / 'soak.log'}")


if __name__ == "__main__":
    main()
