"""How payments learns the truth, by webhook or by asking; run on memory and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from comanda.envelope import seal
from comanda.money import Money
from tests.payments_builders import (
    NOW,
    ORDER,
    SHOP,
    Counter,
    fact,
    notification,
    quarantined,
    reserved,
)
from workers.payments.cases import CaseKind
from workers.payments.model import ChargeStatus, ProviderFact, ProviderStatus
from workers.payments.reconciliation import reconcile
from workers.runtime.errors import RetryLater


async def test_a_webhook_that_overtakes_our_own_call_pays_the_charge_once(
    counter: Counter,
) -> None:
    async def pay(made: ProviderFact) -> None:
        counter.provider.faults.before_answer = None
        counter.provider.change((await counter.charge()).id, ProviderStatus.PAID)
        await counter.deliver(notification(made.provider_id, at=counter.clock()))

    counter.provider.faults.before_answer = pay

    await counter.deliver(reserved())

    charge = await counter.charge()
    assert (charge.status, charge.order_id) == (ChargeStatus.PAID, ORDER)
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]
    assert await counter.totals() == ("58.80", 0)


async def test_a_notification_older_than_the_last_fetch_is_not_fetched_again(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    old = [counter.notified(charge) for _ in range(5)]
    await counter.paid()

    for event in old:
        await counter.deliver(event)

    assert counter.provider.calls.fetches == 1
    assert charge.provider_id is not None
    records = await counter.reader.notifications(SHOP, charge.provider_id)
    assert [r.verdict for r in records] == ["covered"] * 5 + ["applied"]
    assert records[0].request.method == "POST"


async def test_a_notification_in_lower_case_finds_its_charge(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, ProviderStatus.PAID)
    assert charge.provider_id is not None

    await counter.deliver(notification(charge.provider_id.lower(), at=counter.clock()))

    assert (await counter.charge()).status is ChargeStatus.PAID


async def test_a_notification_of_nothing_is_noted_and_dropped(counter: Counter) -> None:
    await counter.deliver(notification("123456"))
    await counter.deliver(notification("99", topic="payment"))

    records = [
        record.verdict
        for resource in ("123456", "99")
        for record in await counter.reader.notifications(SHOP, resource)
    ]
    assert records == ["not_found", "not_found"]
    assert counter.provider.calls.fetches == 2
    assert await counter.sent() == []


async def test_money_in_an_order_that_is_not_ours_is_a_case(counter: Counter) -> None:
    counter.provider.orders["a"] = fact(ProviderStatus.PAID, provider_id="A", reference="theirs")
    counter.provider.orders["b"] = fact(ProviderStatus.WAITING, provider_id="B", reference="theirs")

    for resource in ("A", "A", "B"):
        await counter.deliver(notification(resource))

    (case,) = await counter.reader.open_cases(SHOP, limit=10)
    assert (case.kind, case.subject, case.order_id) == (CaseKind.PAID_AND_UNKNOWN, "A", None)
    assert await counter.totals() == ("0.00", 1)


async def test_a_wrong_amount_ends_in_review_and_reaches_nobody(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    paid = counter.provider.change(charge.id, ProviderStatus.PAID)
    counter.provider.orders[charge.id] = replace(paid, paid=Money.parse("58.79"))

    for _ in range(2):
        await counter.deliver(counter.notified(charge))

    assert (await counter.charge()).status is ChargeStatus.REVIEW
    assert await counter.sent() == ["ChargeCreated"]
    assert await counter.totals() == ("0.00", 1)


async def test_an_outage_at_a_notification_is_retried_and_then_left_to_the_reconciliation(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, ProviderStatus.PAID)
    counter.provider.faults.is_down = True
    message = seal(counter.notified(charge), now=NOW)
    with pytest.raises(RetryLater):
        await counter.deliver(message.event, message=message)
    counter.clock.now += timedelta(minutes=2)

    await counter.deliver(message.event, message=message)
    counter.provider.faults.is_down = False
    corrected = await reconcile(counter.desk)

    assert corrected == 1
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]


async def test_a_lost_webhook_is_found_by_the_reconciliation(counter: Counter) -> None:
    await counter.deliver(reserved())
    counter.provider.change((await counter.charge()).id, ProviderStatus.PAID)

    too_early = await reconcile(counter.desk)
    counter.clock.now += timedelta(seconds=16)
    in_time = await reconcile(counter.desk)

    assert (too_early, in_time) == (0, 1)
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]


async def test_quiet_charges_are_asked_about_more_and_more_rarely(counter: Counter) -> None:
    await counter.deliver(reserved())
    for _ in range(3):
        counter.clock.now += timedelta(minutes=3)
        await reconcile(counter.desk)

    charge = await counter.charge()
    assert (charge.checks, counter.provider.calls.fetches) == (3, 3)
    assert charge.next_check_at is not None
    assert charge.next_check_at - counter.clock.now > timedelta(seconds=110)


async def test_an_order_that_the_provider_lost_stays_open_and_is_retried(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.orders.clear()
    counter.clock.now += timedelta(minutes=1)

    corrected = await reconcile(counter.desk)
    with pytest.raises(RetryLater):
        await counter.deliver(counter.notified(charge))

    assert corrected == 0
    assert (await counter.charge()).status is ChargeStatus.WAITING


async def test_an_unverified_sender_may_only_have_a_known_charge_read_and_rarely(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, ProviderStatus.PAID)
    assert charge.provider_id is not None
    await counter.deliver(quarantined("ORD-OF-NOBODY"))
    await counter.deliver(quarantined(charge.provider_id))
    throttled = await counter.charge()
    counter.clock.now += timedelta(seconds=11)
    for _ in range(3):
        await counter.deliver(quarantined(charge.provider_id))

    records = await counter.reader.notifications(SHOP, charge.provider_id)
    assert throttled.status is ChargeStatus.WAITING
    assert (await counter.charge()).status is ChargeStatus.PAID
    assert counter.provider.calls.fetches == 1
    assert sorted(r.verdict for r in records) == ["applied"] + ["throttled"] * 3
    assert {r.doubt for r in records} == {"wrong_secret"}


async def test_a_late_waiting_after_paid_is_refused_and_money_stays(counter: Counter) -> None:
    await counter.deliver(reserved())
    paid = await counter.paid()
    counter.provider.change(paid.id, ProviderStatus.WAITING)
    await counter.deliver(counter.notified(paid))

    assert (await counter.charge()).status is ChargeStatus.PAID
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]
