"""Ten million hostile inputs: `python -m tests.security.long_run --inputs 10000000`.

One process attacks the doors, others feed the readers behind them, until all have had so many
together; what came of it is written into `docs/attack.md`.
"""

import argparse
import asyncio
import logging
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from local.provision.context import REPOSITORY

REPORT = REPOSITORY / "docs" / "attack.md"
_CHUNK = 1_000
# How many chunks a round gives each reader: about as much time to each; one, where none is named.
_SHARES = {
    "Accept-Language": 6,
    "CPF": 8,
    "Prefer": 4,
    "audit's cursor": 6,
    "bearer token": 6,
    "cursor": 8,
    "envelope": 3,
    "instant": 6,
    "money": 10,
    "order's body": 10,
    "provider's refunds and refusals": 4,
    "session cookie": 3,
    "shop's name": 6,
    "signature header": 8,
    "webhook's URL": 10,
}
_MOST = max(_SHARES.values()) * _CHUNK


@dataclass(kw_only=True)
class Total:
    """What was sent where, what was read as good, and what was found."""

    seed: int
    inputs: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    holes: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """Give the number of all inputs."""
        return sum(self.inputs.values())

    def add(self, inputs: dict[str, int], accepted: dict[str, int], holes: dict[str, str]) -> None:
        """Add what one process did."""
        for sums, more in ((self.inputs, inputs), (self.accepted, accepted)):
            for name, number in more.items():
                sums[name] = sums.get(name, 0) + number
        self.holes |= holes


Outcome = tuple[dict[str, int], dict[str, int], dict[str, str]]


def feed_round(seed: int, first: int) -> Outcome:
    """Give every reader its share of inputs, from the number `first` on."""
    from benchmarks.edge.oracle import Subject
    from tests.security.parsing import Fed, feed, feed_webhook, readers

    logging.disable(logging.CRITICAL)
    fed = Fed()
    for reader in readers():
        numbers = range(first, first + _CHUNK * _SHARES.get(reader.name, 1))
        feed(reader, fed, seed=seed, numbers=numbers)
    feed_webhook(Subject(), fed, seed=seed, numbers=range(first, first + _CHUNK))
    return fed.inputs, fed.accepted, fed.holes


def attack_doors(seed: int, *, inputs: int, stop: Path) -> Outcome:
    """Attack the doors until there is a file `stop`, or so many were sent."""
    from tests.security.fuzzing import attack_all

    logging.disable(logging.CRITICAL)

    def is_over(count: int) -> bool:
        return count >= inputs or (count % 64 == 0 and stop.exists())

    found = asyncio.run(attack_all(seed, is_over=is_over))
    done = sum(number for status, number in found.statuses.items() if status < 300)
    doors = {f"doors of {service}": number for service, number in found.doors.items()}
    return doors, {"doors": done}, found.holes


def run(total: Total, *, inputs: int, jobs: int, minutes: float, folder: Path) -> None:
    """Send so many inputs, or as many as fit into so many minutes."""
    begun, stop = time.monotonic(), folder / "stop"
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs + 1, mp_context=context) as pool:
        doors = pool.submit(attack_doors, total.seed, inputs=inputs, stop=stop)
        first = 0
        while total.count < inputs and time.monotonic() - begun < minutes * 60:
            rounds = [pool.submit(feed_round, total.seed, first + n * _MOST) for n in range(jobs)]
            first += jobs * _MOST
            for each in rounds:
                total.add(*each.result())
            print(f"{total.count:>12,} read, {len(total.holes)} holes", flush=True)
        stop.touch()
        total.add(*doors.result())
    total.seconds = time.monotonic() - begun


def written(total: Total, *, today: datetime) -> str:
    """Write the page."""
    rows = [f"| {name} | {number:,} |" for name, number in sorted(total.inputs.items())]
    rows.append(f"| **together** | **{total.count:,}** |")
    good = sum(total.accepted.values())
    # A request carries a token; its seed and number say enough.
    told = {name: how.partition(": Sent(")[0] for name, how in total.holes.items()}
    found = [f"- {name}: {how}" for name, how in told.items()] or ["None."]
    return "\n".join(
        (
            "# Ten million hostile inputs",
            "",
            f"Written by `python -m tests.security.long_run --inputs {total.count}"
            f" --seed {total.seed}` on {today:%Y-%m-%d}, in {total.seconds / 60:.0f} minutes.",
            f"{good:,} of them were good in spite of all and were taken, so the rest was refused"
            " where it should be.",
            "An input is a function of seed, reader and number, so each can be had again"
            " (tokens and cookies but for their keys, which are made anew).",
            "",
            "| what they were sent to | inputs |",
            "|---|---|",
            *rows,
            "",
            "## What this run found",
            "",
            *found,
            "",
        )
    )


def main() -> None:
    """Run, write the page, and fail if there was a hole."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.long_run", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--jobs", type=int, default=1, help="processes beside that of the doors")
    parser.add_argument("--minutes", type=float, default=600.0, help="end then, however many")
    parser.add_argument("--report", type=Path, default=REPORT)
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    total, folder = Total(seed=chosen.seed), REPOSITORY / ".comanda" / "attack"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stop").unlink(missing_ok=True)
    run(total, inputs=chosen.inputs, jobs=chosen.jobs, minutes=chosen.minutes, folder=folder)
    chosen.report.write_text(written(total, today=datetime.now(UTC)))
    for name, how in total.holes.items():
        print(f"HOLE {name}\n     {how}")
    sys.exit(bool(total.holes))


if __name__ == "__main__":
    main()
