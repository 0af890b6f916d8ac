"""The simulator's Payments API is strict, idempotent, and tells what became of a payment."""

from pathlib import Path
from typing import Any

import pytest

from tests import mercadopago_simulator
from tests.mercadopago_simulator import OTHER_TOKEN, Bench, bench, payment_body, words

sim = mercadopago_simulator.sim


async def test_a_new_payment_waits_with_numbers_for_amounts(sim: Bench) -> None:
    payment = await sim.payment(metadata={"tableNumber": 4, "tips": [{"share": 0.5}]})

    assert isinstance(payment["id"], int)
    assert words(payment) == ("pending", "pending_waiting_transfer")
    assert (payment["transaction_amount"], payment["currency_id"]) == (58.8, "BRL")
    assert payment["metadata"] == {"table_number": 4, "tips": [{"share": 0.5}]}
    assert payment["date_created"].endswith("-04:00")
    assert payment["collector_id"] == 42
    code = payment["point_of_interaction"]["transaction_data"]["qr_code"]
    assert f"mpqrinter{payment['id']}" in code


def _without(name: str) -> dict[str, Any]:
    body = payment_body()
    del body[name]
    return body


def _payer(**changes: Any) -> dict[str, Any]:
    return payment_body(payer={"email": "ana@example.com", **changes})


def _nested(depth: int) -> dict[str, Any]:
    return {"in": _nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "1"),
        (b"[1]", "1"),
        (payment_body(amount=1), "8"),
        (_without("transaction_amount"), "4002"),
        (payment_body(transaction_amount="58.80"), "4003"),
        (payment_body(transaction_amount=True), "4003"),
        (payment_body(transaction_amount=0), "4037"),
        (payment_body(transaction_amount=-1), "4037"),
        (payment_body(transaction_amount=58.801), "4037"),
        (b'{"transaction_amount": 1e400, "payment_method_id": "pix"}', "4037"),
        (_without("payment_method_id"), "4001"),
        (payment_body(payment_method_id="visa"), "3028"),
        (_without("payer"), "4006"),
        (payment_body(payer="ana"), "4006"),
        (_payer(email="nobody"), "4050"),
        (_payer(email="a" * 250 + "@x.co"), "4051"),
        (_payer(identification={"type": "CPF", "number": "123"}), "2067"),
        (_payer(identification={"type": "RG", "number": "12345678909"}), "2067"),
        (payment_body(external_reference="a" * 257), "1"),
        (payment_body(date_of_expiration="2099-01-01"), "23"),
        (payment_body(date_of_expiration="2099-13-01T00:00:00.000-04:00"), "23"),
        (payment_body(date_of_expiration="2099-01-01T00:00:00.000-04:00"), "7523"),
        (payment_body(notification_url="http://shop.example/x"), "4020"),
        (payment_body(notification_url="https://localhost/x"), "4020"),
        (payment_body(notification_url="https://x.example/" + "a" * 500), "4021"),
        (payment_body(metadata=[1]), "4022"),
        (payment_body(metadata=_nested(30)), "4022"),
        (b'{"external_reference": "\\ud800"}', "1"),
        (
            b'{"transaction_amount": 1, "payment_method_id": "pix", "payer": {"email": "a@b.co"},'
            b' "metadata": {"x": 1e400, "y": [1.5]}}',
            "4022",
        ),
    ],
)
async def test_a_body_that_breaks_a_rule_is_refused_by_its_number(
    sim: Bench, body: Any, code: str
) -> None:
    said = await sim.call("POST", "/v1/payments", body)

    assert (said.status, said.code) == (400, code)
    assert set(said.body) == {"message", "error", "status", "cause"}
    assert said.headers["x-request-id"]
    assert await sim.truth() == []


@pytest.mark.parametrize(
    "identification",
    [
        {"type": "CPF", "number": "12345678909"},
        {"type": "CPF", "number": "123.456.789-09"},
        {"type": "CNPJ", "number": "12ABC34501DE35"},
    ],
)
async def test_taxpayers_numbers_are_taken_in_each_form(
    sim: Bench, identification: dict[str, str]
) -> None:
    said = await sim.call("POST", "/v1/payments", _payer(identification=identification))

    assert said.status == 201, said.body


async def test_who_calls_must_be_known(sim: Bench) -> None:
    payment = await sim.payment()
    path = f"/v1/payments/{payment['id']}"

    missing = await sim.call("GET", path, token=None)
    unknown = await sim.call("GET", path, token="somebody")
    foreign = await sim.call("GET", path, token=OTHER_TOKEN)

    assert (missing.status, missing.code) == (403, "pa_unauthorized_result_from_policies")
    assert unknown.body == {
        "message": "invalid_token",
        "error": "unauthorized",
        "status": 401,
        "cause": [],
    }
    assert (foreign.status, foreign.body["error"]) == (404, "not_found")


async def test_the_same_key_is_one_payment_and_a_replay_says_so(sim: Bench) -> None:
    body = payment_body()

    keyless = await sim.call("POST", "/v1/payments", body, key=None)
    first = await sim.call("POST", "/v1/payments", body, key="k")
    again = await sim.call("POST", "/v1/payments", body, key="k")
    other = await sim.call("POST", "/v1/payments", payment_body(), key="k")

    assert (keyless.status, keyless.code) == (400, "4292")
    assert (first.status, again.status, other.status) == (201, 200, 409)
    assert first.body == again.body
    assert len(await sim.truth()) == 1


