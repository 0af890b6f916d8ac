"""The worker's cases of the reference, on memory and on PostgreSQL.

| case | test |
|---|---|
| W01 | test_payments_truth: a_webhook_that_overtakes_our_own_call_pays_the_charge_once |
| W02 | test_payments_store: a_crash_after_the_charge_neither_loses_money_nor_charges_twice |
| W03 | test_payments_store: a_key_that_the_provider_knows_otherwise_opens_a_case |
| W04 | test_payments_postgres: ten_concurrent_notifications_approve_once |
| W05 | test_payments_facts: a_fact_older_than_the_last_one_changes_nothing |
| W06, W08-W10 | test_payments_facts: a_mismatch_is_a_review_with_an_open_case... |
| W07 | test_payments_facts: 58_8_is_58_80 |
| W11 | test_payments_facts: a_status_that_we_do_not_know_changes_nothing |
| W12 | test_payments_refunds: money_after_the_end_goes_back_by_itself_and_its_case_closes |
| W13 | test_payments_refunds: a_payment_that_wins_against_our_cancellation_goes_back |
| W14 | test_payments_refunds: operators_pay_back_a_part_and_then_the_rest |
| W15 | test_payments_refunds: a_refund_whose_answer_is_lost_is_repeated... |
| W16 | test_payments_refunds: a_refusal_while_the_refund_is_in_process_is_followed_to_its_end |
| W17 | test_payments_refunds: refunds_never_add_up_to_more_than_what_came |
| W20 | test_mercadopago_client: a_wish_to_wait_is_followed..., a_long_wish_is_capped... |
| W21, W22 | test_mercadopago_client: each_verb_is_tried_as_often_as_the_matrix_says... |
| W23 | test_payments_truth: a_notification_of_nothing_is_noted_and_dropped |
| W25 | test_runtime_consumer: what cannot be handled goes to the dead letters with its reason |
| W30 | test_mercadopago_client: amounts_are_read_exactly_or_not_at_all |
| W32 | test_payments_provider: a_rotated_token_is_read_anew |

The others are here, by their number.
"""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import NotificationReceived, PaymentHeld, PaymentReleased, RawRequest
from comanda.ids import OrderId
from comanda.mercadopago.values import Flavour
from comanda.money import Money
from tests.payments_builders import ORDER, PRICE, SHOP, Counter, creating, notification, reserved
from workers.payments.cases import Resolution
from workers.payments.model import ChargeStatus, ProviderFact, ProviderStatus
from workers.payments.operators import resolve_case
from workers.payments.reconciliation import reconcile
from workers.payments.records import forget_old_notifications
from workers.payments.sweeping import LONG_PLANS, PLANS, sweep_shops
from workers.runtime.errors import RetryLater

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


async def sweep(counter: Counter) -> int:
    counter.clock.now += timedelta(hours=2)
    return await sweep_shops([SHOP], desk=counter.desk)


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


async def test_w24_an_outage_of_an_hour_loses_nothing_and_drains_later(counter: Counter) -> None:
    orders = [OrderId(f"order-{n}") for n in range(5)]
    messages = [seal(reserved(order), now=counter.clock()) for order in orders]
    counter.provider.faults.is_down = True
    for _ in range(6):
        for message in messages:
            with suppress(RetryLater):
                await counter.deliver(message.event, message=message)
        counter.clock.now += timedelta(minutes=10)
        await reconcile(counter.desk)
    counter.provider.faults.is_down = False
    counter.clock.now += timedelta(minutes=5)

    await reconcile(counter.desk)

    assert {(await counter.charge(order)).status for order in orders} == {S.WAITING}
    assert await counter.sent() == ["ChargeCreated"] * 5


