"""What engineers see and do in the browser, with real queues behind: queues, letters, journeys."""

import html
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from console.queues.caller import open_caller
from console.queues.queues import Queues
from tests.bus_server import BusServer, running_bus
from tests.console_bed import NOW, OTHER_SHOP, SHOP, Bed, an_order, csrf_of, opened, sign_in
from tests.console_letters import STAGE, bury, dead_queues, event_body
from tests.console_office import CHARGE, PAID
from tests.redrive_letters import DeadQueue

OPS = f"/loja/{SHOP}/ops"
LETTERS = f"{OPS}/dead-letters/orders"
REPLAYS = f"{OPS}/replays"
ORDER = str(UUID(int=1))
NOTHING = {"order": None, "charge": None, "stock": None}
PLACED = {**NOTHING, "order": "PENDING_PAYMENT"}
HELD = {**PLACED, "stock": "HELD"}


def a_step(kind: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    event = {
        "id": str(UUID(int=77)),
        "type": kind,
        "subject": ORDER,
        "time": NOW.isoformat(),
        "correlation_id": "c",
        "causation_id": None,
        "data": {"order_id": ORDER, "note": "<script>"},
    }
    return {"event": event, "before": before, "after": after, "seconds_after_previous": 1.25}


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


@pytest.fixture
async def owner(bed: Bed) -> AsyncIterator[aiohttp.ClientSession]:
    async with bed.browser() as browser:
        await sign_in(browser, "boss")
        yield browser


async def text_of(browser: aiohttp.ClientSession, path: str) -> str:
    async with browser.get(path) as got:
        assert got.status == 200, await got.text()
        return html.unescape(await got.text())


async def send(browser: aiohttp.ClientSession, **form: str) -> aiohttp.ClientResponse:
    data = {"csrf": await csrf_of(browser), "why": "a test", "confirm": "orders", **form}
    return await browser.post(LETTERS, data=data, allow_redirects=False)


async def ids_on(browser: aiohttp.ClientSession) -> list[str]:
    return re.findall(r"dead-letters/orders/([0-9a-f-]{36})", await text_of(browser, LETTERS))


PREVIEW = {
    "queue": "catalog",
    "count": 12,
    "by_type": {"orders.order.placed.v1": 12},
    "left_out": {"orders.order.paid.v1": 3},
}
WINDOW = {"queue": "catalog", "since": "2026-11-20T12:00", "until": "2026-11-20T13:00:30"}


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


async def test_a_journey_is_told_whole_or_as_it_was(bed: Bed, owner: aiohttp.ClientSession) -> None:
    steps = [
        a_step("orders.order.placed.v1", NOTHING, PLACED),
        a_step("catalog.stock.reserved.v1", PLACED, HELD),
    ]
    journey = {"order_id": ORDER, "as_of": None, "now": HELD, "steps": steps}
    bed.contexts.answers |= {
        f"GET archive orders/{ORDER}/journey": journey,
        "GET orders orders": {"orders": [an_order()], "cursor": None},
    }

    found = await owner.get(f"{OPS}/journey?order=1", allow_redirects=False)
    whole = await text_of(owner, found.headers["location"])
    raw = await (await owner.get(found.headers["location"])).text()
    first = await text_of(owner, f"{OPS}/journey/{ORDER}?step=1")

    assert "stock: nothing → HELD" in whole
    assert "<script>" not in raw.partition("<main")[2]
    assert ("HELD" in first, "1 more happened since" in first) == (False, True)


async def test_notifications_are_found_by_order_with_their_verdicts(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    notice = {"topic": "order", "verdict": "applied", "doubt": None, "received_at": NOW.isoformat()}
    bed.contexts.answers |= {
        "GET payments charges": {"charges": [PAID]},
        "GET payments notifications": {"notifications": [notice]},
    }

    page = await text_of(owner, f"{OPS}/webhooks?about={ORDER}")

    assert ("ORD1" in page, "applied" in page) == (True, True)


async def test_a_payment_is_checked_now(bed: Bed, owner: aiohttp.ClientSession) -> None:
    bed.contexts.answers[f"POST payments charges/{CHARGE}/check"] = PAID
    form = {"csrf": await csrf_of(owner), "cobranca": CHARGE}

    done = await owner.post(
        f"/loja/{SHOP}/pedidos/{ORDER}/conferir", data=form, allow_redirects=False
    )

    assert done.headers["location"].endswith("aviso=conferindo")
    assert bed.contexts.asked[f"POST payments charges/{CHARGE}/check"] == 1
    (noted,) = notes(bed, "acts")
    assert (noted["what"], noted["whom"]) == ("payments.checked", CHARGE)


async def test_a_payment_is_checked_even_while_the_archive_is_away(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    bed.contexts.answers[f"POST payments charges/{CHARGE}/check"] = PAID
    bed.contexts.statuses["POST archive acts"] = 503
    form = {"csrf": await csrf_of(owner), "cobranca": CHARGE}

    done = await owner.post(
        f"/loja/{SHOP}/pedidos/{ORDER}/conferir", data=form, allow_redirects=False
    )

    assert done.headers["location"].endswith("aviso=conferindo")
    assert bed.contexts.asked[f"POST payments charges/{CHARGE}/check"] == 1


async def replay(bed: Bed, browser: aiohttp.ClientSession, **form: str) -> aiohttp.ClientResponse:
    bed.contexts.answers |= {
        "GET archive replays": {"replays": []},
        "GET archive replays/preview": PREVIEW,
        "POST archive replays": {},
    }
    data = {"csrf": await csrf_of(browser), **WINDOW, **form}
    return await browser.post(REPLAYS, data=data, allow_redirects=False)


async def test_a_window_is_counted_in_the_shops_time_and_sent_when_its_count_is_typed(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    unsure = await replay(bed, owner, confirm="1")
    asked = bed.contexts.asked["POST archive replays"]
    sure = await replay(bed, owner, confirm="12", about=ORDER)

    sent = next(body for name, body in bed.contexts.bodies if name == "POST archive replays")
    assert (unsure.status, asked, sure.status) == (422, 0, 303)
    assert "type 12 to confirm" in await unsure.text()
    assert (sent["since"], sent["subjects"]) == ("2026-11-20T12:00:00-03:00", [ORDER])


async def test_a_preview_tells_what_would_be_sent_and_what_not(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    await replay(bed, owner)
    query = "queue=catalog&since=2026-11-20T12:00&until=2026-11-20T13:00"

    page = await text_of(owner, f"{REPLAYS}?{query}")
    wrong = await owner.get(f"{REPLAYS}?queue=catalog&since=then&until=now")

    assert ("12 events to catalog" in page, "which it does not hear" in page) == (True, True)
    assert (wrong.status, "A beginning and an end" in await wrong.text()) == (422, True)


async def test_an_open_replay_is_stopped_and_one_that_ended_is_left(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    path = f"replays/{ORDER}/cancellation"
    bed.contexts.answers[f"POST archive {path}"] = {}
    form = {"csrf": await csrf_of(owner)}
    first = await owner.post(f"{REPLAYS}/{ORDER}/cancel", data=form, allow_redirects=False)
    bed.contexts.statuses[f"POST archive {path}"] = 409
    second = await owner.post(f"{REPLAYS}/{ORDER}/cancel", data=form, allow_redirects=False)

    assert (first.status, second.status) == (303, 303)
    assert bed.contexts.asked[f"POST archive {path}"] == 2


def notes(bed: Bed, name: str) -> list[Any]:
    return [body for asked, body in bed.contexts.bodies if asked == f"POST archive {name}"]


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


async def test_without_a_question_the_inbox_shows_the_newest_with_what_is_wrong(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    data = {"topic": "order", "resource_id": "ORD<1>", "received_at": NOW.isoformat()}
    told = {"verdict": "unverified", "reason": "wrong_signature"}
    event = {"id": "e", "data": data | told}
    bed.contexts.answers["GET archive newest-events"] = {"events": [event]}

    page = await text_of(owner, f"{OPS}/webhooks")

    assert ("wrong_signature" in page, "about=ORD%3C1%3E" in page) == (True, True)
