"""Dead letters are read, sent back and discarded by owners of their shop, and each act is noted."""

import html
import json
import re
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from console.queues.caller import open_caller
from console.queues.queues import Queues
from tests import console_ops
from tests.bus_server import BusServer, running_bus
from tests.console_bed import OTHER_SHOP, Bed, csrf_of, opened, sign_in
from tests.console_letters import STAGE, bury, dead_queues, event_body
from tests.console_ops import OPS, ORDER, REPLAYS, notes, text_of
from tests.redrive_letters import DeadQueue

owner = console_ops.owner

LETTERS = f"{OPS}/dead-letters/orders"


@pytest.fixture(scope="module")
def bus() -> Iterator[BusServer]:
    with running_bus() as bus:
        yield bus


@pytest.fixture
def queue(bus: BusServer) -> Iterator[DeadQueue]:
    queue = dead_queues(bus)["orders"]
    yield queue
    for url in (queue.url, queue.dlq_url):
        bus.client("sqs").purge_queue(QueueUrl=url)


@pytest.fixture
async def bed(bus: BusServer) -> AsyncIterator[Bed]:
    async with opened(Queues(open_caller(bus.url), stage=STAGE)) as bed:
        yield bed


async def send(browser: aiohttp.ClientSession, **form: str) -> aiohttp.ClientResponse:
    data = {"csrf": await csrf_of(browser), "why": "a test", "confirm": "orders", **form}
    return await browser.post(LETTERS, data=data, allow_redirects=False)


async def ids_on(browser: aiohttp.ClientSession) -> list[str]:
    return re.findall(r"dead-letters/orders/([0-9a-f-]{36})", await text_of(browser, LETTERS))


@pytest.mark.parametrize("who", ["cook", "chief"])
async def test_queues_and_letters_are_for_owners(bed: Bed, queue: DeadQueue, who: str) -> None:
    async with bed.browser() as browser:
        await sign_in(browser, who)
        seen = [(await browser.get(path)).status for path in (OPS, LETTERS, REPLAYS)]
        done = await send(browser, act="redrive")

    assert [*seen, done.status] == [403, 403, 403, 403]


async def test_messages_that_nobody_takes_are_a_queue_without_consumer(
    owner: aiohttp.ClientSession, queue: DeadQueue, bus: BusServer
) -> None:
    quiet = await text_of(owner, OPS)
    bus.client("sqs").send_message(QueueUrl=queue.url, MessageBody="x")
    deserted = await text_of(owner, OPS)
    bus.client("sqs").receive_message(QueueUrl=queue.url)
    taken = await text_of(owner, OPS)

    assert ("no consumer</span>" in quiet, "no consumer</span>" in deserted) == (False, True)
    assert ("no consumer</span>" in taken, "receiving" in taken) == (False, True)


async def test_letters_of_another_shop_are_neither_shown_nor_touched(
    owner: aiohttp.ClientSession, queue: DeadQueue
) -> None:
    theirs = event_body(9, shop=OTHER_SHOP)
    bury(queue, theirs, "nobody's")
    bury(queue, event_body(1), reason="ours")

    page = await text_of(owner, LETTERS)
    done = await send(owner, act="redrive")

    assert ("1 × ours" in page, "1 of this shop" in page) == (True, True)
    assert "sent=1" in done.headers["location"]
    assert [it["Body"] for it in queue.arrived()] == [event_body(1)]
    assert queue.left()["visible"] == 2


async def test_a_letter_of_another_shop_is_not_found_by_its_id(
    owner: aiohttp.ClientSession, queue: DeadQueue, bus: BusServer
) -> None:
    made = bus.client("sqs").send_message(
        QueueUrl=queue.dlq_url, MessageBody=event_body(9, shop=OTHER_SHOP)
    )

    seen = await owner.get(f"{LETTERS}/{made['MessageId']}")
    done = await send(owner, act="discard", id=made["MessageId"])

    assert (seen.status, done.status) == (404, 404)
    assert queue.left()["visible"] == 1


async def test_one_letter_is_read_edited_and_sent_back(
    owner: aiohttp.ClientSession, queue: DeadQueue
) -> None:
    broken = json.loads(event_body(1))
    broken["data"]["order_id"] = 7
    bury(queue, json.dumps(broken), reason="InvalidEnvelope")
    (message_id,) = await ids_on(owner)

    page = await text_of(owner, f"{LETTERS}/{message_id}")
    done = await send(owner, act="redrive", id=message_id, body=event_body(1))

    assert "Its body is no event of ours" in page
    assert done.status == 303
    (arrived,) = queue.arrived()
    assert arrived["Body"] == event_body(1)
    assert arrived["MessageAttributes"]["redriven_by"]["StringValue"] == "boss"


