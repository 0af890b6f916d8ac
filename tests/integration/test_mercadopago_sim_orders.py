"""The simulator's Orders API takes what the provider would take, and each order once."""

from pathlib import Path
from typing import Any

import pytest

from tests import mercadopago_simulator
from tests.mercadopago_simulator import (
    OTHER_TOKEN,
    Bench,
    bench,
    code_of,
    order_body,
    transaction,
    words,
)

sim = mercadopago_simulator.sim


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
