"""The simulator's control API: paying, panels, disputes, the clock, and the truth."""

from typing import Any

import pytest

from tests import mercadopago_simulator
from tests.mercadopago_simulator import OTHER_SHOP, SHOP, Bench, code_of, words

sim = mercadopago_simulator.sim


async def test_a_code_is_paid_once(sim: Bench) -> None:
    order = await sim.order()

    paid = await sim.control("pay", pix_code=code_of(order))
    twice = await sim.control("pay", pix_code=code_of(order))

    assert (paid.status, paid.body["order_id"], paid.body["amount"]) == (200, order["id"], "58.80")
    assert (twice.status, twice.body["order_id"], twice.body["state"]) == (409, order["id"], "paid")


async def test_paying_again_is_a_second_payment_under_the_same_reference(sim: Bench) -> None:
    order = await sim.paid_order()

    again = await sim.control("pay", id=order["id"], again=True)

    second = await sim.get_payment(again.body["payment_id"])
    assert second["external_reference"] == order["external_reference"]
    assert words(second) == ("approved", "accredited")
    refunded = await sim.call("POST", f"/v1/payments/{second['id']}/refunds")
    assert refunded.status == 201
    assert words(await sim.get_order(order["id"])) == ("processed", "accredited")


async def test_an_expired_code_is_paid_only_late(sim: Bench) -> None:
    order = await sim.order()
    await sim.advance(minutes=31)

    late = await sim.control("pay", id=order["id"], late=True)

    assert late.status == 200
    assert words(await sim.get_order(order["id"])) == ("processed", "accredited")


async def test_another_amount_can_arrive(sim: Bench) -> None:
    order = await sim.order()

    await sim.control("pay", id=order["external_reference"], amount="50.00")

    read = await sim.get_order(order["id"])
    assert (read["total_amount"], read["total_paid_amount"]) == ("58.80", "50.00")


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("pay", {"pix_code": "x"}, 422),
        ("pay", {"pix_code": None}, 422),
        ("pay", {"id": "nobody"}, 404),
        ("pay", {"id": 5}, 404),
        ("pay", {"id": "x", "how": "fast"}, 422),
        ("payments", {"shop": SHOP}, 422),
        ("payments", {"shop": "x", "amount": "1.00"}, 404),
        ("payments", {"shop": SHOP, "amount": "-1"}, 422),
        ("payments", {"shop": SHOP, "amount": "0.00"}, 422),
        ("payments", {"shop": SHOP, "amount": "1.00", "reference": 1}, 422),
        ("secrets", {"shop": SHOP, "secret": "x"}, 422),
        ("redeliver", {"id": "x"}, 404),
        ("clock", {"advance_seconds": -1}, 422),
        ("clock", {"advance_seconds": "1"}, 422),
        ("clock", {"speed": -1}, 422),
        ("clock", {"retry_speed": 0}, 422),
        ("settings", {"x": True}, 422),
        ("settings", {"any_expiry": 1}, 422),
        ("settings", {"error_envelope": "x"}, 422),
        ("settle", {"seconds": 61}, 422),
        ("disputes/1/resolution", {"outcome": "settled"}, 404),
    ],
)
async def test_a_misuse_is_told_what_to_change(
    sim: Bench, name: str, body: dict[str, Any], status: int
) -> None:
    said = await sim.control(name, **body)

    assert said.status == status
    assert said.body["error"]


async def test_flags_and_times_are_checked_on_a_real_order(sim: Bench) -> None:
    order = await sim.order()

    late = await sim.control("pay", id=order["id"], late="yes")
    times = await sim.control("redeliver", id=order["id"], times=0)
    kind = await sim.control("disputes", id=order["id"], kind=["claim"])

    assert (late.status, times.status, kind.status) == (422, 422, 422)


async def test_a_broken_body_is_refused(sim: Bench) -> None:
    said = await sim.call("POST", "/_control/pay", b"{", token=None)

    assert said.status == 400


async def test_a_payment_can_come_from_outside(sim: Bench) -> None:
    said = await sim.control("payments", shop=SHOP, amount="12.34", reference="from-a-poster")

    payment = await sim.get_payment(said.body["payment_id"])
    assert words(payment) == ("approved", "accredited")
    assert payment["transaction_amount"] == 12.34
    assert [h.action for h in await sim.settled()] == ["payment.created", "payment.updated"]


async def test_the_panel_refunds_and_cancels(sim: Bench) -> None:
    paid, waiting = await sim.paid_order(), await sim.order()

    part = await sim.control("refund", id=paid["id"], amount="8.80")
    too_much = await sim.control("refund", id=paid["id"], amount="50.01")
    cancelled = await sim.control("cancel", id=waiting["id"])
    twice = await sim.control("cancel", id=waiting["id"])
    expired = await sim.control("expire", id=paid["id"])

    assert (part.status, part.body["status"]) == (201, "approved")
    assert (too_much.status, twice.status, expired.status) == (409, 409, 409)
    assert cancelled.body["state"] == "cancelled"
    assert (await sim.look("totals"))[SHOP] == {
        "orders": 2,
        "paid": 1,
        "paid_total": "58.80",
        "refunded_total": "8.80",
    }


