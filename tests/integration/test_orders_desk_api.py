"""Cancelling, steps back, lists, the feed and the stream over real HTTP, on the store in memory."""

from typing import Any
from uuid import UUID

import pytest

from tests import orders_desk
from tests.orders_builders import Clock, approved, deliver, refunded
from tests.orders_http import BASE, ORDERS, Client, crew, guest
from workers.orders.feed import SETTLED_AFTER
from workers.orders.stream import MOST_OF_ONE_ORDER

clock = orders_desk.clock
client = orders_desk.client

OTHER_GUEST = f"guest:{UUID(int=2)}"


async def test_a_customer_cancels_until_the_kitchen_begins(client: Client) -> None:
    first = (await client.place(key="1")).body
    second = (await client.place(key="2")).body
    for body in (first, second):
        await deliver(approved(await client.order(body)), orders=client.orders)
    await client.ask("POST", f"{ORDERS}/{second['id']}/start", headers=crew())

    foreign = await client.ask("POST", f"{ORDERS}/{first['id']}/cancel", headers=guest(OTHER_GUEST))
    done = [
        await client.ask("POST", f"{ORDERS}/{first['id']}/cancel", headers=guest())
        for _ in range(2)
    ]
    late = await client.ask("POST", f"{ORDERS}/{second['id']}/cancel", headers=guest())

    assert foreign.status == 404
    assert [a.status for a in done] == [200, 200]
    assert (done[1].body["status"], done[1].body["reason"]) == (
        "CANCELLED",
        "cancelled_by_customer",
    )
    assert late.status == 409
    seen = (await client.get(f"{ORDERS}/{second['id']}", headers=crew())).body
    assert seen["refused_transitions"][-1]["event_type"] == "orders.step.cancel"


async def test_staff_cancel_with_a_reason_and_the_note_is_for_staff(client: Client) -> None:
    body = (await client.place()).body
    path = f"{ORDERS}/{body['id']}"
    await deliver(approved(await client.order(body)), orders=client.orders)
    await client.ask("POST", f"{path}/start", headers=crew())

    silent = await client.ask("POST", f"{path}/cancel", headers=crew())
    senseless = await client.ask("POST", f"{path}/cancel", headers=crew(), json={"reason": "x"})
    reason = {"reason": "kitchen_problem", "note": "acabou o gás"}
    done = await client.ask("POST", f"{path}/cancel", headers=crew(), json=reason)
    staff = (await client.get(path, headers=crew())).body
    mine = await client.get(path, headers=guest())

    assert (silent.status, senseless.status, done.status) == (422, 422, 200)
    assert staff["moved_by_hand"][-1]["note"] == "acabou o gás"
    assert staff["moved_by_hand"][-1]["by"] == "ana"
    assert b"acabou" not in mine.content
    assert mine.body["notices"][-1]["kind"] == "cancelled"


async def test_the_kitchen_takes_steps_back(client: Client, clock: Clock) -> None:
    body = (await client.place()).body
    path = f"{ORDERS}/{body['id']}"
    await deliver(approved(await client.order(body)), orders=client.orders)

    steps = ("start", "undo-start", "start", "ready", "recall", "ready", "complete")
    forth = [await client.ask("POST", f"{path}/{step}", headers=crew()) for step in steps]
    undone = await client.ask("POST", f"{path}/undo-complete", headers=crew())
    await client.ask("POST", f"{path}/complete", headers=crew())
    clock.pass_by(minutes=16)
    late = await client.ask("POST", f"{path}/undo-complete", headers=crew())
    by_guest = await client.ask("POST", f"{path}/recall", headers=guest())

    assert [a.status for a in forth] == [200] * 7
    assert (undone.status, undone.body["status"]) == (200, "READY")
    assert (late.status, by_guest.status) == (409, 403)
    kinds = [notice["kind"] for notice in late_notices(await client.get(path, headers=guest()))]
    assert kinds == ["paid", "ready"]


def late_notices(answer: Any) -> list[dict[str, Any]]:
    notices: list[dict[str, Any]] = answer.body["notices"]
    return notices


