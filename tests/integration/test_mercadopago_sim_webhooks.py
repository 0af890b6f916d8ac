"""The simulator's notifications: their form, their signature, their schedule."""

from datetime import UTC, datetime

import pytest

from comanda.mercadopago.signature import Signed, verify
from tests import mercadopago_simulator
from tests.mercadopago_simulator import SECRET, SHOP, Bench, Heard, code_of

MINUTES = (15, 30, 45, 90, 180, 360, 720, 1440, 1440, 1440, 1440)
sim = mercadopago_simulator.sim


def verified_by(heard: Heard, *secrets: str) -> int:
    return verify(
        Signed(
            signature=heard.headers.get("x-signature"),
            request_id=heard.headers.get("x-request-id"),
            data_id=heard.query.get("data.id"),
        ),
        secrets=secrets,
        now=datetime.now(UTC),
    )


async def test_an_order_is_told_of_when_it_waits_and_when_it_is_paid(sim: Bench) -> None:
    order = await sim.order()
    await sim.settled()
    await sim.control("pay", pix_code=code_of(order))

    waiting, paid = await sim.settled()

    assert [waiting.action, paid.action] == ["order.action_required", "order.processed"]
    assert paid.query == {
        "cliente": "comanda",
        "data.id": order["id"],
        "type": "order",
        "data.external_reference": order["external_reference"],
    }
    assert paid.headers["user-agent"] == "MercadoPago WebHook v1.0 order"
    assert paid.body["data"]["status"] == "processed"
    assert paid.body["user_id"] == "42"
    assert [verified_by(heard, SECRET) for heard in (waiting, paid)] == [0, 0]


async def test_a_payment_is_told_of_when_it_is_made_and_when_it_changes(sim: Bench) -> None:
    payment = await sim.payment()
    await sim.settled()
    await sim.control("pay", id=str(payment["id"]))

    made, paid = await sim.settled()

    assert [made.action, paid.action] == ["payment.created", "payment.updated"]
    assert paid.query["data.id"] == str(payment["id"])
    assert paid.query["type"] == "payment"
    assert verified_by(paid, SECRET) == 0


async def test_each_end_of_an_order_has_its_action(sim: Bench) -> None:
    expired, cancelled, rejected = [await sim.order() for _ in range(3)]
    await sim.control("expire", id=expired["id"])
    await sim.call("POST", f"/v1/orders/{cancelled['id']}/cancel")
    await sim.control("reject", id=rejected["id"])
    refunded = await sim.paid_order()
    await sim.call("POST", f"/v1/orders/{refunded['id']}/refund")

    heard = await sim.settled()

    last = {h.query["data.id"]: h.action for h in heard if h.action != "order.action_required"}
    assert last == {
        expired["id"]: "order.expired",
        cancelled["id"]: "order.canceled",
        rejected["id"]: "order.failed",
        refunded["id"]: "order.refunded",
    }


@pytest.mark.parametrize("status", [202, 204, 302, 401, 500])
async def test_anything_but_200_and_201_is_tried_again(sim: Bench, status: int) -> None:
    sim.shop.status = status
    await sim.order()
    await sim.settled()

    sim.shop.status = 201
    await sim.advance(minutes=15)

    assert len(await sim.settled()) == 2
    await sim.advance(minutes=60 * 24 * 7)
    assert len([h for h in await sim.settled() if h.action == "order.action_required"]) == 2


async def test_retries_follow_the_documented_schedule_with_the_same_bytes(sim: Bench) -> None:
    sim.shop.status = 500
    order = await sim.order(transactions=_for_a_month())
    counts = [len(await sim.settled())]

    for minutes in MINUTES:
        await sim.advance(minutes=minutes - 1)
        counts.append(len(await sim.settled()))
        await sim.advance(minutes=1)
        counts.append(len(await sim.settled()))

    expected = [1]
    for attempt in range(1, len(MINUTES) + 1):
        expected += [attempt, attempt + 1]
    assert counts == expected
    await sim.advance(minutes=60 * 24 * 3)
    heard = await sim.settled()
    assert len(heard) == 1 + len(MINUTES)
    assert {h.headers["x-signature"] for h in heard} == {heard[0].headers["x-signature"]}
    assert {h.headers["x-request-id"] for h in heard} == {heard[0].headers["x-request-id"]}
    assert all(h.body == heard[0].body for h in heard)
    assert heard[0].query["data.id"] == order["id"]


