"""The archive over HTTP, on moto's S3 and DynamoDB: who may read what, and what is sent again."""

from datetime import timedelta
from typing import Any

import pytest

from comanda.messaging.ports import MessagingUnavailable
from tests import archive_desk
from tests.archive_builders import CHARGE, NOW, ORDER, OTHER_SHOP, SHOP, paid_life, placed
from tests.archive_desk import Desk
from tests.orders_http import crew, guest

endpoint = archive_desk.endpoint
desk = archive_desk.desk

BASE = f"/apis/archive/{SHOP}"
WINDOW = {
    "queue": "orders",
    "since": NOW.isoformat(),
    "until": (NOW + timedelta(hours=2)).isoformat(),
}


async def test_a_manager_reads_the_journey_and_what_it_was_before(desk: Desk) -> None:
    await desk.keep(paid_life())
    path = f"{BASE}/orders/{ORDER}/journey"

    status, whole = await desk.ask("GET", path, headers=crew("manager"))
    until = {"as_of": (NOW + timedelta(seconds=2)).isoformat()}
    _, before = await desk.ask("GET", path, headers=crew("manager"), params=until)

    assert status == 200
    assert whole["now"] == {"order": "RECEIVED", "charge": "PAID", "stock": "SOLD"}
    assert [step["seconds_after_previous"] for step in whole["steps"]] == [0, 1, 1, 1, 1, 1]
    assert before["now"] == {"order": "PENDING_PAYMENT", "charge": "WAITING", "stock": "HELD"}


@pytest.mark.parametrize("path", [f"/orders/{ORDER}/journey", "/events?id=1", "/replays"])
async def test_neither_kitchen_nor_guests_read_the_archive(desk: Desk, path: str) -> None:
    assert (await desk.ask("GET", BASE + path, headers=crew("kitchen")))[0] == 403
    assert (await desk.ask("GET", BASE + path, headers=guest()))[0] == 403
    assert (await desk.ask("GET", BASE + path))[0] == 401


async def test_another_shop_learns_nothing(desk: Desk) -> None:
    await desk.keep(paid_life())

    path = f"/apis/archive/{OTHER_SHOP}/orders/{ORDER}/journey"
    assert (await desk.ask("GET", path, headers=crew("owner")))[0] == 404


async def test_events_are_found_by_charge_and_by_correlation(desk: Desk) -> None:
    life = paid_life()
    await desk.keep(life)

    for name, count in ((CHARGE, 5), (life[3].correlation_id, 3), ("nobody", 0)):
        status, found = await desk.ask(
            "GET", f"{BASE}/events", headers=crew("owner"), params={"id": name}
        )
        assert (status, len(found["events"])) == (200, count)


async def test_a_preview_counts_what_the_queue_would_take(desk: Desk) -> None:
    await desk.keep(paid_life())

    status, told = await desk.ask(
        "GET", f"{BASE}/replays/preview", headers=crew("owner"), params=WINDOW
    )

    assert status == 200
    assert told["by_type"] == {
        "catalog.stock.reserved.v1": 1,
        "payments.charge.created.v1": 1,
        "payments.payment.approved.v1": 1,
    }
    assert told["count"] == 3
    assert sum(told["left_out"].values()) == 3


async def test_a_replay_sends_the_envelopes_as_they_were_and_says_who_asked(desk: Desk) -> None:
    life = paid_life()
    await desk.keep(life)
    status, asked = await desk.ask("POST", f"{BASE}/replays", headers=crew("owner"), json=WINDOW)

    await desk.replayer().run_open()
    await desk.replayer().run_open()

    assert status == 202
    assert [(queue, it.body) for queue, it, _ in desk.sender.sent] == [
        ("orders", it.to_json()) for it in (life[1], life[2], life[4])
    ]
    assert {p["replay_id"] for _, _, p in desk.sender.sent} == {asked["id"]}
    assert {p["replayed_by"] for _, _, p in desk.sender.sent} == {"ana"}
    _, told = await desk.ask("GET", f"{BASE}/replays", headers=crew("owner"))
    assert [(it["state"], it["sent"], it["by"]) for it in told["replays"]] == [("DONE", 3, "ana")]


async def test_a_replay_goes_on_where_another_process_left_it(desk: Desk) -> None:
    events = [placed(at=NOW + timedelta(minutes=n)) for n in range(35)]
    await desk.keep(events)
    asked = {**WINDOW, "queue": "catalog", "per_second": 200}
    await desk.ask("POST", f"{BASE}/replays", headers=crew("owner"), json=asked)
    desk.sender.breaks_after = 2

    with pytest.raises(MessagingUnavailable):
        await desk.replayer().run_open()
    await desk.replayer().run_open()
    assert len(desk.sender.ids) == 20, "the lease of the first still holds"
    desk.now += timedelta(minutes=2)
    await desk.replayer().run_open()

    assert desk.sender.ids == [it.id for it in events]


