"""`python -m local.soak`: half the load that the laptop bears, for an hour; fails on what grows."""

import argparse
import asyncio
import sys
from pathlib import Path

import uvloop
from rich.console import Console

from local.soak.report import print_outcome, write_pages
from local.soak.running import Soak, run_soak
from local.supervisor import SystemFailed


def main(arguments: list[str]) -> int:
    """Run one soak; the status is 0 when all stayed flat."""
    parser = argparse.ArgumentParser(prog="python -m local.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="how long the load is on")
    parser.add_argument("--every", type=float, default=10, help="seconds between two looks")
    parser.add_argument("--folder", type=Path, help="write soak.md and soak.svg there")
    chosen = parser.parse_args(arguments)
    console = Console(highlight=False)
    soak = Soak(
        seconds=chosen.seconds,
        # A short run is to have enough looks as well.
        every=min(chosen.every, chosen.seconds / 12),
        measuring=min(20.0, max(5.0, chosen.seconds / 4)),
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(run_soak(soak))
    except SystemFailed as exc:
        console.print(f"[red]{exc}[/]", soft_wrap=True)
        return 1
    print_outcome(outcome, console)
    if chosen.folder is not None:
        write_pages(outcome, chosen.folder)
    return 0 if outcome.is_flat else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
