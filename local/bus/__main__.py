"""Serve the bus: `python -m local.bus --port P [--data DIR]`."""

import argparse
import asyncio
import signal
from pathlib import Path

import uvloop

from comanda.garbage import collect_seldom
from local.bus.app import Bus
from local.bus.http import Connection
from local.bus.world import World


def main() -> None:
    """Read the log, then serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m local.bus", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, help="without it nothing outlives the process")
    chosen = parser.parse_args()
    world = World(chosen.data)
    collect_seldom()
    uvloop.run(_serve(world, port=chosen.port))


async def _serve(world: World, *, port: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopped.set)
    bus, connections = Bus(world), set[Connection]()
    server = await loop.create_server(
        lambda: Connection(bus, connections), "127.0.0.1", port, backlog=2048
    )
    await stopped.wait()
    server.close()
    # Whatever was answered is in the log already, so open long polls are simply left.
    for connection in list(connections):
        connection.abort()


if __name__ == "__main__":
    main()
