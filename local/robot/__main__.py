"""`python -m local.robot --rate 2`: bring a running laptop to life until Ctrl-C."""

import argparse
import asyncio
import json
import random
import signal
import sys
from pathlib import Path

import aiohttp

from local.demo.client import Shopper
from local.demo.doors import Doors, StaffLogin
from local.places import FILE
from local.robot.latecomers import Latecomers
from local.robot.running import Robot

_STATE = Path(".comanda")


async def live(doors: Doors, *, rate: float, seconds: float | None, seed: int | None) -> None:
    """Run the robot for so long, or until SIGINT or SIGTERM; say what everybody did."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        shopper = Shopper(session, doors)
        robot = Robot(
            shopper,
            shops=doors.shops,
            rate=rate,
            rng=random.Random(seed),
            pay_too_late=Latecomers(session, shopper, bank=doors.bank).pay_too_late,
        )
        living = asyncio.create_task(robot.live())
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, living.cancel)
        await asyncio.wait({living}, timeout=seconds)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
    print(", ".join(f"{count} {what}" for what, count in sorted(robot.tally.items())) or "nobody")


def doors_in(places: Path | None) -> Doors:
    """Read the file of a running laptop; the newest when none is named."""
    found = places or max(
        _STATE.glob(f"*/{FILE}"), key=lambda path: path.stat().st_mtime, default=None
    )
    if found is None or not found.exists():
        raise SystemExit("no laptop runs here: `make run` starts one")
    content = json.loads(found.read_text())
    kitchens = {shop: StaffLogin(**login) for shop, login in content["kitchens"].items()}
    return Doors(edge=content["edge"], bank=content["simulator"], kitchens=kitchens)


def main(arguments: list[str]) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m local.robot", description=__doc__)
    parser.add_argument("--rate", type=_rate, default=2.0, help="customers a second, 0.1 to 20")
    parser.add_argument("--seconds", type=float, help="how long; until Ctrl-C without it")
    parser.add_argument("--seed", type=int, help="the same number invents the same customers")
    parser.add_argument("--places", type=Path, help="a laptop's file; the newest run's without it")
    chosen = parser.parse_args(arguments)
    doors = doors_in(chosen.places)
    print(f"customers come to {', '.join(doors.shops)}; Ctrl-C sends them home", flush=True)
    asyncio.run(live(doors, rate=chosen.rate, seconds=chosen.seconds, seed=chosen.seed))


def _rate(text: str) -> float:
    rate = float(text)
    if not 0.1 <= rate <= 20:
        raise argparse.ArgumentTypeError("0.1 to 20 customers a second")
    return rate


if __name__ == "__main__":
    main(sys.argv[1:])
