"""An engineer sees who hears whom and who did what, and is told what is out of sight."""

import html
import re

import aiohttp
import pytest
from aiohttp import web

from console.queues.caller import open_caller
from console.queues.processes import parse_urls
from console.queues.queues import Queues
from tests.bus_server import running_bus
from tests.console_bed import NOW, opened, sign_in
from tests.console_letters import STAGE, dead_queues
from tests.console_ops import OPS, text_of
from tests.mercadopago_simulator import serving


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
                well = rows(await text_of(owner, f"{OPS}/topology"))
                bus.client("sqs").send_message(QueueUrl=queue.url, MessageBody="x")
                bus.client("sqs").receive_message(QueueUrl=queue.url)
                bus.client("sqs").send_message(QueueUrl=queue.url, MessageBody="y")
                worker.outbox, worker.status = 40.0, 503
                ill = rows(await text_of(owner, f"{OPS}/topology"))

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
            page = await text_of(owner, f"{OPS}/topology")

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
        page = await text_of(owner, f"{OPS}/acts")
        raw = await (await owner.get(f"{OPS}/acts")).text()
        some = await text_of(owner, f"{OPS}/acts?what=staff.changed&who=BOSS")
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
