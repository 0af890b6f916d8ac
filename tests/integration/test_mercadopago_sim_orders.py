"""The simulator's Orders API: strict, idempotent, and with the provider's own states."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.mercadopago_simulator import (
    OTHER_TOKEN,
    Bench,
    bench,
    code_of,
    order_body,
    transaction,
    words,
)


@pytest.fixture
async def sim(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as sim:
        yield sim


async def test_a_new_order_waits_with_a_code_that_a_bank_can_read(sim: Bench) -> None:
    order = await sim.order()

    payment = order["transactions"]["payments"][0]
    assert order["id"].startswith("ORD")
    assert words(order) == words(payment) == ("action_required", "waiting_transfer")
    assert (order["total_amount"], order["total_paid_amount"]) == ("58.80", "0.00")
    assert payment["payment_method"]["qr_code_base64"] == ""
    assert code_of(order).startswith("000201")


async def test_the_image_is_drawn_when_asked_for(sim: Bench) -> None:
    order = await sim.order()

    said = await sim.call("GET", f"/v1/orders/{order['id']}", headers={"X-Render-Image": "true"})

    method = said.body["transactions"]["payments"][0]["payment_method"]
    assert method["qr_code_base64"].startswith("iVBOR")


def _without(name: str) -> dict[str, Any]:
    body = order_body()
    del body[name]
    return body


def _paying(**changes: Any) -> dict[str, Any]:
    return order_body(transactions={"payments": [transaction(**changes)]})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "json_syntax_error"),
        (b"[" * 60_000, "json_syntax_error"),
        (b'{"total_amount": NaN}', "json_syntax_error"),
        (b'{"description": "\\ud800"}', "json_syntax_error"),
        (b"[]", "property_type"),
        (_without("type"), "required_properties"),
        (_without("external_reference"), "required_properties"),
        (_without("total_amount"), "required_properties"),
        (_without("payer"), "required_properties"),
        (_without("transactions"), "required_properties"),
        (order_body(title="x"), "unsupported_properties"),
        (order_body(payer={"email": "a@b.co", "cpf": "1"}), "unsupported_properties"),
        (order_body(type="point"), "invalid_order_type"),
        (order_body(processing_mode="later"), "property_value"),
        (order_body(capture_mode="later"), "property_value"),
        (order_body(external_reference="a b"), "property_value"),
        (order_body(external_reference="a" * 65), "property_value"),
        (order_body(external_reference=1), "property_type"),
        (order_body(total_amount="58.8"), "property_value"),
        (order_body(total_amount=58.8), "property_type"),
        (order_body(total_amount="-58.80"), "property_value"),
        (order_body(total_amount="58.81"), "invalid_total_amount"),
        (order_body(payer={}), "required_properties"),
        (order_body(payer={"email": "nobody"}), "property_value"),
        (order_body(payer="ana"), "property_type"),
        (order_body(transactions={}), "order_builder_without_transactions"),
        (order_body(transactions={"payments": []}), "order_builder_without_transactions"),
        (order_body(transactions={"payments": {}}), "property_type"),
        (
            order_body(transactions={"payments": [transaction(), transaction()]}),
            "exceeded_number_of_transactions",
        ),
        (_paying(issuer_id=1), "unsupported_properties"),
        (_paying(payment_method={"id": "pix"}), "property_value"),
        (
            _paying(payment_method={"id": "pix", "type": "bank_transfer", "issuer_id": 1}),
            "unsupported_properties",
        ),
        (_paying(expiration_time="PT29M"), "property_value"),
        (_paying(expiration_time="P31D"), "property_value"),
        (_paying(expiration_time="P"), "property_value"),
        (_paying(expiration_time=30), "property_value"),
        (_paying(date_of_expiration="soon"), "property_value"),
        (order_body(items=[{"title": "x", "quantity": 1}]), "required_properties"),
        (
            order_body(items=[{"title": "x", "quantity": 1, "unit_price": 1.5}]),
            "property_type",
        ),
        (
            order_body(items=[{"title": "x", "quantity": "1", "unit_price": "1.50"}]),
            "property_type",
        ),
        (
            order_body(
                items=[{"title": "x", "quantity": 1, "unit_price": "1.50", "currency_id": "BRL"}]
            ),
            "unsupported_properties",
        ),
        (order_body(config={"notification_url": "http://127.0.0.1/x"}), "property_value"),
        (
            order_body(config={"notification_url": "https://x.example/" + "a" * 500}),
            "property_value",
        ),
    ],
)
async def test_a_body_that_breaks_a_rule_is_refused_by_its_name(
    sim: Bench, body: Any, code: str
) -> None:
    said = await sim.call("POST", "/v1/orders", body)

    assert (said.status, said.code) == (400, code)
    assert set(said.body) == {"errors"}
    assert said.headers["x-request-id"]
    assert await sim.truth() == []


@pytest.mark.parametrize(
    "body",
    [
        order_body(external_reference="A-z_9"),
        _paying(expiration_time="P30D"),
        _paying(expiration_time="P1DT2H30M"),
        order_body(description="almoço", capture_mode="automatic"),
        order_body(items=[{"title": "Pão de queijo", "quantity": 2, "unit_price": "29.40"}]),
        order_body(config={"notification_url": "https://shop.example/hook?a=1"}),
    ],
)
async def test_what_the_rules_allow_is_taken(sim: Bench, body: dict[str, Any]) -> None:
    said = await sim.call("POST", "/v1/orders", body)

    assert said.status == 201, said.body


async def test_who_calls_must_be_known(sim: Bench) -> None:
    order = await sim.order()

    missing = await sim.call("GET", "/v1/orders/ORD1", token=None)
    unknown = await sim.call("GET", "/v1/orders/ORD1", token="somebody")
    foreign = await sim.call("GET", f"/v1/orders/{order['id']}", token=OTHER_TOKEN)

    assert (missing.status, missing.code) == (403, "pa_unauthorized_result_from_policies")
    assert (unknown.status, unknown.code) == (401, "invalid_credentials")
    assert (foreign.status, foreign.code) == (404, "order_not_found")


async def test_an_id_is_well_formed_or_refused(sim: Bench) -> None:
    malformed = await sim.call("GET", "/v1/orders/123456")
    unknown = await sim.call("GET", "/v1/orders/ORD01JQ4S4KY8HWQ6NA5PXB65B3D3")

    assert (malformed.status, malformed.code) == (400, "invalid_path_param")
    assert (unknown.status, unknown.code) == (404, "order_not_found")


@pytest.mark.parametrize("key", [None, "x" * 129])
async def test_a_key_is_required(sim: Bench, key: str | None) -> None:
    said = await sim.call("POST", "/v1/orders", order_body(), key=key)

    assert (said.status, said.code) == (400, "empty_required_header")


async def test_the_same_key_and_bytes_are_one_order_and_one_answer(sim: Bench) -> None:
    body = order_body()

    first = await sim.call("POST", "/v1/orders", body, key="k")
    again = await sim.call("POST", "/v1/orders", body, key="k")
    other = await sim.call("POST", "/v1/orders", order_body(), key="k")
    elsewhere = await sim.call("POST", "/v1/orders", body, key="k", token=OTHER_TOKEN)

    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert (other.status, other.code) == (409, "idempotency_key_already_used")
    assert elsewhere.body["id"] != first.body["id"]
    assert len(await sim.truth()) == 1


async def test_a_refused_request_does_not_use_up_its_key(sim: Bench) -> None:
    await sim.call("POST", "/v1/orders", order_body(type="point"), key="k")

    said = await sim.call("POST", "/v1/orders", order_body(), key="k")

    assert said.status == 201


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


async def test_a_test_shop_takes_test_users_only(tmp_path: Path) -> None:
    async with bench(tmp_path, is_test=True) as sim:
        said = await sim.call("POST", "/v1/orders", order_body())
        order = await sim.order(payer={"email": "x@testuser.com"})

    assert (said.status, said.code) == (400, "invalid_email_for_sandbox")
    assert order["id"].startswith("ORDTST")


async def test_the_other_envelope_can_be_chosen(sim: Bench) -> None:
    await sim.control("settings", error_envelope="payments")

    said = await sim.call("POST", "/v1/orders", order_body(type="point"))

    assert set(said.body) == {"message", "error", "status", "cause"}
    assert said.body["error"] == "invalid_order_type"