async def test_retries_can_be_signed_anew(sim: Bench) -> None:
    await sim.control("settings", resign_retries=True)
    sim.shop.status = 500
    await sim.order(transactions=_for_a_month())
    await sim.settled()
    await sim.control("secrets", shop=SHOP, secret="a-new-secret")
    await sim.advance(minutes=15)
    await sim.settled()
    await sim.advance(minutes=30)

    first, second, third = await sim.settled()

    assert verified_by(first, SECRET) == 0
    assert verified_by(third, "a-new-secret") == 0
    assert second.headers["x-request-id"] == third.headers["x-request-id"]


async def test_the_retry_schedule_can_be_sped_up_without_the_clock(sim: Bench) -> None:
    sim.shop.status = 500
    await sim.control("clock", retry_speed=900)
    await sim.order()
    await sim.settled()

    await sim.advance(seconds=1)

    assert len(await sim.settled()) == 2


async def test_a_rotated_secret_signs_from_then_on(sim: Bench) -> None:
    await sim.order()
    await sim.settled()
    said = await sim.control("secrets", shop=SHOP)
    await sim.order()

    before, after = await sim.settled()

    assert verified_by(before, SECRET) == 0
    assert verified_by(after, said.body["secret"], SECRET) == 0


async def test_the_panels_button_sends_a_signed_test(sim: Bench) -> None:
    await sim.control("simulate", shop=SHOP)

    (heard,) = await sim.settled()

    assert (heard.query["data.id"], heard.query["type"]) == ("123456", "test")
    assert heard.action == "test.created"
    assert verified_by(heard, SECRET) == 0


async def test_a_fraud_alert_is_sent_once_and_never_again(sim: Bench) -> None:
    order = await sim.paid_order()
    await sim.settled()
    sim.shop.status = 500
    await sim.control("fraud-alert", id=order["id"])

    alert = (await sim.settled())[-1]

    assert alert.body["type"] == "stop_delivery_op_wh"
    assert "data.id" not in alert.query
    number = order["transactions"]["payments"][0]["reference_id"]
    assert alert.body["data"]["payment_id"] == int(number)
    assert verified_by(alert, SECRET) == 0
    await sim.advance(minutes=60 * 24)
    assert len(await sim.settled()) == 3


async def test_a_chargeback_is_told_of_with_ids_beyond_a_double(sim: Bench) -> None:
    order = await sim.paid_order()
    said = await sim.control("disputes", id=order["id"], kind="chargeback")

    heard = await sim.settled()

    told = next(h for h in heard if h.body["type"] == "topic_chargebacks_wh")
    assert told.body["actions"] == ["changed_case_status"]
    assert told.body["data"]["id"] == int(said.body["dispute_id"])
    assert told.body["data"]["id"] > 2**53
    assert verified_by(told, SECRET) == 0
    read = await sim.call("GET", f"/v1/chargebacks/{said.body['dispute_id']}")
    assert (read.status, read.body["amount"]) == (200, 58.8)


async def test_a_notification_is_redelivered_on_demand(sim: Bench) -> None:
    order = await sim.order()
    await sim.control("redeliver", order_id=order["id"], times=3)

    heard = await sim.settled()

    assert len(heard) == 4
    assert len({h.headers["x-request-id"] for h in heard}) == 4


async def test_a_resources_own_address_is_used_on_loopback_only(sim: Bench) -> None:
    await sim.control("settings", any_notification_url=True)
    own = f"{sim.shop.url}/webhooks/mercadopago/own?source_news=webhooks"
    await sim.order(config={"notification_url": own})
    await sim.order(config={"notification_url": "http://shop.invalid/x"})

    near, far = await sim.settled()

    assert {near.query.get("source_news"), far.query.get("source_news")} == {"webhooks", None}


async def test_a_shop_that_is_down_is_tried_again(sim: Bench) -> None:
    await sim.control("settings", any_notification_url=True)
    await sim.order(config={"notification_url": "http://127.0.0.1:1/x"})

    said = await sim.control("settle", seconds=10)

    log = (await sim.look("log"))["log"]
    assert said.body == {"due": 0, "waiting": 1}
    assert log[-1]["outcome"] == "ClientConnectorError"


async def test_many_notifications_wait_their_turn(sim: Bench) -> None:
    order = await sim.order()
    await sim.control("redeliver", id=order["id"], times=500)

    assert len(await sim.settled()) == 501


def _for_a_month() -> dict[str, object]:
    method = {"id": "pix", "type": "bank_transfer"}
    payment = {"amount": "58.80", "expiration_time": "P30D", "payment_method": method}
    return {"payments": [payment]}
