"""What a bank disputes, takes back or warns of is booked and has a case; on both stores."""

import json
from datetime import timedelta

import pytest

from comanda.events import NotificationReceived, PaymentHeld, PaymentReleased, RawRequest
from tests.payments_builders import ORDER, PRICE, SHOP, Counter, reserved
from workers.payments.cases import Resolution
from workers.payments.model import ChargeStatus, ProviderStatus
from workers.payments.operators import resolve_case

S, P = ChargeStatus, ProviderStatus


def alarm(counter: Counter, topic: str, resource_id: str, **data: object) -> NotificationReceived:
    body = json.dumps({"data": data})
    request = RawRequest(method="POST", path="/webhooks", headers=(), query=(), body=body)
    return NotificationReceived(
        shop_id=SHOP,
        topic=topic,
        resource_id=resource_id,
        received_at=counter.clock(),
        request=request,
    )


async def test_w18_a_chargeback_after_a_refund_is_booked_and_raises_a_case(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    counter.provider.refund_from_panel(charge.id, PRICE)
    counter.clock.now += timedelta(seconds=10)
    await counter.deliver(counter.notified(charge))
    counter.provider.change(charge.id, P.CHARGED_BACK)
    for _ in range(2):
        counter.clock.now += timedelta(seconds=10)
        await counter.deliver(counter.notified(charge))

    assert (await counter.charge()).status is S.REFUNDED
    assert await counter.balance() == ("58.80", "58.80", "58.80")
    assert await counter.kinds() == ["disputed"]


async def test_a_dispute_is_booked_and_its_case_closes_when_the_shop_wins(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    counter.provider.change(charge.id, P.DISPUTED)
    counter.clock.now += timedelta(seconds=10)
    await counter.deliver(counter.notified(charge))
    disputed, kinds = await counter.balance(), await counter.kinds()
    counter.provider.change(charge.id, P.PAID)

    await counter.deliver(counter.notified(charge))

    assert (disputed, kinds) == (("58.80", "0.00", "58.80"), ["disputed"])
    assert await counter.balance() == ("58.80", "0.00", "0.00")
    assert ((await counter.charge()).status, await counter.kinds()) == (S.PAID, [])
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]


@pytest.mark.parametrize(
    ("topic", "kind"),
    [("topic_chargebacks_wh", "charged_back"), ("topic_claims_integration_wh", "claim")],
)
async def test_chargebacks_and_claims_are_recorded_with_a_case(
    counter: Counter, topic: str, kind: str
) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()

    for _ in range(2):
        event = alarm(counter, topic, "217000087654321000", payment_id=charge.provider_id)
        await counter.deliver(event)

    (case,) = await counter.reader.open_cases(SHOP, limit=5)
    assert (case.kind.value, case.subject) == (kind, "217000087654321000")
    assert case.order_id == ORDER
    records = await counter.reader.notifications(SHOP, "217000087654321000")
    assert [record.verdict for record in records] == ["recorded"] * 2


async def test_w19_a_fraud_alert_holds_the_order_until_somebody_closes_its_case(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    assert charge.provider_id is not None
    await counter.deliver(alarm(counter, "stop_delivery_op_wh", charge.provider_id))
    (case,) = await counter.reader.open_cases(SHOP, limit=5)
    held = (await counter.facts())[-1]

    resolution = Resolution(by="ana", reason="the customer showed the receipt")
    await resolve_case(SHOP, case.id or 0, resolution, payments=counter.payments)

    released = (await counter.facts())[-1]
    assert isinstance(held, PaymentHeld)
    assert (held.order_id, held.reason) == (ORDER, "fraud_alert")
    assert isinstance(released, PaymentReleased)
    assert released.order_id == ORDER


async def test_an_alarm_about_nothing_that_we_know_is_still_a_case(counter: Counter) -> None:
    await counter.deliver(alarm(counter, "stop_delivery_op_wh", "999"))
    await counter.deliver(alarm(counter, "chargebacks", "888"))

    assert await counter.kinds() == ["fraud_alert", "charged_back"]