async def test_a_letter_that_nobody_changed_goes_as_it_was_even_if_it_is_broken(
    owner: aiohttp.ClientSession, queue: DeadQueue
) -> None:
    unknown = event_body(1).replace("orders.order.paid.v1", "orders.order.paid.v9")
    bury(queue, unknown)
    (message_id,) = await ids_on(owner)
    page = await text_of(owner, f"{LETTERS}/{message_id}")
    shown = page.partition('spellcheck="false">')[2].partition("</textarea>")[0]

    await send(owner, act="redrive", id=message_id, body=shown.replace("\n", "\r\n"))

    (arrived,) = queue.arrived()
    assert arrived["Body"] == unknown
    assert "redriven_edited" not in arrived["MessageAttributes"]


async def test_an_edit_cannot_make_another_shop_s_event(
    owner: aiohttp.ClientSession, queue: DeadQueue
) -> None:
    bury(queue, event_body(1))
    (message_id,) = await ids_on(owner)

    forged = event_body(1, shop=OTHER_SHOP)
    done = await send(owner, act="redrive", id=message_id, body=forged)

    assert done.status == 422
    assert f"an edit cannot make it {OTHER_SHOP}" in html.unescape(await done.text())
    assert (queue.arrived(), queue.left()["visible"]) == ([], 1)


@pytest.mark.parametrize("form", [{"confirm": "order"}, {"why": " "}, {"confirm": ""}])
async def test_what_is_not_confirmed_is_not_done(
    owner: aiohttp.ClientSession, queue: DeadQueue, form: dict[str, str]
) -> None:
    bury(queue, event_body(1))

    done = [await send(owner, act=act, **form) for act in ("redrive", "discard")]

    assert [it.status for it in done] == [422, 422]
    assert queue.left()["visible"] == 1


async def test_letters_of_one_reason_are_discarded(
    owner: aiohttp.ClientSession, queue: DeadQueue
) -> None:
    bury(queue, event_body(1), event_body(2), reason="a test of ours")
    bury(queue, event_body(3), reason="another")

    done = await send(owner, act="discard", reason="a test of ours")
    page = await text_of(owner, done.headers["location"])

    assert "2 discarded." in page
    assert ("a test of ours" in page, "1 × another" in page) == (False, True)
    assert queue.arrived() == []


async def test_without_the_forms_token_nothing_is_done(
    owner: aiohttp.ClientSession, queue: DeadQueue
) -> None:
    bury(queue, event_body(1))

    done = await send(owner, act="redrive", csrf="guessed")

    assert (done.status, "entrar" in done.headers["location"]) == (303, True)
    assert queue.left()["visible"] == 1


async def test_queues_out_of_reach_are_told_as_such() -> None:
    async with opened() as bed, bed.browser() as browser:
        await sign_in(browser, "boss")
        answer = await browser.get(OPS)

    assert answer.status == 503
    assert "Nothing was lost" in await answer.text()


async def test_what_is_done_to_letters_is_noted_before_and_after_with_what_was_edited(
    bed: Bed, owner: aiohttp.ClientSession, queue: DeadQueue
) -> None:
    broken = json.loads(event_body(1))
    broken["data"] |= {"order_id": 7, "notes": "for Ana"}
    bury(queue, json.dumps(broken), reason="InvalidEnvelope")
    (message_id,) = await ids_on(owner)

    await send(owner, act="redrive", id=message_id, body=event_body(1), why="mended")

    (begun,), (ended,) = notes(bed, "acts"), notes(bed, "acts/act/end")
    assert (begun["what"], begun["whom"]) == ("dead-letters.sent-back", "orders")
    assert (begun["why"], begun["operator"]) == ("mended", "boss")
    assert (ended["after"]["letters"], ended["after"]["events"]) == (1, broken["id"])
    assert ended["after"]["edited data.order_id"] == f'7 → "{ORDER}"'
    assert ended["after"]["edited data.notes"] == "changed"


async def test_what_cannot_be_noted_is_not_done(
    bed: Bed, owner: aiohttp.ClientSession, queue: DeadQueue
) -> None:
    bury(queue, event_body(1))
    bed.contexts.down.add("archive")
    bed.contexts.statuses["POST archive acts"] = 503

    done = [await send(owner, act=act) for act in ("redrive", "discard")]

    assert [it.status for it in done] == [503, 503]
    assert (queue.arrived(), queue.left()["visible"]) == ([], 1)
