"""`python -m local.chaos`: break the laptop for a while, then see whether the books agree."""

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

import uvloop
from rich.console import Console

from local.chaos.plan import KINDS
from local.chaos.report import print_outcome, write_proof
from local.chaos.running import Trial, run_trial
from local.supervisor import SystemFailed


def main(arguments: list[str]) -> int:
    """Run one trial; the status is 0 when nothing was violated, 1 when something was."""
    parser = argparse.ArgumentParser(prog="python -m local.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long faults run")
    parser.add_argument("--seed", type=int, help="of the schedule; printed, so it can be had again")
    parser.add_argument("--pace", type=float, default=1.0, help="faults a second")
    parser.add_argument("--people", type=int, default=12, help="customers side by side")
    parser.add_argument(
        "--every-point", action="store_true", help="kill workers and APIs at each of their awaits"
    )
    parser.add_argument(
        "--all-points",
        action="store_true",
        help="kill each worker at every line at which it waits, however long it takes (--seconds)",
    )
    parser.add_argument("--only", nargs="+", choices=KINDS, default=(), help="kinds of faults")
    parser.add_argument("--proof", type=Path, help="write the page here")
    chosen = parser.parse_args(arguments)
    seed = chosen.seed if chosen.seed is not None else secrets.randbelow(1_000_000)
    console = Console(highlight=False)
    console.print(f"seed {seed}")
    trial = Trial(
        seed=seed,
        seconds=chosen.seconds,
        pace=chosen.pace,
        people=chosen.people,
        kinds=tuple(chosen.only),
        at_every_point=chosen.every_point,
        hunts=chosen.all_points,
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(run_trial(trial))
    except SystemFailed as exc:
        console.print(f"[red]{exc}[/]", soft_wrap=True)
        return 1
    print_outcome(outcome, console)
    if chosen.proof is not None:
        write_proof(outcome, chosen.proof)
    return 0 if outcome.is_sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
