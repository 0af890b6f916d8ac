"""Measure one consumer once: warm up, count for a while, then send at a gentle pace and wait."""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workers.bedside import BedClient, running_bed
from benchmarks.workers.consumers import Subject
from benchmarks.workers.processes import cost_of, running
from benchmarks.workers.stores import Store

_GENTLEST, _FASTEST = 10.0, 200.0


class NothingConsumed(RuntimeError):
    """The consumer deleted nothing in time; its log says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What to measure; times are seconds."""

    handler: str
    round_trip: float
    backlog: int = 10_000
    warm_up: float = 1.0
    window: float = 4.0
    paced: float = 5.0
    patience: float = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What was measured; rates are messages a second, CPU is seconds per 1,000 messages."""

    subject: str
    handler: str
    round_trip: float
    messages: int
    rate: float
    cpu: float
    store_cpu: float
    peak_mb: float
    bed_load: float
    paced_rate: float
    p50_ms: float | None
    p99_ms: float | None
    undeleted: int
    delivered_again: int


def measure(subject: Subject, cell: Cell, *, logs: Path, store: Store) -> Result:
    """Run the consumer against a fresh bed; raise `NothingConsumed`."""
    log = logs / f"{subject.name.replace(' ', '-').replace(',', '')}.log"
    with running_bed(logs) as bed, running_bed(logs) as topic:
        bed.ask("configure", body=subject.body, round_trip=cell.round_trip, visibility=60.0)
        topic.ask("configure", round_trip=cell.round_trip)
        bed.ask("fill", count=cell.backlog)
        bed.ask("hold", backlog=cell.backlog)
        environment = {
            **inherited(),
            **bed.environment(),
            **subject.environment,
            **store.environment,
            "AWS_ENDPOINT_URL_SNS": topic.url,
            "BENCH_HANDLER": cell.handler,
        }
        with running(subject.command, env=environment, log=log) as process:
            _wait_for_first(bed, cell, log=log)
            time.sleep(cell.warm_up)
            return _measured(subject, cell, bed=bed, pids=(process.pid, store.pid))


def _measured(
    subject: Subject, cell: Cell, *, bed: BedClient, pids: tuple[int, int | None]
) -> Result:
    before, costs_before = bed.ask("stats"), _costs(pids)
    time.sleep(cell.window)
    after, costs_after = bed.ask("stats"), _costs(pids)
    used = [b - a for a, b in zip(costs_before, costs_after, strict=True)]
    messages = after["deleted"] - before["deleted"]
    seconds = after["now"] - before["now"]
    rate = messages / seconds
    pace = max(_GENTLEST, min(_FASTEST, rate / 2))
    taken = _latencies(bed, rate=pace, count=int(pace * cell.paced))
    return Result(
        subject=subject.name,
        handler=cell.handler,
        round_trip=cell.round_trip,
        messages=messages,
        rate=rate,
        cpu=used[0] / max(messages, 1) * 1000,
        store_cpu=used[1] / max(messages, 1) * 1000,
        peak_mb=cost_of(pids[0]).peak_mb,
        bed_load=(after["cpu"] - before["cpu"]) / seconds,
        paced_rate=pace,
        p50_ms=quantile(taken, 0.50),
        p99_ms=quantile(taken, 0.99),
        undeleted=int(pace * cell.paced) - len(taken),
        delivered_again=after["delivered_again"],
    )


def _costs(pids: tuple[int, int | None]) -> list[float]:
    return [0.0 if pid is None else cost_of(pid).cpu_seconds for pid in pids]


def quantile(ordered: list[float], share: float) -> float | None:
    """Give the milliseconds below which `share` of the seconds lie; `ordered` rises."""
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def _latencies(bed: BedClient, *, rate: float, count: int) -> list[float]:
    if not count:
        return []
    bed.ask("purge")
    # What is still in hand would stand before the first that is timed.
    _settle(bed)
    first = bed.ask("pace", rate=rate, count=count)
    time.sleep(count / rate)
    until = time.monotonic() + 3.0
    while True:
        taken: list[float] = bed.ask("latencies", since=first)
        if len(taken) >= count or time.monotonic() > until:
            return taken
        time.sleep(0.05)


def _settle(bed: BedClient) -> None:
    deleted, until = -1, time.monotonic() + 3.0
    while time.monotonic() < until:
        now = bed.ask("stats")["deleted"]
        if now == deleted:
            return
        deleted = now
        time.sleep(0.25)


def _wait_for_first(bed: BedClient, cell: Cell, *, log: Path) -> None:
    until = time.monotonic() + cell.patience
    while not bed.ask("stats")["deleted"]:
        if time.monotonic() > until:
            raise NothingConsumed(f"nothing was deleted within {cell.patience} s; see {log}")
        time.sleep(0.02)


def inherited() -> dict[str, str]:
    """Give the little of our own environment that a measured process may see."""
    node = Path(shutil.which("node") or "/usr/bin/node").parent
    names = ("HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {**kept, "PATH": f"{node}:/usr/local/bin:/usr/bin:/bin"}
