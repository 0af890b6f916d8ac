"""Prove exactly-once effects: duplicates, lost acknowledgements and SIGKILL, then count.

`python -m benchmarks.workers.exactly_once [--messages N] [--store dynamodb]` leaves with 1 unless
effects = distinct messages, and each effect's event was published.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.workers.bedside import BedClient, running_bed
from benchmarks.workers.environments import STATE
from benchmarks.workers.measure import inherited
from benchmarks.workers.processes import running
from benchmarks.workers.stores import Store, opened

# Short, so that what a killed worker had in hand is back while the next one works.
_VISIBILITY = 5.0
_SETTLING = 40.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """How hard to try; shares are from 0 to 1, times are seconds."""

    messages: int
    store: str
    duplicates: float
    lost: float
    kill_every: float
    deadline: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What was counted in the end."""

    messages: int
    effects: int
    distinct: int
    unpublished: int
    outbox_left: int
    undeleted: int
    rejected: int
    last_exit: int
    kills: int
    duplicated: int
    acknowledgements_lost: int
    delivered: int
    seconds: float

    @property
    def faults(self) -> list[str]:
        """Name what is wrong; empty means exactly once."""
        found = {
            "effects are doubled": self.effects > self.distinct,
            "effects are missing": self.distinct < self.messages,
            "events were not published": self.unpublished > 0,
            "outbox rows are left": self.outbox_left > 0,
            "messages are left": self.undeleted > 0,
            "messages were rejected": self.rejected > 0,
            "the last worker did not leave well": self.last_exit != 0,
            "nothing was killed, so nothing is proved": self.kills == 0,
        }
        return [name for name, is_so in found.items() if is_so]


def main() -> None:
    """Try, count, say so."""
    trial = _arguments()
    verdict = run(trial)
    folder = STATE / "results"
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"trial": asdict(trial), "verdict": asdict(verdict), "faults": verdict.faults}
    name = f"exactly-once-{trial.store}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    (folder / name).write_text(json.dumps(facts, indent=1) + "\n")
    print(json.dumps(facts, indent=1))
    sys.exit(1 if verdict.faults else 0)


def run(trial: Trial) -> Verdict:
    """Run the whole trial."""
    logs = STATE / "logs"
    started = time.monotonic()
    with (
        running_bed(logs) as bed,
        running_bed(logs) as topic,
        opened(trial.store, folder=STATE / "stores" / str(time.time_ns())) as fresh_store,
    ):
        store = fresh_store()
        faults = {"duplicates": trial.duplicates, "lost_acknowledgements": trial.lost}
        bed.ask("configure", visibility=_VISIBILITY, faults=faults)
        bed.ask("fill", count=trial.messages)
        environment = {
            **inherited(),
            **bed.environment(),
            **store.environment,
            "AWS_ENDPOINT_URL_SNS": topic.url,
            "BENCH_HANDLER": trial.store,
        }
        log = logs / f"exactly-once-{trial.store}.log"
        kills = _work_and_kill(trial, bed, environment, log=log, until=started + trial.deadline)
        last_exit = _finish(environment, bed, store, log=log)
        effects, distinct, left = store.count()
        stats = bed.ask("stats")
        return Verdict(
            messages=trial.messages,
            effects=effects,
            distinct=distinct,
            unpublished=topic.ask("missing", count=trial.messages),
            outbox_left=left,
            undeleted=stats["filled"] - stats["deleted"],
            rejected=stats["rejected"],
            last_exit=last_exit,
            kills=kills,
            duplicated=stats["duplicated"],
            acknowledgements_lost=stats["acknowledgements_lost"],
            delivered=stats["delivered"],
            seconds=round(time.monotonic() - started, 1),
        )


def _work_and_kill(
    trial: Trial, bed: BedClient, environment: Mapping[str, str], *, log: Path, until: float
) -> int:
    """Run one worker after the other, each for `kill_every` seconds; give how many were killed."""
    kills = 0
    while time.monotonic() < until:
        with _worker(environment, log=log) as worker:
            end = time.monotonic() + trial.kill_every
            while time.monotonic() < end:
                if _is_drained(bed):
                    return kills
                if worker.poll() is not None:
                    raise RuntimeError(f"the worker left with {worker.returncode}; see {log}")
                time.sleep(0.1)
            worker.kill()
            kills += 1
    return kills


def _finish(environment: Mapping[str, str], bed: BedClient, store: Store, *, log: Path) -> int:
    """Let a last worker sweep what the killed ones left; stop it by SIGTERM, give its status."""
    before = _receives(bed)
    with _worker(environment, log=log) as worker:
        until = time.monotonic() + _SETTLING
        while time.monotonic() < until:
            # Before its first receive it is not yet there to be stopped.
            if _receives(bed) > before and _is_settled(bed, store):
                break
            time.sleep(0.5)
    return worker.returncode


@contextmanager
def _worker(environment: Mapping[str, str], *, log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    command = (sys.executable, "-m", "benchmarks.workers.ours")
    with running(command, env=environment, log=log) as process:
        yield process


def _receives(bed: BedClient) -> int:
    return int(bed.ask("stats")["calls"].get("ReceiveMessage", 0))


def _is_drained(bed: BedClient) -> bool:
    stats = bed.ask("stats")
    return bool(stats["deleted"] == stats["filled"])


def _is_settled(bed: BedClient, store: Store) -> bool:
    return _is_drained(bed) and store.count()[2] == 0


def _arguments() -> Trial:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.workers.exactly_once", description=__doc__
    )
    parser.add_argument("--store", choices=("postgres", "dynamodb"), default="postgres")
    parser.add_argument("--messages", type=int, help="100,000, and 5,000 on DynamoDB's stand-in")
    parser.add_argument("--duplicates", type=float, default=0.05)
    parser.add_argument("--lost", type=float, default=0.01)
    parser.add_argument("--kill-every", type=float, default=10.0, help="seconds")
    parser.add_argument("--deadline", type=float, default=900.0, help="seconds")
    chosen = parser.parse_args()
    usual = 100_000 if chosen.store == "postgres" else 5_000
    return Trial(**{**vars(chosen), "messages": chosen.messages or usual})


if __name__ == "__main__":
    main()
