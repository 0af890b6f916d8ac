"""The robot as a process: an empty laptop comes to life, and the robot leaves when told."""

import asyncio
import json
import signal
import sys

import aiohttp
import pytest

from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.supervisor import System
from tests.bus_server import ROOT

pytestmark = pytest.mark.timeout(120)


async def test_orders_come_and_are_cooked_until_the_robot_is_told_to_leave(system: System) -> None:
    words = ("robot", "--rate", "3", "--places", str(system.folder / "places.json"))
    doors = doors_of(system)
    robot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "console", *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        shopper = Shopper(session, doors)
        seen: set[str] = set()
        while not {"IN_PREPARATION", "READY"} <= seen:
            for shop in doors.shops:
                board = await shopper.as_staff(shop, f"/apis/orders/{shop}/board")
                seen |= {order["status"] for order in board["orders"]}
            await asyncio.sleep(0.2)
    robot.send_signal(signal.SIGINT)
    said, _ = await asyncio.wait_for(robot.communicate(), timeout=10)

    assert robot.returncode == 0
    assert "pays" in said.decode()
    assert json.loads((system.folder / "places.json").read_text())["kitchens"].keys() == set(
        doors.shops
    )
