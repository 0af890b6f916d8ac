"""The simulator's money is odd as it is told to be: stale, wrong, twice, late or disputed."""

import pytest

from tests import mercadopago_simulator
from tests.mercadopago_simulator import SHOP, Bench, code_of, create, words

sim = mercadopago_simulator.sim


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
