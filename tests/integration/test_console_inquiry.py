"""An owner follows an order, its notifications and its payment, and has a window sent again."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from tests import console_ops
from tests.console_bed import NOW, SHOP, Bed, an_order, csrf_of, opened
from tests.console_office import CHARGE, PAID
from tests.console_ops import OPS, ORDER, REPLAYS, notes, text_of

owner = console_ops.owner

NOTHING = {"order": None, "charge": None, "stock": None}
PLACED = {**NOTHING, "order": "PENDING_PAYMENT"}
HELD = {**PLACED, "stock": "HELD"}


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        yield bed


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


PREVIEW = {
    "queue": "catalog",
    "count": 12,
    "by_type": {"orders.order.placed.v1": 12},
    "left_out": {"orders.order.paid.v1": 3},
}
WINDOW = {"queue": "catalog", "since": "2026-11-20T12:00", "until": "2026-11-20T13:00:30"}


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


async def test_without_a_question_the_inbox_shows_the_newest_with_what_is_wrong(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    data = {"topic": "order", "resource_id": "ORD<1>", "received_at": NOW.isoformat()}
    told = {"verdict": "unverified", "reason": "wrong_signature"}
    event = {"id": "e", "data": data | told}
    bed.contexts.answers["GET archive newest-events"] = {"events": [event]}

    page = await text_of(owner, f"{OPS}/webhooks")

    assert ("wrong_signature" in page, "about=ORD%3C1%3E" in page) == (True, True)
