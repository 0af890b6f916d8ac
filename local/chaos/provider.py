"""`python -m local.chaos.provider --orders 5000`: every fault of the provider, and then the books.

A whole laptop sells under all faults at once while the payments worker dies every few seconds; then
all faults end, dead letters are sent back, and each real that the provider holds is looked for.
"""

import argparse
import asyncio
import secrets
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from comanda.money import ZERO
from local.chaos.astray import Astray, Storm, go_astray
from local.chaos.money import Place, places_of
from local.chaos.settling import Verdict, settle
from local.provision.context import REPOSITORY
from local.supervisor import Options, System, SystemFailed, running_system
from local.supervisor.parts import RestartPolicy

_FORGIVING = RestartPolicy(longest_pause=timedelta(seconds=1), most_deaths=100_000)
# Sweeps once a minute, refunds in process, hidden messages; and a share for each order's work.
_SETTLING = timedelta(seconds=240)
_SETTLING_PER_ORDER = timedelta(milliseconds=100)
_MOST_TOLD = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What was done to a laptop, and what its books say in the end."""

    done: Astray
    verdict: Verdict

    @property
    def is_sound(self) -> bool:
        """Tell whether every real is accounted for, and nothing lies dead."""
        lost = places_of(self.verdict.books)[Place.NOWHERE] > ZERO
        return not (lost or self.verdict.offenders or self.verdict.dead or self.verdict.stuck)


async def run_storm(system: System, storm: Storm) -> Outcome:
    """Go astray on a running laptop, and judge it when it is quiet or the patience is over."""
    done = await go_astray(system, storm)
    patience = _SETTLING + storm.orders * _SETTLING_PER_ORDER
    return Outcome(done=done, verdict=await settle(system, patience=patience))


def print_outcome(outcome: Outcome, console: Console) -> None:
    """Print where the money is, what was done, and everything that is wrong."""
    money = Table(title="What came, by the provider's books")
    money.add_column("where it is")
    money.add_column("reais", justify="right")
    for place, amount in places_of(outcome.verdict.books).items():
        money.add_row(place.value, str(amount))
    figures = Table(title="What was done")
    figures.add_column("what")
    figures.add_column("count", justify="right")
    for name, count in _figures(outcome):
        figures.add_row(name, str(count))
    console.print(figures, money)
    for line in _wrong(outcome)[:_MOST_TOLD]:
        console.print(f"[red]{line}[/]", soft_wrap=True)
    sound = "Every real is accounted for."
    console.print(sound if outcome.is_sound else "[red]The promise was broken.[/]")


def _figures(outcome: Outcome) -> list[tuple[str, int]]:
    done, verdict = outcome.done, outcome.verdict
    charges = Counter(charge.status for books in verdict.books for charge in books.charges)
    cases = Counter(case.kind for books in verdict.books for case in books.cases if case.is_open)
    return [
        *((f"orders {fate}", count) for fate, count in sorted(done.fates.items())),
        ("deaths of the payments worker", done.deaths),
        ("seconds", round(done.seconds)),
        *((f"rule {kind} was asked", count) for kind, count in sorted(done.met.items())),
        *((f"charges {status}", count) for status, count in sorted(charges.items())),
        *((f"open cases {kind}", count) for kind, count in sorted(cases.items())),
        ("dead letters sent back", verdict.redriven),
        ("dead letters left", len(verdict.dead)),
        ("violations of a money invariant", len(verdict.offenders)),
        ("orders for which something was forgotten", len(verdict.stuck)),
    ]


def _wrong(outcome: Outcome) -> list[str]:
    found = outcome.verdict.offenders
    told = [f"{it.invariant} {it.shop} {it.subject}: {it.detail}" for it in found]
    return [*told, *outcome.verdict.stuck, *outcome.verdict.dead]


async def _whole(storm: Storm, root: Path) -> Outcome:
    async with running_system(Options(root=root, policy=_FORGIVING)) as system:
        return await run_storm(system, storm)


def main(arguments: list[str]) -> int:
    """Run one storm; the status is 0 when every real is accounted for, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m local.chaos.provider", description=__doc__)
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--seed", type=int, help="of what people and faults do; printed")
    parser.add_argument("--seconds", type=float, default=3600.0, help="no order is begun later")
    chosen = parser.parse_args(arguments)
    seed = chosen.seed if chosen.seed is not None else secrets.randbelow(1_000_000)
    console = Console(highlight=False)
    console.print(f"seed {seed}")
    storm = Storm(orders=chosen.orders, seed=seed, seconds=chosen.seconds)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(_whole(storm, REPOSITORY / ".comanda"))
    except SystemFailed as exc:
        console.print(f"[red]{exc}[/]", soft_wrap=True)
        return 1
    print_outcome(outcome, console)
    return 0 if outcome.is_sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