async def test_a_cancelled_replay_sends_nothing_more(desk: Desk) -> None:
    await desk.keep(paid_life())
    _, asked = await desk.ask("POST", f"{BASE}/replays", headers=crew("owner"), json=WINDOW)
    path = f"{BASE}/replays/{asked['id']}/cancellation"

    status, told = await desk.ask("POST", path, headers=crew("owner"))
    await desk.replayer().run_open()

    assert (status, told["state"]) == (200, "CANCELLED")
    assert desk.sender.sent == []
    assert (await desk.ask("POST", path, headers=crew("owner")))[0] == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"queue": "archive"},
        {"queue": "nobody"},
        {"until": WINDOW["since"]},
        {"until": (NOW + timedelta(days=32)).isoformat()},
        {"since": "2026-11-21T12:00:00"},
        {"per_second": 0},
        {"per_second": 201},
    ],
)
async def test_a_senseless_replay_is_refused(desk: Desk, wrong: dict[str, Any]) -> None:
    body = {**WINDOW, **wrong}

    status, _ = await desk.ask("POST", f"{BASE}/replays", headers=crew("owner"), json=body)

    assert status == 422
    assert await desk.book.all() == []


async def test_only_an_owner_has_events_sent_again(desk: Desk) -> None:
    for group in ("manager", "kitchen"):
        status, _ = await desk.ask("POST", f"{BASE}/replays", headers=crew(group), json=WINDOW)
        assert status == 403


ACT = {
    "what": "dead-letters.sent-back",
    "whom": "orders",
    "why": "mended in 4af1",
    "operator": "boss",
    "before": {"letters": 2},
}


async def test_an_act_is_noted_before_and_after_and_never_changed(desk: Desk) -> None:
    owner = crew("owner")

    status, begun = await desk.ask("POST", f"{BASE}/acts", headers=owner, json=ACT)
    broken = (await desk.ask("GET", f"{BASE}/acts", headers=owner))[1]["acts"]
    end = {"headers": owner, "json": {"after": {"sent": 2}}}
    ends = []
    for _ in range(2):
        path = f"{BASE}/acts/{begun['id']}/end"
        async with desk.session.request("POST", path, **end) as answer:
            ends.append(answer.status)
    (told,) = (await desk.ask("GET", f"{BASE}/acts", headers=owner))[1]["acts"]

    assert (status, ends) == (201, [204, 404])
    assert [it["done_at"] for it in broken] == [None]
    assert (told["who"], told["operator"], told["why"]) == (begun["who"], "boss", "mended in 4af1")
    assert (told["before"], told["after"]) == ({"letters": 2}, {"sent": 2})


async def test_acts_come_newest_first_and_no_more_than_wanted(desk: Desk) -> None:
    for why in ("first", "second", "third"):
        await desk.ask("POST", f"{BASE}/acts", headers=crew("owner"), json={**ACT, "why": why})

    path = f"{BASE}/acts?limit=2"
    found = (await desk.ask("GET", path, headers=crew("owner")))[1]["acts"]

    assert len(found) == 2
    assert [it["id"] for it in found] == sorted((it["id"] for it in found), reverse=True)


@pytest.mark.parametrize(
    "wrong", [{"what": "orders.invented"}, {"why": "  "}, {"who": "somebody"}, {"whom": ""}]
)
async def test_an_act_that_makes_no_sense_is_refused(desk: Desk, wrong: dict[str, str]) -> None:
    status, _ = await desk.ask("POST", f"{BASE}/acts", headers=crew("owner"), json={**ACT, **wrong})

    assert status == 422


async def test_acts_are_read_by_owners_of_the_shop_and_noted_by_its_office(desk: Desk) -> None:
    await desk.ask("POST", f"{BASE}/acts", headers=crew("owner"), json=ACT)

    for who in ("kitchen", "manager"):
        assert (await desk.ask("GET", f"{BASE}/acts", headers=crew(who)))[0] == 403
    assert (await desk.ask("POST", f"{BASE}/acts", headers=crew("kitchen"), json=ACT))[0] == 403
    path = f"/apis/archive/{OTHER_SHOP}/acts"
    assert (await desk.ask("GET", path, headers=crew("owner")))[0] == 404


async def test_the_newest_events_of_a_window_come_first_by_type(desk: Desk) -> None:
    await desk.keep(paid_life())
    query = [
        ("since", (NOW - timedelta(days=2)).isoformat()),
        ("until", (NOW + timedelta(hours=2)).isoformat()),
    ]
    told = ("types", "webhooks.notification.received.v1")

    path = f"{BASE}/newest-events"
    _, two = await desk.ask("GET", path, headers=crew("manager"), params=[*query, ("limit", "2")])
    _, webhooks = await desk.ask("GET", path, headers=crew("manager"), params=[*query, told])
    backwards = [("since", query[1][1]), ("until", query[0][1])]
    senseless, _ = await desk.ask("GET", path, headers=crew("manager"), params=backwards)

    kinds = [it["type"] for it in two["events"]]
    assert kinds == ["orders.order.paid.v1", "payments.payment.approved.v1"]
    assert [it["type"] for it in webhooks["events"]] == [told[1]]
    assert senseless == 422