async def test_w26_a_thousand_notifications_in_five_seconds_lead_to_three_fetches(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    begun = counter.clock.now + timedelta(seconds=10)
    left: list[Envelope] = []
    for n in range(1000):
        counter.clock.now = begun + timedelta(milliseconds=5 * n)
        message = seal(counter.notified(charge), now=counter.clock())
        if not await handled(counter, message):
            left.append(message)
    while left:
        counter.clock.now += timedelta(seconds=5)
        left = [message for message in left if not await handled(counter, message)]

    assert counter.provider.calls.fetches <= 3


async def handled(counter: Counter, message: Envelope) -> bool:
    try:
        await counter.deliver(message.event, message=message)
    except RetryLater:
        return False
    return True


async def test_w27_a_payment_first_seen_partly_refunded_is_paid_and_refunded(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, P.PAID)
    counter.provider.refund_from_panel(charge.id, Money.parse("8.80"))

    await counter.deliver(counter.notified(charge))

    assert (await counter.charge()).status is S.PARTIALLY_REFUNDED
    assert await counter.balance() == ("58.80", "8.80", "0.00")
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved", "PaymentRefunded"]


async def test_a_payment_first_seen_wholly_refunded_never_reaches_the_kitchen(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, P.PAID)
    counter.provider.refund_from_panel(charge.id, PRICE)

    await counter.deliver(counter.notified(charge))

    assert (await counter.charge()).status is S.REFUNDED
    assert await counter.balance() == ("58.80", "58.80", "0.00")
    assert await counter.sent() == ["ChargeCreated", "PaymentFailed", "PaymentRefunded"]


async def test_w28_a_code_that_waits_beyond_its_end_is_cancelled_by_us(counter: Counter) -> None:
    await counter.deliver(reserved())
    for _ in range(12):
        counter.clock.now += timedelta(minutes=5)
        await reconcile(counter.desk)

    await counter.settle()

    assert (await counter.charge()).status is S.CANCELLED
    assert await counter.sent() == ["ChargeCreated", "PaymentFailed"]


async def test_w29_one_provider_order_never_belongs_to_two_charges(counter: Counter) -> None:
    await counter.deliver(reserved())
    first = await counter.charge()

    async def confuse(_: ProviderFact) -> None:
        counter.provider.faults.before_answer = None
        second = await counter.charge(OrderId("order-2"))
        counter.provider.orders[second.id] = counter.provider.orders[first.id]

    counter.provider.faults.before_answer = confuse
    await counter.deliver(reserved(OrderId("order-2")))

    second = await counter.charge(OrderId("order-2"))
    assert (second.status, second.provider_id) == (S.REVIEW, None)
    assert await counter.kinds() == ["reference_mismatch"]


async def test_w31_a_charge_made_without_a_code_is_asked_for_it_and_ends_cleanly(
    counter: Counter,
) -> None:
    async def withhold(made: ProviderFact) -> None:
        hidden = replace(made, pix_code=None, status=P.PROCESSING)
        counter.provider.orders[made.reference] = hidden

    counter.provider.faults.before_answer = withhold
    await counter.deliver(reserved())
    unknown = await counter.charge()
    counter.clock.now += timedelta(seconds=2)
    await reconcile(counter.desk)
    counter.provider.change(unknown.id, P.REJECTED)
    counter.clock.now += timedelta(seconds=10)

    await reconcile(counter.desk)

    assert unknown.status is S.UNKNOWN
    assert unknown.next_check_at is not None
    assert unknown.next_check_at - counter.clock.now < timedelta(seconds=2)
    assert (await counter.charge()).status is S.REJECTED
    assert await counter.sent() == ["PaymentFailed"]


async def test_a_sweep_finds_money_that_nobody_told_of(counter: Counter) -> None:
    counter.provider.orders["a"] = counter.provider.stranger("A")
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, P.PAID)

    first, second = await sweep(counter), await sweep(counter)

    assert first >= 2
    assert await counter.kinds() == ["paid_and_unknown"]
    assert (await counter.charge()).status is S.PAID
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]
    assert second <= 2  # The stranger is looked at again, and no second case is opened.


