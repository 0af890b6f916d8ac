"""`python -m local.recovery`: lose both databases, restore them, see if the books agree."""

import argparse
import asyncio
import sys

import uvloop
from rich.console import Console

from local.recovery.drill import Drill, Recovered, run_drill, unexplained
from local.supervisor import SystemFailed


def main(arguments: list[str]) -> int:
    """Run one drill; the status is 0 when nothing is missing and the audit is clean."""
    parser = argparse.ArgumentParser(prog="python -m local.recovery", description=__doc__)
    parser.add_argument("--people", type=int, default=6, help="customers side by side")
    parser.add_argument("--after", type=float, default=8.0, help="seconds of sales to lose")
    parser.add_argument("--seed", type=int, default=1, help="of what people choose")
    chosen = parser.parse_args(arguments)
    console = Console(highlight=False)
    drill = Drill(people=chosen.people, after=chosen.after, seed=chosen.seed)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(run_drill(drill))
    except SystemFailed as exc:
        console.print(f"[red]{exc}[/]", soft_wrap=True)
        return 1
    console.print(described(found), soft_wrap=True)
    return 0 if found.is_sound else 1


def described(found: Recovered) -> str:
    """Say what was found, a fact a line."""
    left = unexplained(found.verdict)
    lines = [
        f"orders acknowledged before the point in time: {found.kept}, missing: {len(found.gone)}",
        f"orders taken back by the restore: {found.undone}; open cases: {found.verdict.open_cases}",
        f"would have been lost without warning: {found.postgres_lag:.2f} s of PostgreSQL,"
        f" {found.tables_lag:.2f} s of the tables",
        f"first order paid after {found.service:.1f} s; books agree after {found.books:.1f} s",
        f"violations of a money invariant: {len(found.verdict.offenders)};"
        f" dead letters about orders taken back: {len(found.verdict.dead) - len(left)},"
        f" others: {len(left)}",
    ]
    lines += [f"missing: {order}" for order in found.gone]
    lines += [f"{o.invariant} {o.shop} {o.subject}: {o.detail}" for o in found.verdict.offenders]
    return "\n".join([*lines, *left])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