@pytest.mark.parametrize(
    ("kind", "outcome", "state", "disputed", "refunded"),
    [
        ("chargeback", "settled", "charged_back", "58.80", "0.00"),
        ("chargeback", "reimbursed", "charged_back", "0.00", "0.00"),
        ("claim", "closed", "paid", "0.00", "0.00"),
        ("claim", "refunded", "refunded", "0.00", "58.80"),
    ],
)
async def test_a_dispute_ends_once(
    sim: Bench, *, kind: str, outcome: str, state: str, disputed: str, refunded: str
) -> None:
    order = await sim.paid_order()
    opened = (await sim.control("disputes", id=order["id"], kind=kind)).body["dispute_id"]

    ended = await sim.control(f"disputes/{opened}/resolution", outcome=outcome)
    again = await sim.control(f"disputes/{opened}/resolution", outcome=outcome)

    (charge,) = await sim.truth()
    assert (ended.status, again.status) == (200, 409)
    assert (charge["state"], charge["disputed"], charge["refunded"]) == (state, disputed, refunded)
    assert charge["disputes"] == [{"id": opened, "kind": kind, "stage": outcome}]


async def test_a_dispute_must_fit(sim: Bench) -> None:
    waiting, paid = await sim.order(), await sim.paid_order()
    opened = (await sim.control("disputes", id=paid["id"], kind="claim")).body["dispute_id"]

    early = await sim.control("disputes", id=waiting["id"], kind="chargeback")
    wrong = await sim.control(f"disputes/{opened}/resolution", outcome="settled")
    unknown = await sim.call("GET", f"/v1/chargebacks/{opened}")

    assert (early.status, wrong.status, unknown.status) == (409, 409, 404)


async def test_a_refund_under_way_survives_a_chargeback(sim: Bench) -> None:
    await sim.fault("refund_async", value=30)
    order = await sim.paid_order()
    await sim.call("POST", f"/v1/orders/{order['id']}/refund")
    await sim.control("disputes", id=order["id"], kind="chargeback")

    await sim.advance(seconds=30)

    (charge,) = await sim.truth()
    assert (charge["state"], charge["refunded"]) == ("charged_back", "58.80")
    assert (await sim.order())["status"] == "action_required"


async def test_the_truth_is_paged_in_order_of_creation(sim: Bench) -> None:
    made = [(await sim.order())["id"] for _ in range(5)]

    first = await sim.look("truth", shop=SHOP, limit=2)
    second = await sim.look("truth", shop=SHOP, limit=3, after=first["next"])

    assert [c["id"] for c in first["charges"] + second["charges"]] == made
    assert (first["next"], second["next"]) == (made[1], None)
    assert (await sim.look("truth", shop=OTHER_SHOP))["charges"] == []
    for query in ({"shop": "x"}, {"shop": SHOP, "limit": "0"}, {"shop": SHOP, "limit": "x"}):
        said = await sim.call("GET", "/_control/truth", token=None, **query)
        assert said.status in (404, 422)


async def test_the_clock_runs_at_its_speed_and_never_back(sim: Bench) -> None:
    before = await sim.look("clock")
    await sim.advance(minutes=90)
    after = await sim.look("clock")

    assert (before["speed"], before["retry_speed"]) == (0, 1)
    assert after["now"] > before["now"]
    assert after["now"] == (await sim.look("clock"))["now"]


async def test_a_running_clock_expires_orders_by_itself(sim: Bench) -> None:
    order = await sim.order()
    await sim.control("clock", speed=100_000)

    while len(sim.shop.heard) < 2:
        await sim.control("settle", seconds=1)

    assert sim.shop.actions == ["order.action_required", "order.expired"]
    expired = await sim.get_order(order["id"])
    expires = expired["transactions"]["payments"][0]["date_of_expiration"]
    assert expired["last_updated_date"] == expires


async def test_the_log_tells_of_requests_and_deliveries(sim: Bench) -> None:
    await sim.fault("error_after", operation="get", count=1)
    order = await sim.order()
    await sim.settled()
    await sim.call("GET", f"/v1/orders/{order['id']}")

    log = (await sim.look("log", limit=3))["log"]

    assert [entry["what"] for entry in log] == ["request", "delivery", "request"]
    assert (log[1]["outcome"], log[1]["attempt"]) == (200, 1)
    assert (log[2]["status"], log[2]["faults"]) == (500, ["error_after"])
    bad = await sim.call("GET", "/_control/log", token=None, limit="x")
    assert bad.status == 422


async def test_settle_gives_up_in_time(sim: Bench) -> None:
    sim.shop.status = 500
    await sim.order()
    await sim.settled()

    said = await sim.control("settle", seconds=0)

    assert said.body == {"due": 0, "waiting": 1}


async def test_reset_forgets_all_but_the_shops(sim: Bench) -> None:
    await sim.paid_order()
    await sim.fault("error")
    await sim.control("settings", strict_search=True)
    await sim.control("secrets", shop=SHOP)

    await sim.control("reset")

    assert await sim.truth() == []
    assert (await sim.look("faults"))["faults"] == []
    assert (await sim.look("settings"))["strict_search"] is False
    assert (await sim.look("clock"))["speed"] == 1
    assert (await sim.order())["status"] == "action_required"


async def test_the_older_name_of_the_controls_still_leads_there(sim: Bench) -> None:
    order = await sim.order()

    said = await sim.call("POST", "/__sim/pay", {"pix_code": code_of(order)}, token=None)
    health = await sim.call("GET", "/health", token=None)

    assert (said.status, health.body) == (200, {"status": "ready"})
