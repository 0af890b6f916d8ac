"""The simulator's further doors: merchant orders, the account, and paths that are none."""

import pytest

from tests import mercadopago_simulator
from tests.mercadopago_simulator import Bench, words

sim = mercadopago_simulator.sim


async def test_the_payment_behind_an_order_can_be_read_by_its_number(sim: Bench) -> None:
    order = await sim.paid_order()
    number = order["transactions"]["payments"][0]["reference_id"]

    payment = await sim.get_payment(number)

    assert payment["order"]["id"] == order["id"]
    assert words(payment) == ("approved", "accredited")


async def test_a_legacy_store_code_is_a_merchant_order(sim: Bench) -> None:
    body = {
        "external_reference": "mesa-9",
        "title": "Mesa 9",
        "description": "Consumo",
        "total_amount": 58.8,
        "items": [{"title": "x"}],
    }
    path = "/instore/orders/qr/seller/collectors/42/pos/POS1/qrs"
    made = await sim.call("POST", path, body)
    foreign = await sim.call("POST", path.replace("42", "43"), body)

    before = await sim.call("GET", f"/merchant_orders/{made.body['in_store_order_id']}")
    await sim.control("pay", pix_code=made.body["qr_data"])
    after = await sim.call("GET", f"/merchant_orders/{made.body['in_store_order_id']}")

    assert (made.status, foreign.status) == (201, 403)
    assert (before.body["status"], before.body["payments"]) == ("opened", [])
    assert (after.body["status"], after.body["paid_amount"]) == ("closed", 58.8)
    missing = await sim.call("GET", "/merchant_orders/1")
    assert missing.status == 404


async def test_the_account_and_its_methods_can_be_read(sim: Bench) -> None:
    me = await sim.call("GET", "/users/me")
    methods = await sim.call("GET", "/v1/payment_methods")

    assert (me.body["id"], methods.body[0]["id"]) == (42, "pix")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/nothing", 404), ("DELETE", "/v1/orders", 405)]
)
async def test_other_paths_answer_in_json(sim: Bench, method: str, path: str, status: int) -> None:
    said = await sim.call(method, path)

    assert (said.status, said.body["status"]) == (status, status)
