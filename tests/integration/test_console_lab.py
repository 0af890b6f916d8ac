"""A laptop's simulator is played by buttons, within bounds, and nowhere else."""

import html
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from comanda.ids import ShopId
from comanda.settings import SettingsError
from console.screens.settings import ScreensSettings, refuse_simulator_in_production
from tests import console_ops, mercadopago_simulator
from tests.console_bed import SHOP, Bed, csrf_of, opened, sign_in
from tests.console_office import PAID
from tests.console_ops import OPS
from tests.mercadopago_simulator import Bench, words

sim = mercadopago_simulator.sim
owner = console_ops.owner

ORDER = PAID["order_id"]


@pytest.fixture
async def bed(sim: Bench) -> AsyncIterator[Bed]:
    async with opened(simulator_url=sim.url) as bed:
        yield bed


async def does(
    bed: Bed, browser: aiohttp.ClientSession, charge: str, **form: str
) -> tuple[int, str]:
    known = {**PAID, "status": "WAITING", "provider_id": charge}
    bed.contexts.answers["GET payments charges"] = {"charges": [known]}
    data = {"csrf": await csrf_of(browser), "order": ORDER, "charge": charge, **form}
    async with browser.post(f"{OPS}/simulator", data=data) as done:
        return done.status, html.unescape(await done.text())


async def test_a_charge_is_paid_a_second_time_and_late_by_a_button(
    bed: Bed, owner: aiohttp.ClientSession, sim: Bench
) -> None:
    first, second = await sim.order(), await sim.order()

    twice = await does(bed, owner, first["id"], act="twice")
    await does(bed, owner, second["id"], act="expire")
    late = await does(bed, owner, second["id"], act="late")

    truth = {it["id"]: it for it in await sim.truth()}
    assert (twice[0], late[0]) == (200, 200)
    assert words(await sim.get_order(first["id"])) == ("processed", "accredited")
    assert len(truth) == 3, "the second payment is a charge of its own"
    assert truth[second["id"]]["state"] == "paid"


async def test_a_charge_that_is_not_the_orders_is_not_touched(
    bed: Bed, owner: aiohttp.ClientSession, sim: Bench
) -> None:
    theirs = await sim.order()
    bed.contexts.answers["GET payments charges"] = {"charges": [PAID]}
    data = {"csrf": await csrf_of(owner), "order": ORDER, "charge": theirs["id"], "act": "pay"}

    async with owner.post(f"{OPS}/simulator", data=data) as done:
        page = await done.text()

    assert (done.status, "no such charge" in page) == (422, True)
    assert (await sim.get_order(theirs["id"]))["status"] == "action_required"


async def test_an_outage_is_a_fault_of_this_shop_that_is_taken_back(
    bed: Bed, owner: aiohttp.ClientSession, sim: Bench
) -> None:
    down = await does(bed, owner, "", act="down", seconds="60")
    (fault,) = (await sim.look("faults"))["faults"]
    mended = await does(bed, owner, "", act="mend")

    assert (fault["kind"], fault["value"], fault["shop"]) == ("error", 503, str(SHOP))
    assert "down for 60 s" in down[1]
    assert "1 faults taken back" in mended[1]
    assert (await sim.look("faults"))["faults"] == []


async def test_an_outage_ends_with_the_console(tmp_path: Path, sim: Bench) -> None:
    async with opened(simulator_url=sim.url) as bed, bed.browser() as browser:
        await sign_in(browser, "boss")
        await does(bed, browser, "", act="down", seconds="60")
        assert bed.desk.simulator is not None
        await bed.desk.simulator.close()

    assert (await sim.look("faults"))["faults"] == []


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"act": "speed", "speed": "60"}, "60 times as fast"),
        ({"act": "speed", "speed": "nan"}, "a speed is"),
        ({"act": "speed", "speed": "soon"}, "speed is a number"),
        ({"act": "down", "seconds": "9999"}, "an outage is 1 to 120"),
        ({"act": "down", "seconds": "inf"}, "an outage is 1 to 120"),
    ],
)
async def test_time_and_outages_have_bounds(
    bed: Bed, owner: aiohttp.ClientSession, form: dict[str, str], says: str
) -> None:
    _, page = await does(bed, owner, "", **form)

    assert says in page


async def test_elsewhere_than_on_a_laptop_there_is_no_simulator_page() -> None:
    async with opened() as bed, bed.browser() as browser:
        await sign_in(browser, "boss")
        data = {"csrf": await csrf_of(browser), "act": "mend"}

        seen = await browser.get(f"{OPS}/simulator")
        done = await browser.post(f"{OPS}/simulator", data=data)

    assert (seen.status, done.status) == (404, 404)


def test_production_refuses_the_simulators_address() -> None:
    settings: dict[str, Any] = dict.fromkeys(
        ("auth_url", "orders_url", "catalog_url", "payments_url", "archive_url", "public_url"), "x"
    )
    production = ScreensSettings(
        **settings,
        stage="prod",
        shops=(ShopId("cantina"),),
        console_keys="k",
        http_port=1,
        simulator_url="http://127.0.0.1:1",
    )

    with pytest.raises(SettingsError, match="SIMULATOR"):
        refuse_simulator_in_production(production)