async def test_lists_are_ones_own_for_customers_and_the_shops_for_staff(client: Client) -> None:
    mine = [(await client.place(key=str(i))).body for i in range(3)]
    await client.place(key="other", headers=guest(OTHER_GUEST))

    first = (await client.get(f"{ORDERS}?limit=2", headers=guest())).body
    rest = (await client.get(f"{ORDERS}?limit=2&cursor={first['cursor']}", headers=guest())).body
    day = (await client.get(f"{ORDERS}?limit=100", headers=crew())).body
    called = (await client.get(f"{ORDERS}?call_number=4", headers=crew())).body
    ready = (await client.get(f"{ORDERS}?status=READY", headers=crew())).body
    past = (await client.get(f"{ORDERS}?day=2020-01-01", headers=crew())).body

    own = [o["id"] for o in (*first["orders"], *rest["orders"])]
    assert sorted(own) == sorted(o["id"] for o in mine)
    assert rest["cursor"] is None
    assert [o["call_number"] for o in day["orders"]] == [1, 2, 3, 4]
    assert len(called["orders"]) == 1
    assert ready["orders"] == past["orders"] == []


@pytest.mark.parametrize(
    "query",
    ["cursor=%00", "cursor=!!!", "cursor=AAAA", "limit=0", "limit=101", "day=soon", "day=0"],
)
async def test_a_senseless_page_is_422(client: Client, query: str) -> None:
    answer = await client.get(f"{ORDERS}?{query}", headers=crew())

    assert answer.status == 422


async def test_a_till_reads_the_feed_and_goes_on_where_it_acknowledged(
    client: Client, clock: Clock
) -> None:
    body = (await client.place()).body
    await deliver(approved(await client.order(body)), orders=client.orders)
    young = (await client.get(f"{BASE}/events?reader=till-1", headers=crew())).body
    clock.pass_by(seconds=SETTLED_AFTER.total_seconds() + 1)

    first = (await client.get(f"{BASE}/events?reader=till-1&limit=1", headers=crew())).body
    again = (await client.get(f"{BASE}/events?reader=till-1&limit=1", headers=crew())).body
    ack = {"reader": "till-1", "cursor": first["cursor"]}
    done = await client.ask("POST", f"{BASE}/events/ack", headers=crew(), json=ack)
    rest = (await client.get(f"{BASE}/events?reader=till-1", headers=crew())).body
    other = (await client.get(f"{BASE}/events?reader=till-2", headers=crew())).body

    assert young["events"] == []
    assert first == again
    assert (first["is_behind"], done.status) == (True, 204)
    assert [e["status"] for e in rest["events"]] == ["RECEIVED"]
    assert [e["status"] for e in other["events"]] == ["PENDING_PAYMENT", "RECEIVED"]


@pytest.mark.parametrize(
    "ack", [{"reader": "T#1", "cursor": "MA"}, {"reader": "t", "cursor": "fg"}, {"reader": "t"}]
)
async def test_a_senseless_acknowledgement_is_422(client: Client, ack: dict[str, str]) -> None:
    answer = await client.ask("POST", f"{BASE}/events/ack", headers=crew(), json=ack)
    by_guest = await client.ask("POST", f"{BASE}/events/ack", headers=guest(), json=ack)

    assert (answer.status, by_guest.status) == (422, 403)


async def test_an_estimate_is_made_of_recent_orders_or_not_at_all(
    client: Client, clock: Clock
) -> None:
    unknown = (await client.get(f"{BASE}/estimate", headers=guest())).body

    assert unknown == {"wait_seconds": None, "orders_ahead": 0, "made_ready_lately": 0}


async def test_a_page_follows_its_order_and_goes_on_after_a_break(client: Client) -> None:
    body = (await client.place()).body
    path = f"{ORDERS}/{body['id']}/stream"

    async with client.streamed(path, headers=guest()) as events:
        first = await anext(events)
        await deliver(approved(await client.order(body)), orders=client.orders)
        second = await anext(events)
    await deliver(refunded(await client.order(body)), orders=client.orders)
    async with client.streamed(path, headers={**guest(), "Last-Event-ID": second[0]}) as events:
        third = await anext(events)

    assert [event[1]["status"] for event in (first, second, third)] == [
        "PENDING_PAYMENT",
        "RECEIVED",
        "CANCELLED",
    ]
    assert [event[0] for event in (first, second, third)] == ["1", "2", "3"]


async def test_an_order_has_a_bounded_number_of_streams(client: Client) -> None:
    body = (await client.place()).body
    path = f"{ORDERS}/{body['id']}/stream"
    async with client.streams(path, headers=guest(), count=MOST_OF_ONE_ORDER):
        refused = await client.get(path, headers=guest())
    foreign = await client.get(path, headers=guest(OTHER_GUEST))

    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert foreign.status == 404
