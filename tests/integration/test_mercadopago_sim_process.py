"""The simulator as a process: what it answered survives SIGKILL, and so do its controls."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from local.mercadopago.system import System
from local.supervisor.ports import reserve_ports
from tests.mercadopago_simulator import (
    SHOP,
    Bench,
    Shop,
    applications,
    code_of,
    order_body,
    serving,
    words,
)


class Machine:
    """Start the simulator on one folder, and kill it."""

    def __init__(self, folder: Path, *, shop: Shop, session: aiohttp.ClientSession) -> None:
        self._folder = folder
        self._config = folder / "config.json"
        facts = {"applications": [asdict(a) for a in applications(shop.url)]}
        self._config.write_text(json.dumps(facts))
        with reserve_ports(1) as (self._port,):
            pass
        self._process: asyncio.subprocess.Process | None = None
        self.sim = Bench(session, url=f"http://127.0.0.1:{self._port}", shop=shop)

    async def start(self) -> None:
        command = ("-m", "local.mercadopago", "--port", str(self._port))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            *("--data", str(self._folder / "data"), "--config", str(self._config)),
        )
        while True:
            try:
                await self.sim.call("GET", "/health", token=None, key=None)
                return
            except aiohttp.ClientError:
                assert self._process.returncode is None
                await asyncio.sleep(0.02)

    async def end(self, how: signal.Signals) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(how)
        return await self._process.wait()


@asynccontextmanager
async def machine(folder: Path) -> AsyncIterator[Machine]:
    shop = Shop()
    door = web.Application()
    door.router.add_post("/webhooks/mercadopago/{shop}", shop.receive)
    async with serving(door) as shop.url, aiohttp.ClientSession() as session:
        made = Machine(folder, shop=shop, session=session)
        await made.start()
        try:
            yield made
        finally:
            await made.end(signal.SIGKILL)


async def test_what_was_answered_survives_a_kill_in_the_middle_of_work(tmp_path: Path) -> None:
    async with machine(tmp_path) as computer:
        sim, answered = computer.sim, dict[str, str]()

        async def buy(number: int) -> None:
            body = order_body(external_reference=f"o-{number}")
            said = await sim.call("POST", "/v1/orders", body, key=f"k-{number}")
            if said.status == 201:
                answered[said.body["id"]] = "waiting"
                paid = await sim.control("pay", pix_code=code_of(said.body))
                answered[said.body["id"]] = "paid" if paid.status == 200 else "waiting"

        work = [asyncio.create_task(buy(number)) for number in range(400)]
        while len(answered) < 100:
            await asyncio.wait(work, timeout=0.01)
        await computer.end(signal.SIGKILL)
        await asyncio.gather(*work, return_exceptions=True)
        await computer.start()

        held = {charge["id"]: charge["state"] for charge in await sim.truth()}
        assert 100 <= len(answered) < 400
        # What was not answered may have happened or not; what was answered has.
        assert all(held[name] in (state, "paid") for name, state in answered.items())
        again = await sim.call(
            "POST", "/v1/orders", order_body(external_reference="o-0"), key="k-0"
        )
        assert again.status in (201, 409)


async def test_a_key_still_means_its_order_after_a_kill(tmp_path: Path) -> None:
    async with machine(tmp_path) as computer:
        body = order_body()
        first = await computer.sim.call("POST", "/v1/orders", body, key="k")
        await computer.end(signal.SIGKILL)
        await computer.start()

        again = await computer.sim.call("POST", "/v1/orders", body, key="k")

        assert (again.status, again.body) == (201, first.body)


async def test_undelivered_notifications_go_on_after_a_kill(tmp_path: Path) -> None:
    async with machine(tmp_path) as computer:
        sim = computer.sim
        sim.shop.status = 500
        order = await sim.order()
        await sim.settled()
        await computer.end(signal.SIGKILL)
        sim.shop.status = 200
        await computer.start()

        await sim.control("clock", advance_seconds=3600)
        heard = await sim.settled()

        assert heard[-1].query["data.id"] == order["id"]
        assert len(heard) >= 2


async def test_clock_faults_settings_and_secrets_survive_a_kill(tmp_path: Path) -> None:
    async with machine(tmp_path) as computer:
        sim = computer.sim
        order = await sim.order()
        await sim.control("clock", advance_seconds=40 * 60, speed=0)
        await sim.fault("error", operation="search")
        await sim.control("settings", strict_search=True)
        await sim.control("secrets", shop=SHOP, secret="rotated-secret")
        now = (await sim.look("clock"))["now"]
        await computer.end(signal.SIGKILL)
        await computer.start()

        assert (await sim.look("clock"))["now"] == now
        assert (await sim.look("settings"))["strict_search"] is True
        assert (await sim.call("GET", "/v1/payments/search")).status == 500
        assert words(await sim.get_order(order["id"])) == ("expired", "expired")


async def test_sigterm_ends_it_cleanly(tmp_path: Path) -> None:
    async with machine(tmp_path) as computer:
        await computer.sim.order()

        assert await computer.end(signal.SIGTERM) == 0


async def test_a_folder_of_other_shops_is_refused_at_the_start(tmp_path: Path) -> None:
    async with machine(tmp_path) as computer:
        await computer.sim.order()
    (own, *_) = applications("http://127.0.0.1:1")

    with pytest.raises(ValueError, match="unknown shops"):
        System(tmp_path / "data", [replace(own, shop="another")], seed="x")