async def test_a_sweep_finds_late_and_second_payments_and_they_go_back(counter: Counter) -> None:
    for order in ("order-1", "order-2"):
        await counter.deliver(reserved(OrderId(order)))
    first, second = [await counter.charge(OrderId(f"order-{n}")) for n in (1, 2)]
    counter.provider.change(first.id, P.EXPIRED)
    await counter.deliver(counter.notified(first))
    counter.provider.change(first.id, P.PAID)
    await counter.paid(OrderId("order-2"))
    counter.provider.pay_again(second.id)

    await sweep(counter)
    before = sorted(await counter.kinds())
    await counter.settle()
    quiet = await sweep(counter)

    assert before == ["paid_late", "second_payment"]
    assert (await counter.kinds(), quiet) == ([], 0)
    assert (await counter.totals())[0] == "176.40"
    assert str((await counter.reader.totals(SHOP)).refunded) == "117.60"


async def test_a_second_payment_that_may_be_the_first_is_left_to_a_human(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.orders[charge.id] = replace(
        counter.provider.orders[charge.id], numbers=frozenset()
    )
    await counter.paid()
    counter.provider.pay_again(charge.id)

    await sweep(counter)
    await counter.settle()

    assert await counter.kinds() == ["second_payment"]
    assert counter.provider.calls.refunds == 0


@pytest.mark.parametrize("by", ["number and parent", "number", "parent"])
async def test_the_payment_behind_an_order_is_not_a_second_one(counter: Counter, by: str) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    paid = counter.provider.change(charge.id, P.PAID)
    number = next(n for n in paid.numbers if n.isdigit())
    behind = replace(paid, provider_id=number, flavour=Flavour.PAYMENTS, numbers=frozenset())
    parent = paid.provider_id if "parent" in by else None
    if "number" not in by:
        counter.provider.orders[charge.id] = replace(paid, numbers=frozenset({"other"}))
    counter.provider.orders["behind"] = replace(behind, parent_id=parent)

    await counter.deliver(notification(number, at=counter.clock(), topic="payment"))
    await sweep(counter)

    assert (await counter.charge()).status is S.PAID
    assert await counter.balance() == ("58.80", "0.00", "0.00")
    assert (await counter.kinds(), counter.provider.calls.refunds) == ([], 0)


async def test_a_payment_told_before_its_order_is_known_waits_for_it(counter: Counter) -> None:
    charge = creating(shop_id=SHOP, request=b"{}")
    await counter.payments.open(charge)
    told = replace(counter.provider.stranger("900"), flavour=Flavour.PAYMENTS, reference=charge.id)
    counter.provider.orders["900"] = told

    await counter.deliver(notification("900", at=counter.clock(), topic="payment"))

    assert (await counter.charge()).status is S.CREATING
    assert await counter.kinds() == []


async def test_money_of_nobody_that_went_back_is_a_case_no_more(counter: Counter) -> None:
    counter.provider.orders["A"] = counter.provider.stranger("A")
    await sweep(counter)
    before = await counter.kinds()
    counter.provider.orders["A"] = replace(counter.provider.orders["A"], status=P.REFUNDED)

    await sweep(counter)

    assert (before, await counter.kinds()) == (["paid_and_unknown"], [])


async def test_our_order_under_anothers_reference_is_a_mismatch_and_no_stranger(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    astray = replace(counter.provider.orders[charge.id], reference="theirs")
    counter.provider.orders[charge.id] = astray

    await sweep(counter)

    assert await counter.kinds() == ["reference_mismatch"]


async def test_what_a_sweep_lists_of_an_order_is_not_read_again(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, P.PAID)
    before = counter.provider.calls.fetches

    await sweep(counter)

    assert (await counter.charge()).status is S.PAID
    assert counter.provider.calls.fetches == before


async def test_a_fact_that_cannot_be_applied_hides_none_of_those_behind_it(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    poison = counter.provider.stranger("A")
    counter.provider.orders["A"] = replace(poison, provider_id="\0", reference=cast("str", None))
    counter.provider.orders["B"] = counter.provider.stranger("B")

    await sweep(counter)

    report = await counter.reader.reconciliation(SHOP, since=counter.clock.now)
    assert [case.subject for case in await counter.reader.open_cases(SHOP, limit=9)] == ["B"]
    assert report.swept_until == {}
    assert "fact not applied" in caplog.text


async def test_a_chargeback_after_weeks_is_found_though_nobody_told(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    counter.clock.now += timedelta(days=40)
    counter.provider.change(charge.id, P.CHARGED_BACK)
    elder = counter.provider.stranger("STRANGER1")
    counter.provider.orders[elder.provider_id] = elder

    await sweep_shops([SHOP], desk=counter.desk, plans=LONG_PLANS)
    again = await sweep_shops([SHOP], desk=counter.desk, plans=LONG_PLANS)
    counter.clock.now += timedelta(days=1)
    known = await sweep_shops([SHOP], desk=counter.desk, plans=LONG_PLANS)

    assert (await counter.charge()).status is S.CHARGED_BACK
    assert "charged_back" in await counter.kinds()
    assert "paid_and_unknown" not in await counter.kinds()
    assert (again, known) == (0, 0)


async def test_a_sweep_is_taken_by_one_pod_and_an_outage_leaves_its_window(
    counter: Counter,
) -> None:
    counter.provider.faults.is_down = True
    await sweep(counter)
    report = await counter.reader.reconciliation(SHOP, since=counter.clock.now)
    counter.provider.faults.is_down = False
    counter.provider.orders["a"] = counter.provider.stranger("A")
    counter.clock.now += timedelta(hours=2)

    found = [await sweep_shops([SHOP], desk=counter.desk) for _ in range(2)]

    assert report.swept_until == {}
    assert found[0] >= 1
    assert found[1] == 0
    after = await counter.reader.reconciliation(SHOP, since=counter.clock.now)
    assert set(after.swept_until) == {plan.name for plan in PLANS}


async def test_the_report_tells_matched_repaired_and_open(counter: Counter) -> None:
    since = counter.clock()
    for n in range(3):
        await counter.deliver(reserved(OrderId(f"order-{n}")))
    await counter.paid(OrderId("order-0"))
    lost = await counter.charge(OrderId("order-1"))
    counter.provider.change(lost.id, P.PAID)
    counter.provider.orders["a"] = counter.provider.stranger("A")
    await counter.deliver(notification("A", at=counter.clock()))
    counter.clock.now += timedelta(seconds=20)
    await reconcile(counter.desk)

    report = await counter.reader.reconciliation(SHOP, since=since)

    (repair,) = report.repaired
    assert (repair.charge_id, repair.before, repair.after) == (lost.id, S.WAITING, S.PAID)
    assert (report.matched, report.waiting, report.open_cases) == (1, 1, 1)
    assert repair.source == "poll"


async def test_notifications_are_kept_for_ninety_days(counter: Counter) -> None:
    await counter.deliver(notification("123456", at=counter.clock()))
    counter.clock.now += timedelta(days=89)
    kept = await forget_old_notifications(counter.desk)
    counter.clock.now += timedelta(days=2)

    forgotten = await forget_old_notifications(counter.desk)

    assert (kept, forgotten) == (0, 1)
    assert await counter.reader.notifications(SHOP, "123456") == []


async def test_every_charge_and_case_is_shown_to_an_audit_in_pages(counter: Counter) -> None:
    for n in range(5):
        await counter.deliver(reserved(OrderId(f"order-{n}")))
    counter.provider.orders["a"] = counter.provider.stranger("A")
    await counter.deliver(notification("A"))

    first = await counter.reader.audit(SHOP, after="", limit=3)
    rest = await counter.reader.audit(SHOP, after=first[-1].charge.id, limit=3)
    marks = await counter.reader.case_marks(SHOP, after=0, limit=10)

    assert len({row.charge.id for row in (*first, *rest)}) == 5
    assert [(mark.kind, mark.subject, mark.is_open) for mark in marks] == [
        ("paid_and_unknown", "A", True)
    ]
    assert await counter.reader.case_marks(SHOP, after=marks[-1].id, limit=10) == []
