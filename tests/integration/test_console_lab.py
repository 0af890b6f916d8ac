"""An engineer's further pages: the topology, who did what, and a laptop's simulator."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from comanda.ids import ShopId
from comanda.settings import SettingsError
from console.queues.caller import open_caller
from console.queues.processes import parse_urls
from console.queues.queues import Queues
from console.screens.settings import ScreensSettings, refuse_simulator_in_production
from tests.bus_server import running_bus
from tests.console_bed import NOW, SHOP, Bed, csrf_of, opened, sign_in
from tests.console_letters import STAGE, dead_queues
from tests.console_office import PAID
from tests.mercadopago_simulator import Bench, bench, serving, words

OPS = f"/loja/{SHOP}/ops"
ORDER = PAID["order_id"]


class Worker:
    """A worker's doors, which say what a test wants."""

    def __init__(self) -> None:
        self.handled = 10.0
        self.outbox = 0.0
        self.status = 200

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/health/ready", self._ready)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def _ready(self, _: web.Request) -> web.Response:
        return web.json_response({}, status=self.status)

    async def _metrics(self, _: web.Request) -> web.Response:
        labels = 'context="orders",type="x",outcome="handled"'
        text = (
            f"# TYPE comanda_messages_handled_total counter\n"
            f"comanda_messages_handled_total{{{labels}}} {self.handled}\n"
            f"comanda_outbox_oldest_seconds {self.outbox}\n"
            f"comanda_message_wait_seconds 4.0\n"
        )
        return web.Response(text=text)


async def read(browser: aiohttp.ClientSession, path: str) -> str:
    async with browser.get(path) as got:
        assert got.status == 200, await got.text()
        return html.unescape(await got.text())


def rows(page: str) -> dict[str, str]:
    """Give the text of each row of a table by its first word."""
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL):
        text = " ".join(re.sub(r"<[^>]+>", " ", row).split())
        found[text.partition(" ")[0]] = text
    return found


async def test_the_topology_tells_who_hears_whom_and_what_stands_still_in_red() -> None:
    worker = Worker()
    with running_bus() as bus:
        queue = dead_queues(bus)["orders"]
        async with serving(worker.app()) as url:
            urls = {"orders": url, "orders-worker": url, "catalog-worker": "http://127.0.0.1:1"}
            queues = Queues(open_caller(bus.url), stage=STAGE)
            async with opened(queues, processes=urls) as bed, bed.browser() as owner:
                await sign_in(owner, "boss")
                well = rows(await read(owner, f"{OPS}/topology"))
                bus.client("sqs").send_message(QueueUrl=queue.url, MessageBody="x")
                bus.client("sqs").receive_message(QueueUrl=queue.url)
                bus.client("sqs").send_message(QueueUrl=queue.url, MessageBody="y")
                worker.outbox, worker.status = 40.0, 503
                ill = rows(await read(owner, f"{OPS}/topology"))

    assert "payments (7)" in well["orders"].replace("payments  (", "payments (")
    assert well["orders"].count("ready") == 2
    assert "no answer (ClientConnectorError)" in well["catalog"]
    assert ("none was finished" in well["orders"], "unsent" in well["orders"]) == (False, False)
    assert "orders-worker: not ready (503)" in ill["orders"]
    assert "1 messages wait, and none was finished since" in ill["orders"]
    assert "events unsent for 40 s" in ill["orders"]


async def test_without_addresses_the_topology_says_that_it_knows_nothing_of_processes() -> None:
    with running_bus() as bus:
        dead_queues(bus)
        queues = Queues(open_caller(bus.url), stage=STAGE)
        async with opened(queues) as bed, bed.browser() as owner:
            await sign_in(owner, "boss")
            page = await read(owner, f"{OPS}/topology")

    assert "health, rates and outboxes are unknown" in page


def test_addresses_of_processes_are_pairs() -> None:
    assert parse_urls("a=http://1, b-worker=http://2") == {"a": "http://1", "b-worker": "http://2"}
    with pytest.raises(ValueError, match="name=url"):
        parse_urls("http://1")


STAFF_ACT = {
    "id": "1",
    "at": "2026-11-20T15:00:00+00:00",
    "done_at": "2026-11-20T15:00:01+00:00",
    "who": "boss",
    "what": "staff.changed",
    "whom": "cook",
    "why": "left us",
    "before": {"is_enabled": True},
    "after": {"is_enabled": False},
}
LETTER_ACT = {
    **STAFF_ACT,
    "at": "2026-11-20T16:00:00.000000Z",
    "done_at": None,
    "who": "sub-1",
    "operator": "ana",
    "what": "dead-letters.sent-back",
    "whom": "orders",
    "why": "<b>mended</b>",
}
REPLAY = {
    "id": "r",
    "queue": "catalog",
    "since": NOW.isoformat(),
    "until": NOW.isoformat(),
    "types": [],
    "subjects": [],
    "by": "sub-1",
    "asked_at": "2026-11-20T17:00:00Z",
    "state": "DONE",
    "sent": 12,
}


async def test_who_did_what_is_one_list_of_all_contexts_the_newest_first() -> None:
    async with opened() as bed, bed.browser() as owner:
        await sign_in(owner, "boss")
        bed.contexts.answers |= {
            "GET auth staff/audit": {"acts": [STAFF_ACT]},
            "GET archive acts": {"acts": [LETTER_ACT]},
            "GET archive replays": {"replays": [REPLAY]},
        }
        page = await read(owner, f"{OPS}/acts")
        raw = await (await owner.get(f"{OPS}/acts")).text()
        some = await read(owner, f"{OPS}/acts?what=staff.changed&who=BOSS")
        bed.contexts.answers.pop("GET auth staff/audit")
        bed.contexts.down.add("auth")
        partly = await read_faulty(owner)

    order = [page.index(word) for word in ("replay.asked", "ana (sub-1)", "left us")]
    assert order == sorted(order)
    assert ("not ended" in page, "is_enabled: False" in page) == (True, True)
    assert "<b>mended" not in raw
    assert ("left us" in some, "ana (sub-1)" in some) == (True, False)
    assert ("Out of reach, and so not shown: auth" in partly, "ana (sub-1)" in partly) == (
        True,
        True,
    )


async def read_faulty(owner: aiohttp.ClientSession) -> str:
    return html.unescape(await (await owner.get(f"{OPS}/acts")).text())


@pytest.mark.parametrize("path", ["acts", "topology", "simulator"])
async def test_the_further_pages_are_for_owners(path: str) -> None:
    async with opened(simulator_url="http://127.0.0.1:1") as bed, bed.browser() as browser:
        await sign_in(browser, "chief")

        assert (await browser.get(f"{OPS}/{path}")).status == 403


@pytest.fixture
async def sim(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as sim:
        yield sim


@pytest.fixture
async def bed(sim: Bench) -> AsyncIterator[Bed]:
    async with opened(simulator_url=sim.url) as bed:
        yield bed


@pytest.fixture
async def owner(bed: Bed) -> AsyncIterator[aiohttp.ClientSession]:
    async with bed.browser() as browser:
        await sign_in(browser, "boss")
        yield browser


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
