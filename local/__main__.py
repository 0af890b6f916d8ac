"""`python -m local run` and `python -m local demo`: the laptop's two commands."""

import argparse
import asyncio
import sys

import uvloop

from local.demo.commands import demo, demo_day, demo_outage, run
from local.supervisor import Options


def main(arguments: list[str]) -> int:
    """Parse the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="start everything, drive two orders, stay up")
    running.add_argument("--verbose", action="store_true", help="show every process's log")
    loading = commands.add_parser("demo", help="drive many orders, balance the books, stop")
    loading.add_argument("--orders", type=_count, default=200, help="1 to 100000")
    loading.add_argument("--scenario", choices=("load", "outage", "day"), default="load")
    loading.add_argument("--seed", type=int, default=1, help="of a day: who does what")
    loading.add_argument("--verbose", action="store_true", help="show every process's log")
    for command in (running, loading):
        command.add_argument("--traces", action="store_true", help="keep spans of every order")
        command.add_argument("--iam", action="store_true", help="hold each program to its policy")
    chosen = parser.parse_args(arguments)
    options = Options(verbose=chosen.verbose, is_guarded=chosen.iam, has_traces=chosen.traces)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if chosen.command == "run":
            return runner.run(run(options=options))
        if chosen.scenario == "outage":
            return runner.run(demo_outage(options=options))
        if chosen.scenario == "day":
            return runner.run(demo_day(orders=chosen.orders, seed=chosen.seed, options=options))
        return runner.run(demo(orders=chosen.orders, options=options))


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"a number from 1 to 100000 is needed, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
