"""The simulator's webhooks go astray as told: early, late, twice, forged or not at all."""

from datetime import UTC, datetime

import pytest

from comanda.mercadopago.signature import Signed, Unverified, sign, verify
from tests import mercadopago_simulator
from tests.mercadopago_simulator import SECRET, Bench, Heard, create

sim = mercadopago_simulator.sim


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
