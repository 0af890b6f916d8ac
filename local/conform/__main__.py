"""`python -m local.conform`: start a laptop, sign an owner in, and let schemathesis look at it."""

import argparse
import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import aiohttp

from local.demo.client import Shopper
from local.demo.doors import StaffLogin, doors_of
from local.provision.context import REPOSITORY
from local.supervisor import Options, System, SystemFailed, running_system

TOOL = REPOSITORY / ".venv-conform" / "bin" / "schemathesis"
# The one that the configuration names, too.
SHOP = "lanchonete-da-ana"
CONFIG = Path(__file__).with_name("schemathesis.toml")


async def conform(*, seconds: int, seed: int) -> int:
    """Give schemathesis's own status: 0 when the system is what its document says."""
    async with running_system(Options()) as system, aiohttp.ClientSession() as session:
        token = await _owner_token(system, session)
        child = await asyncio.create_subprocess_exec(
            str(TOOL),
            f"--config-file={CONFIG}",
            "run",
            f"{system.urls['edge']}/openapi.json",
            f"--header=Authorization: Bearer {token}",
            "--phases=examples,coverage,fuzzing",
            "--continue-on-failure",
            f"--max-time={seconds}",
            f"--seed={seed}",
            # All checks are on but where the configuration says for which paths one cannot be.
            # Between two runs nothing is kept, so nothing is written beside the sources.
            cwd=system.folder,
        )
        return await child.wait()


async def _owner_token(system: System, session: aiohttp.ClientSession) -> str:
    doors = doors_of(system)
    owners = {
        str(login.shop): StaffLogin(username=login.username, password=login.password)
        for login in system.staff
        if "owner" in login.groups
    }
    shopper = Shopper(session, replace(doors, kitchens=owners))
    return await shopper.staff_token(SHOP)


def main(arguments: list[str]) -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m local.conform", description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="of fuzzing and all else")
    parser.add_argument("--seed", type=int, default=1, help="the same number asks the same")
    chosen = parser.parse_args(arguments)
    if not TOOL.exists():
        raise SystemExit("`make conform` sets up the environment of schemathesis first")
    try:
        return asyncio.run(conform(seconds=chosen.seconds, seed=chosen.seed))
    except SystemFailed as exc:
        print(exc)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