async def test_a_paid_payment_names_its_fee(sim: Bench) -> None:
    payment = await sim.paid_payment()

    assert words(payment) == ("approved", "accredited")
    assert payment["fee_details"][0]["amount"] == 0.58
    assert payment["transaction_details"]["net_received_amount"] == 58.22
    assert payment["date_approved"]


async def test_a_payment_is_cancelled_only_while_it_waits(sim: Bench) -> None:
    waiting, other, paid = await sim.payment(), await sim.payment(), await sim.paid_payment()
    cancelled = {"status": "cancelled"}

    done = await sim.call("PUT", f"/v1/payments/{waiting['id']}", cancelled)
    by_path = await sim.call("PUT", f"/v1/payments/{other['id']}/cancellations")
    twice = await sim.call("PUT", f"/v1/payments/{waiting['id']}", cancelled)
    late = await sim.call("PUT", f"/v1/payments/{paid['id']}", cancelled)
    odd = await sim.call("PUT", f"/v1/payments/{waiting['id']}", {"status": "approved"})

    assert words(done.body) == words(by_path.body) == ("cancelled", "by_collector")
    assert (twice.status, twice.code, late.code) == (400, "3005", "3005")
    assert (odd.status, odd.code) == (400, "1")


async def test_an_expired_payment_is_cancelled_as_expired(sim: Bench) -> None:
    payment = await sim.payment()

    await sim.advance(minutes=24 * 60 + 1)

    assert words(await sim.get_payment(payment["id"])) == ("cancelled", "expired")


async def test_a_payment_is_refunded_in_parts_that_are_resources(sim: Bench) -> None:
    payment = await sim.paid_payment()
    path = f"/v1/payments/{payment['id']}/refunds"

    part = await sim.call("POST", path, {"amount": 10.5}, key="r1")
    again = await sim.call("POST", path, {"amount": 10.5}, key="r1")
    too_much = await sim.call("POST", path, {"amount": 48.31})
    midway = await sim.get_payment(payment["id"])
    rest = await sim.call("POST", path)
    none_left = await sim.call("POST", path, {})

    assert (part.status, part.body["status"], part.body["amount"]) == (201, "approved", 10.5)
    assert part.body == again.body
    assert (too_much.status, too_much.code) == (400, "4037")
    assert words(midway) == ("approved", "partially_refunded")
    assert midway["transaction_amount_refunded"] == 10.5
    assert (rest.body["amount"], none_left.code) == (48.3, "3005")
    assert words(await sim.get_payment(payment["id"])) == ("refunded", "refunded")
    listed = await sim.call("GET", path)
    assert [refund["amount"] for refund in listed.body] == [10.5, 48.3]
    one = await sim.call("GET", f"{path}/{part.body['id']}")
    assert one.body == part.body
    assert (await sim.call("GET", f"{path}/1")).status == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [({"amount": "10"}, "4024"), ({"amount": 0}, "4037"), ({"sum": 1}, "8"), (b"[]", "1")],
)
async def test_a_refund_that_breaks_a_rule_is_refused(sim: Bench, body: Any, code: str) -> None:
    payment = await sim.paid_payment()

    said = await sim.call("POST", f"/v1/payments/{payment['id']}/refunds", body)

    assert (said.status, said.code) == (400, code)


async def test_the_search_filters_and_pages(sim: Bench) -> None:
    payments = [await sim.payment() for _ in range(3)]
    await sim.order()
    await sim.control("pay", id=str(payments[1]["id"]))

    async def ids(**query: Any) -> list[str]:
        said = await sim.call("GET", "/v1/payments/search", **query)
        assert said.status == 200, said.body
        return [payment["id"] for payment in said.body["results"]]

    first, second, third = (str(payment["id"]) for payment in payments)
    assert await ids(criteria="asc") == [first, second, third]
    assert await ids(status="approved") == [second]
    assert await ids(external_reference=payments[2]["external_reference"]) == [third]
    assert await ids(id=first) == [first]
    assert await ids(criteria="asc", limit=1, offset=1) == [second]
    day = {"range": "date_created", "begin_date": "NOW-1DAYS", "end_date": "NOW"}
    assert len(await ids(**day)) == 3
    assert await ids(range="date_approved", begin_date="NOW-1HOURS") == [second]
    assert await ids(begin_date="2099-01-01T00:00:00.000-04:00") == []
    said = await sim.call("GET", "/v1/payments/search")
    assert said.body["paging"] == {"total": 3, "limit": 30, "offset": 0}
    await sim.control("settings", search_lists_order_payments=True)
    assert len(await ids()) == 4


@pytest.mark.parametrize(
    "query", [{"sort": "x"}, {"limit": "101"}, {"begin_date": "x"}, {"range": "x"}, {"q": "1"}]
)
async def test_a_search_that_breaks_a_rule_is_refused(sim: Bench, query: dict[str, str]) -> None:
    said = await sim.call("GET", "/v1/payments/search", **query)

    assert said.status == 400


async def test_a_strict_search_wants_its_order_named(sim: Bench) -> None:
    await sim.control("settings", strict_search=True)

    bare = await sim.call("GET", "/v1/payments/search")
    named = await sim.call("GET", "/v1/payments/search", sort="id", criteria="asc")

    assert (bare.status, named.status) == (400, 200)


async def test_a_body_that_is_too_large_is_refused(sim: Bench) -> None:
    said = await sim.call("POST", "/v1/payments", b" " * 70_000)

    assert said.status == 413


async def test_a_test_shop_takes_test_users_only(tmp_path: Path) -> None:
    async with bench(tmp_path, is_test=True) as sim:
        said = await sim.call("POST", "/v1/payments", payment_body())

    assert (said.status, said.code) == (400, "2198")
