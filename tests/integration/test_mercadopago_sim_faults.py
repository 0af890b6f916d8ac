"""Every fault of the simulator does what its name says, and the truth stays the truth."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from comanda.mercadopago.signature import Signed, Unverified, sign, verify
from local.mercadopago.faults import KINDS
from tests.mercadopago_simulator import (
    OTHER_SHOP,
    OTHER_TOKEN,
    SECRET,
    SHOP,
    Bench,
    Heard,
    bench,
    code_of,
    order_body,
    words,
)


@pytest.fixture
async def sim(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as sim:
        yield sim


def is_verified(heard: Heard) -> bool:
    signed = Signed(
        signature=heard.headers.get("x-signature"),
        request_id=heard.headers.get("x-request-id"),
        data_id=heard.query.get("data.id"),
    )
    try:
        verify(signed, secrets=[SECRET], now=datetime.now(UTC))
    except Unverified:
        return False
    return True


async def create(sim: Bench, *, key: str = "k", **changes: Any) -> Any:
    body = order_body(external_reference="one", **changes)
    return await sim.call("POST", "/v1/orders", body, key=key)


@pytest.mark.parametrize(("value", "sent"), [("2", "2"), ("soon", "soon"), ("", None)])
async def test_rate_limited(sim: Bench, value: str, sent: str | None) -> None:
    await sim.fault("rate_limited", value=value, count=1)

    limited, then = await create(sim), await create(sim)

    assert (limited.status, limited.headers.get("retry-after")) == (429, sent)
    assert then.status == 201


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_error_does_nothing_and_says_nothing(sim: Bench, status: int) -> None:
    await sim.fault("error", value=status, count=1)

    said = await create(sim)

    assert (said.status, said.body["message"], said.body["cause"]) == (status, None, [])
    assert await sim.truth() == []


async def test_error_after_has_done_the_work_and_the_key_remembers(sim: Bench) -> None:
    await sim.fault("error_after", value=503, count=1)

    said, then = await create(sim), await create(sim)

    assert (said.status, then.status) == (503, 201)
    assert [charge["id"] for charge in await sim.truth()] == [then.body["id"]]


async def test_html(sim: Bench) -> None:
    await sim.fault("html", value=200, count=1)

    said = await create(sim)

    assert (said.status, said.headers["content-type"].split(";")[0]) == (200, "text/html")
    assert await sim.truth() == []


async def test_truncated_has_done_the_work(sim: Bench) -> None:
    await sim.fault("truncated", count=1)

    with pytest.raises(json.JSONDecodeError):
        await create(sim)

    assert len(await sim.truth()) == 1


@pytest.mark.parametrize(("kind", "made"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_connection_comes_before_or_after_the_work(
    sim: Bench, kind: str, made: int
) -> None:
    await sim.fault(kind, count=1)

    with pytest.raises(aiohttp.ClientError):
        await create(sim)

    assert len(await sim.truth()) == made
    assert (await create(sim)).status == 201
    assert len(await sim.truth()) == 1


async def test_unauthorized(sim: Bench) -> None:
    await sim.fault("unauthorized", count=1)

    said = await create(sim)

    assert (said.status, said.code) == (401, "invalid_credentials")


async def test_no_pix_key(sim: Bench) -> None:
    await sim.fault("no_pix_key")

    said = await create(sim)

    assert (said.status, said.code) == (400, "13253")


async def test_slow_before_locks_the_key_meanwhile(sim: Bench) -> None:
    await sim.fault("slow_before", value=0.3, count=1)

    twins = await asyncio.gather(create(sim), create(sim))

    made, locked = sorted(twins, key=lambda said: said.status)
    assert (made.status, locked.status, locked.code) == (201, 423, "resource_locked")
    assert (await create(sim)).body == made.body


async def test_slow_answers_late_but_works_at_once(sim: Bench) -> None:
    await sim.fault("slow", value=0.5, count=1)
    first = asyncio.create_task(create(sim))

    while not await sim.truth():
        assert not first.done()

    assert not first.done()
    assert (await first).status == 201


async def test_webhook_first(sim: Bench) -> None:
    await sim.fault("webhook_first")

    await create(sim)

    assert sim.shop.actions == ["order.action_required"]


async def test_webhook_never(sim: Bench) -> None:
    await sim.fault("webhook_never")

    await sim.paid_order()

    assert await sim.settled() == []


async def test_webhook_late(sim: Bench) -> None:
    await sim.fault("webhook_late", value=120)
    await create(sim)

    before = await sim.settled()
    await sim.advance(seconds=120)

    assert (len(before), len(await sim.settled())) == (0, 1)


async def test_webhook_duplicated(sim: Bench) -> None:
    await sim.fault("webhook_duplicated", value=5)
    await create(sim)

    heard = await sim.settled()

    assert len({h.headers["x-request-id"] for h in heard}) == 5
    assert all(is_verified(h) for h in heard)


async def test_webhook_out_of_order(sim: Bench) -> None:
    await sim.fault("webhook_out_of_order", value=600)
    await sim.paid_order()

    heard = await sim.settled()

    assert [h.action for h in heard] == ["order.processed", "order.action_required"]


async def test_webhook_out_of_order_comes_alone_if_nothing_overtakes_it(sim: Bench) -> None:
    await sim.fault("webhook_out_of_order", value=600)
    await create(sim)

    await sim.advance(seconds=600)

    assert len(await sim.settled()) == 1


@pytest.mark.parametrize("kind", ["webhook_wrong_secret", "webhook_unsigned"])
async def test_what_is_signed_wrongly_does_not_verify(sim: Bench, kind: str) -> None:
    await sim.fault(kind)
    await create(sim)

    (heard,) = await sim.settled()

    assert not is_verified(heard)
    assert ("x-signature" in heard.headers) is (kind == "webhook_wrong_secret")


async def test_the_other_readings_of_the_signature_verify(sim: Bench) -> None:
    for kind in ("webhook_milliseconds", "webhook_verbatim", "webhook_no_request_id"):
        await sim.fault(kind, count=1)
        await sim.order()
        await sim.settled()

    milliseconds, verbatim, bare = await sim.settled()

    assert len(milliseconds.headers["x-signature"].split(",")[0]) == len("ts=") + 13
    assert "x-request-id" not in bare.headers
    assert all(is_verified(heard) for heard in (milliseconds, verbatim, bare))
    ts = verbatim.headers["x-signature"].split(",")[0].removeprefix("ts=")
    request_id, data_id = verbatim.headers["x-request-id"], verbatim.query["data.id"]
    lowered = sign(secret=SECRET, data_id=data_id, request_id=request_id, ts=ts)
    assert verbatim.headers["x-signature"] != lowered


async def test_webhook_ipn(sim: Bench) -> None:
    await sim.fault("webhook_ipn", count=1)
    order = await sim.order()

    heard = await sim.settled()

    ipn = next(h for h in heard if "topic" in h.query)
    number = order["transactions"]["payments"][0]["reference_id"]
    assert (ipn.query["id"], ipn.query["topic"]) == (number, "payment")
    assert ipn.headers["user-agent"] == "MercadoPago Feed v2.0 payment"
    assert len(heard) == 2
    assert not is_verified(ipn)


async def test_webhook_payment_topic(sim: Bench) -> None:
    await sim.fault("webhook_payment_topic")
    await create(sim)

    heard = await sim.settled()

    assert sorted(h.query["type"] for h in heard) == ["order", "payment"]


async def test_stale_read(sim: Bench) -> None:
    order = await sim.paid_order()
    await sim.fault("stale_read", count=2)
    days = {"begin_date": "2020-01-01", "end_date": "2099-01-01"}

    stale = await sim.get_order(order["id"])
    found = await sim.call("GET", "/v1/orders", **days)
    fresh = await sim.get_order(order["id"])

    assert words(stale) == words(found.body["data"][0]) == ("action_required", "waiting_transfer")
    assert stale["last_updated_date"] < fresh["last_updated_date"]
    assert words(fresh) == ("processed", "accredited")


async def test_async_creation(sim: Bench) -> None:
    await sim.fault("async_creation", value=3)
    order = (await create(sim)).body

    await sim.advance(seconds=3)

    ready = await sim.get_order(order["id"])
    assert (words(order), code_of(order)) == (("processing", "in_process"), "")
    assert words(ready) == ("action_required", "waiting_transfer")
    assert code_of(ready)


@pytest.mark.parametrize(("kind", "status"), [("reject", "failed"), ("approve", "processed")])
async def test_the_bank_decides_by_itself(sim: Bench, kind: str, status: str) -> None:
    await sim.fault(kind, value=7)
    order = (await create(sim)).body

    await sim.advance(seconds=7)

    assert (await sim.get_order(order["id"]))["status"] == status


@pytest.mark.parametrize(
    ("kind", "value", "name", "shown"),
    [
        ("wrong_amount", None, "amount", "58.79"),
        ("wrong_amount", "1.00", "amount", "1.00"),
        ("wrong_currency", None, "currency", "ARS"),
        ("wrong_reference", None, "reference", "somebody-elses"),
        ("wrong_receiver", None, "receiver", "1"),
    ],
)
async def test_what_arrives_is_not_what_was_asked_for(
    sim: Bench, kind: str, value: str | None, name: str, shown: str
) -> None:
    await sim.fault(kind, **({} if value is None else {"value": value}))
    order = (await create(sim)).body

    await sim.control("pay", id=order["id"])

    (charge,) = await sim.truth()
    assert (charge["state"], charge[name]) == ("paid", shown)
    names = {"amount": "total_amount", "reference": "external_reference", "receiver": "user_id"}
    read = await sim.get_order(order["id"])
    assert read[names.get(name, name)] == shown
    assert order[names.get(name, name)] != shown


async def test_paid_twice(sim: Bench) -> None:
    await sim.fault("paid_twice")
    order = await sim.paid_order()

    second = (await sim.call("GET", "/v1/payments/search")).body["results"][0]

    assert second["external_reference"] == order["external_reference"]
    assert words(second) == ("approved", "accredited")
    totals = (await sim.look("truth", shop=SHOP))["totals"]
    assert totals == {"charges": 2, "paid": "117.60", "refunded": "0.00", "disputed": "0.00"}
    assert "payment.created" in [h.action for h in await sim.settled()]


async def test_late_settlement(sim: Bench) -> None:
    order = await sim.order()
    await sim.call("POST", f"/v1/orders/{order['id']}/cancel")
    refused = await sim.control("pay", id=order["id"])
    await sim.fault("late_settlement")

    paid = await sim.control("pay", id=order["id"])

    assert (refused.status, paid.status) == (409, 200)
    assert words(await sim.get_order(order["id"])) == ("processed", "accredited")


async def test_refund_contingency_is_a_400_that_refunds_once(sim: Bench) -> None:
    await sim.fault("refund_contingency", value=30, count=1)
    payment = await sim.paid_payment()
    path = f"/v1/payments/{payment['id']}/refunds"
    shown = {"X-Render-In-Process-Refunds": "true"}

    refused = await sim.call("POST", path, {"amount": 10}, key="r")
    hidden = await sim.call("GET", path)
    listed = await sim.call("GET", path, headers=shown)
    again = await sim.call("POST", path, {"amount": 10}, key="r")
    await sim.advance(seconds=30)
    done = await sim.call("GET", path)

    assert (refused.status, hidden.body) == (400, [])
    assert [refund["status"] for refund in listed.body] == ["in_process"]
    assert (again.status, again.body["id"]) == (201, listed.body[0]["id"])
    assert [(refund["status"], refund["amount"]) for refund in done.body] == [("approved", 10.0)]


async def test_refund_contingency_is_honest_when_asked_to_be(sim: Bench) -> None:
    await sim.fault("refund_contingency", value=30)
    order = await sim.paid_order()
    path = f"/v1/orders/{order['id']}/refund"

    said = await sim.call("POST", path, headers={"X-Render-In-Process-Refunds": "true"})
    twin = await sim.call("POST", path)
    await sim.advance(seconds=30)

    assert (said.status, said.body["transactions"]["refunds"][0]["status"]) == (201, "processing")
    assert (twin.status, twin.code) == (409, "order_refund_already_in_process")
    assert words(await sim.get_order(order["id"])) == ("refunded", "refunded")


async def test_an_orders_refund_may_be_refused_although_it_is_under_way(sim: Bench) -> None:
    await sim.fault("refund_contingency", value=30)
    order = await sim.paid_order()

    said = await sim.call("POST", f"/v1/orders/{order['id']}/refund")
    await sim.advance(seconds=30)

    assert said.status == 400
    assert words(await sim.get_order(order["id"])) == ("refunded", "refunded")


@pytest.mark.parametrize(
    ("kind", "ended", "state"),
    [("refund_async", "processed", "refunded"), ("refund_fails", "failed", "paid")],
)
async def test_a_refund_ends_later(sim: Bench, kind: str, ended: str, state: str) -> None:
    await sim.fault(kind, value=30, count=1)
    order = await sim.paid_order()
    said = await sim.call("POST", f"/v1/orders/{order['id']}/refund")

    await sim.advance(seconds=30)

    assert said.body["transactions"]["refunds"][0]["status"] == "processing"
    read = await sim.get_order(order["id"])
    assert read["transactions"]["refunds"][0]["status"] == ended
    assert (await sim.truth())[0]["state"] == state


@pytest.mark.parametrize(
    ("kind", "state"), [("chargeback", "charged_back"), ("claim", "in_mediation")]
)
async def test_dispute(sim: Bench, kind: str, state: str) -> None:
    await sim.fault("dispute", value=kind)
    await sim.paid_order()
    await sim.advance(seconds=1)

    (charge,) = await sim.truth()

    assert (charge["state"], charge["disputes"][0]["kind"]) == (state, kind)


async def test_a_fault_keeps_to_its_shop_reference_and_operation(sim: Bench) -> None:
    await sim.fault("error", shop=OTHER_SHOP)
    await sim.fault("error", reference="that-one")
    await sim.fault("error", operation="search")
    order = await sim.order()

    async def status(method: str, path: str, body: Any = None, **more: Any) -> int:
        return (await sim.call(method, path, body, **more)).status

    days = {"begin_date": "2020-01-01", "end_date": "2099-01-01"}
    assert await status("GET", f"/v1/orders/{order['id']}") == 200
    assert await status("GET", "/v1/orders", **days) == 500
    assert await status("POST", "/v1/orders", order_body(external_reference="that-one")) == 500
    assert await status("POST", "/v1/orders", order_body(), token=OTHER_TOKEN) == 500


async def test_a_rate_strikes_as_often_and_the_same_each_time(tmp_path: Path) -> None:
    async def statuses(folder: str) -> list[int]:
        async with bench(tmp_path / folder) as sim:
            await sim.fault("error", rate=0.3)
            return [(await sim.call("GET", "/users/me")).status for _ in range(200)]

    first = await statuses("first")

    assert 40 <= first.count(500) <= 80
    assert await statuses("second") == first


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"kind": "nothing"},
        {"kind": "error", "value": 404},
        {"kind": "error", "rate": 2},
        {"kind": "error", "rate": True},
        {"kind": "error", "count": 0},
        {"kind": "error", "operation": "x"},
        {"kind": "error", "reference": 1},
        {"kind": "error", "often": True},
        {"kind": "truncated", "value": 1},
        {"kind": "slow", "value": "long"},
        {"kind": "slow", "value": -1},
        {"kind": "webhook_duplicated", "value": 1},
        {"kind": "dispute", "value": "quarrel"},
        {"kind": "wrong_amount", "value": "much"},
        {"kind": "wrong_amount", "value": "1.001"},
        {"kind": "wrong_currency", "value": 1},
    ],
)
async def test_a_rule_that_cannot_be_is_refused(sim: Bench, rule: dict[str, Any]) -> None:
    said = await sim.control("faults", **rule)

    assert said.status == 422
    assert said.body["error"]
    assert (await sim.look("faults"))["faults"] == []


async def test_faults_are_removed_one_by_one_and_all_together(sim: Bench) -> None:
    first = await sim.fault("error")
    await sim.fault("html")
    await sim.fault("truncated")

    one = await sim.call("DELETE", f"/_control/faults/{first}", token=None)
    none = await sim.call("DELETE", f"/_control/faults/{first}", token=None)
    rest = await sim.call("DELETE", "/_control/faults", token=None)

    assert (one.body, none.status, rest.body) == ({"removed": 1}, 404, {"removed": 2})
    assert (await create(sim)).status == 201


async def test_every_kind_of_fault_can_be_set(sim: Bench) -> None:
    for kind in KINDS:
        await sim.fault(kind, rate=0)

    assert [rule["kind"] for rule in (await sim.look("faults"))["faults"]] == list(KINDS)
    assert words(await sim.paid_order()) == ("processed", "accredited")
