"""An order of the simulator goes through the provider's own states, and is found in each."""

from typing import Any

import pytest

from tests import mercadopago_simulator
from tests.mercadopago_simulator import OTHER_TOKEN, Bench, code_of, words

sim = mercadopago_simulator.sim


async def test_a_paid_order_is_processed_and_cannot_be_cancelled(sim: Bench) -> None:
    order = await sim.paid_order()

    said = await sim.call("POST", f"/v1/orders/{order['id']}/cancel")

    payment = order["transactions"]["payments"][0]
    assert words(order) == ("processed", "accredited")
    assert (order["total_paid_amount"], payment["paid_amount"]) == ("58.80", "58.80")
    assert (said.status, said.code) == (409, "cannot_cancel_order")


async def test_an_order_is_cancelled_once(sim: Bench) -> None:
    order = await sim.order()
    path = f"/v1/orders/{order['id']}/cancel"

    keyless = await sim.call("POST", path, key=None)
    done = await sim.call("POST", path, key="k")
    replayed = await sim.call("POST", path, key="k")
    twice = await sim.call("POST", path)

    assert keyless.code == "empty_required_header"
    assert words(done.body) == ("canceled", "canceled")
    assert done.body == replayed.body
    assert (twice.status, twice.code) == (409, "order_already_canceled")


async def test_an_order_expires_by_the_clock_and_cannot_be_paid_then(sim: Bench) -> None:
    order = await sim.order()

    await sim.advance(minutes=31)

    assert words(await sim.get_order(order["id"])) == ("expired", "expired")
    paid = await sim.control("pay", pix_code=code_of(order))
    assert (paid.status, paid.body["state"]) == (409, "expired")


async def test_an_order_is_refunded_in_parts_until_nothing_is_left(sim: Bench) -> None:
    order = await sim.paid_order()
    path = f"/v1/orders/{order['id']}/refund"
    part = {"transactions": [{"id": order["transactions"]["payments"][0]["id"], "amount": "10.00"}]}
    rest = {"transactions": [{**part["transactions"][0], "amount": "48.80"}]}

    first = await sim.call("POST", path, part, key="r1")
    replayed = await sim.call("POST", path, part, key="r1")
    reused = await sim.call("POST", path, rest, key="r1")
    second = await sim.call("POST", path, rest, key="r2")
    third = await sim.call("POST", path)

    assert (first.status, words(first.body)) == (201, ("processed", "partially_refunded"))
    assert first.body == replayed.body
    assert (reused.status, reused.code) == (409, "idempotency_key_already_used")
    assert words(second.body) == ("refunded", "refunded")
    assert [r["amount"] for r in second.body["transactions"]["refunds"]] == ["10.00", "48.80"]
    assert second.body["transactions"]["payments"][0]["refunded_amount"] == "58.80"
    assert (third.status, third.code) == (409, "order_already_refunded")


async def test_a_refund_keeps_to_the_rules(sim: Bench) -> None:
    waiting, paid = await sim.order(), await sim.paid_order()
    path = f"/v1/orders/{paid['id']}/refund"
    payment_id = paid["transactions"]["payments"][0]["id"]

    async def refused(body: Any) -> tuple[int, str]:
        said = await sim.call("POST", path, body)
        return said.status, said.code

    too_early = await sim.call("POST", f"/v1/orders/{waiting['id']}/refund")
    assert (too_early.status, too_early.code) == (409, "cannot_refund_order")
    too_much = {"transactions": [{"id": payment_id, "amount": "58.81"}]}
    assert await refused(too_much) == (400, "refund_amount_exceeds")
    other = {"transactions": [{"id": "PAY1", "amount": "1.00"}]}
    assert await refused(other) == (400, "invalid_transaction_id")
    assert await refused({"transactions": []}) == (400, "minimum_items")
    assert await refused({"amount": "1.00"}) == (400, "unsupported_properties")
    no_amount = {"transactions": [{"id": payment_id}]}
    assert await refused(no_amount) == (400, "required_properties")
    assert (await sim.truth())[1]["refunded"] == "0.00"


async def test_refunds_are_possible_for_180_days(sim: Bench) -> None:
    order = await sim.paid_order()
    await sim.advance(minutes=60 * 24 * 181)

    said = await sim.call("POST", f"/v1/orders/{order['id']}/refund")

    assert (said.status, said.code) == (409, "cannot_refund_order")


