"""The worker's cases of the reference, on memory and on PostgreSQL.

| case | test |
|---|---|
| W01 | test_payments_truth: a_webhook_that_overtakes_our_own_call_pays_the_charge_once |
| W02 | test_payments_store: a_crash_after_the_charge_neither_loses_money_nor_charges_twice |
| W03 | test_payments_store: a_key_that_the_provider_knows_otherwise_opens_a_case |
| W04 | test_payments_postgres: ten_concurrent_notifications_approve_once |
| W05 | test_payments_facts: a_fact_older_than_the_last_one_changes_nothing |
| W06, W08-W10 | test_payments_mismatches: a_mismatch_is_a_review_with_an_open_case... |
| W07 | test_payments_mismatches: 58_8_is_58_80 |
| W11 | test_payments_facts: a_status_that_we_do_not_know_changes_nothing |
| W12 | test_payments_refunds: money_after_the_end_goes_back_by_itself_and_its_case_closes |
| W13 | test_payments_refunds: a_payment_that_wins_against_our_cancellation_goes_back |
| W14 | test_payments_operators: operators_pay_back_a_part_and_then_the_rest |
| W15 | test_payments_refunds: a_refund_whose_answer_is_lost_is_repeated... |
| W16 | test_payments_refunds: a_refusal_while_the_refund_is_in_process_is_followed_to_its_end |
| W17 | test_payments_operators: refunds_never_add_up_to_more_than_what_came |
| W18 | test_payments_disputes: w18_a_chargeback_after_a_refund_is_booked... |
| W19 | test_payments_disputes: w19_a_fraud_alert_holds_the_order... |
| W20 | test_mercadopago_client: a_wish_to_wait_is_followed..., a_long_wish_is_capped... |
| W21, W22 | test_mercadopago_client: each_verb_is_tried_as_often_as_the_matrix_says... |
| W23 | test_payments_truth: a_notification_of_nothing_is_noted_and_dropped |
| W25 | test_runtime_consumer: what cannot be handled goes to the dead letters with its reason |
| W30 | test_mercadopago_documents: amounts_are_read_exactly_or_not_at_all |
| W32 | test_payments_provider: a_rotated_token_is_read_anew |

The others are here, by their number.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from comanda.envelope import Envelope, seal
from comanda.ids import OrderId
from comanda.money import Money
from tests.payments_builders import PRICE, SHOP, Counter, notification, reserved
from workers.payments.model import ChargeStatus, ProviderFact, ProviderStatus
from workers.payments.reconciliation import reconcile
from workers.payments.records import forget_old_notifications
from workers.runtime.errors import RetryLater

S, P = ChargeStatus, ProviderStatus


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
