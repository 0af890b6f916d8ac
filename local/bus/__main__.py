"""Serve the bus: `python -m local.bus --port P --data DIR`."""

import argparse
import time
from pathlib import Path

import uvicorn

from local.bus.app import Bus
from local.bus.world import World


def main() -> None:
    """Read the log, then serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.bus", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    chosen = parser.parse_args()
    world = World(chosen.data, clock=time.time)
    uvicorn.run(
        Bus(world),
        host="127.0.0.1",
        port=chosen.port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        # At a stop it would call each open long poll an error.
        log_level="critical",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
        backlog=2048,
    )


if __name__ == "__main__":
    main()