async def test_a_manual_order_waits_to_be_processed(sim: Bench) -> None:
    order = await sim.order(processing_mode="manual")
    path = f"/v1/orders/{order['id']}/process"

    done = await sim.call("POST", path)
    twice = await sim.call("POST", path)

    assert (words(order), code_of(order)) == (("created", "created"), "")
    assert words(done.body) == ("action_required", "waiting_transfer")
    assert (twice.status, twice.code) == (400, "invalid_order_mode_for_operation")


async def test_apro_is_approved_after_ten_virtual_seconds(sim: Bench) -> None:
    order = await sim.order(payer={"email": "t@testuser.com", "first_name": "APRO"})

    await sim.advance(seconds=9)
    before = words(await sim.get_order(order["id"]))
    await sim.advance(minutes=40)

    after = await sim.get_order(order["id"])
    assert (before[0], words(after)) == ("action_required", ("processed", "accredited"))


async def test_the_search_filters_pages_and_counts_in_text(sim: Bench) -> None:
    orders = [await sim.order() for _ in range(3)]
    await sim.control("pay", id=orders[1]["id"])
    days = {"begin_date": "2020-01-01T00:00:00Z", "end_date": "2099-01-01T00:00:00-04:00"}

    async def ids(**query: Any) -> list[str]:
        said = await sim.call("GET", "/v1/orders", **days, **query)
        assert said.status == 200, said.body
        return [order["id"] for order in said.body["data"]]

    first, second, third = (order["id"] for order in orders)
    assert await ids(sort_order="asc") == [first, second, third]
    assert await ids(external_reference=orders[2]["external_reference"]) == [third]
    assert await ids(status="processed") == [second]
    assert await ids(status="action_required", sort_order="asc") == [first, third]
    assert await ids(status_detail="accredited") == [second]
    assert await ids(status="nonsense") == []
    assert await ids(limit=2, offset=1, sort_order="asc") == [second, third]
    assert await ids(page=2, page_size=2, sort_order="asc") == [third]
    assert await ids(type="qr") == []
    assert await ids(payment_method_id="visa") == []
    said = await sim.call("GET", "/v1/orders", **days, limit="2")
    assert said.body["paging"] == {"total": "3", "total_pages": "2", "offset": "0", "limit": "2"}
    foreign = await sim.call("GET", "/v1/orders", **days, token=OTHER_TOKEN)
    assert foreign.body["data"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"end_date": "2099-01-01"}, "required_properties"),
        ({"begin_date": "x", "end_date": "2099-01-01"}, "property_value"),
        ({"begin_date": "2020-01-01", "end_date": "2099-01-01", "limit": "101"}, "property_value"),
        ({"begin_date": "2020-01-01", "end_date": "2099-01-01", "page": "0"}, "property_value"),
        ({"begin_date": "2020-01-01", "end_date": "2099-01-01", "sort_by": "x"}, "property_value"),
        (
            {"begin_date": "2020-01-01", "end_date": "2099-01-01", "q": "1"},
            "unsupported_properties",
        ),
    ],
)
async def test_a_search_that_breaks_a_rule_is_refused(
    sim: Bench, query: dict[str, str], code: str
) -> None:
    said = await sim.call("GET", "/v1/orders", **query)

    assert (said.status, said.code) == (400, code)


async def test_an_in_store_order_has_a_dynamic_code_and_unsigned_notifications(sim: Bench) -> None:
    body = {
        "type": "qr",
        "total_amount": "58.80",
        "external_reference": "mesa-4",
        "config": {"qr": {"external_pos_id": "POS001", "mode": "dynamic"}},
        "transactions": {"payments": [{"amount": "58.80"}]},
    }
    order = (await sim.call("POST", "/v1/orders", body)).body

    paid = await sim.control("pay", pix_code=order["type_response"]["qr_data"])

    heard = await sim.settled()
    assert "pix-qr.sim.invalid" in order["type_response"]["qr_data"]
    assert (paid.status, paid.body["order_id"]) == (200, order["id"])
    assert [h.action for h in heard] == ["order.action_required", "order.processed"]
    assert all("x-signature" not in h.headers for h in heard)
