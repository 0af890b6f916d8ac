"""One suite for payments, run on memory and on PostgreSQL: saga steps, races and outages."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from comanda.envelope import seal
from comanda.ids import CustomerId, OrderId
from comanda.money import ZERO, Money
from local.postgres import running_postgres
from tests.payments_builders import (
    NOW,
    ORDER,
    OTHER_SHOP,
    SHOP,
    Counter,
    cancelled,
    erased,
    fact,
    memory_counter,
    notification,
    postgres_counter,
    quarantined,
    registered,
    reserved,
)
from workers.payments.migrate import migrate
from workers.payments.model import CaseKind, ChargeStatus, ProviderFact, ProviderStatus
from workers.payments.reconciliation import reconcile
from workers.runtime.errors import InvalidMessage, RetryLater

MARIA = CustomerId("maria")


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("payments")) as dsn:
        migrate(dsn)
        yield dsn


@pytest.fixture(params=["memory", "postgres"])
async def counter(request: pytest.FixtureRequest) -> AsyncIterator[Counter]:
    if request.param == "memory":
        yield memory_counter()
        return
    async with postgres_counter(request.getfixturevalue("dsn")) as counter:
        yield counter


async def test_a_reserved_order_gets_a_code_and_a_payment_approves_it(counter: Counter) -> None:
    await counter.deliver(reserved())
    waiting = await counter.charge()
    paid = await counter.paid()

    assert (waiting.status, waiting.request) == (ChargeStatus.WAITING, None)
    assert paid.status is ChargeStatus.PAID
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]
    assert await counter.totals() == ("58.80", 0)


async def test_the_same_reservation_twice_is_one_charge(counter: Counter) -> None:
    message = await counter.deliver(reserved())
    await counter.deliver(reserved(), message=message)
    await counter.deliver(reserved())

    assert counter.provider.creates == 1
    assert await counter.sent() == ["ChargeCreated"]


async def test_two_orders_of_two_shops_are_two_charges(counter: Counter) -> None:
    await counter.deliver(reserved())
    await counter.deliver(reserved(shop_id=OTHER_SHOP))

    assert len(counter.provider.orders) == 2
    assert (await counter.charge()).id != (await counter.charge(shop_id=OTHER_SHOP)).id
    assert (await counter.reader.totals(SHOP)).charges == 1


async def test_a_crash_after_the_charge_neither_loses_money_nor_charges_twice(
    counter: Counter,
) -> None:
    async def crash(_: ProviderFact) -> None:
        raise ConnectionAbortedError("the process dies between the answer and its commit")

    message = seal(reserved(), now=NOW)
    counter.provider.before_answer = crash
    with pytest.raises(ConnectionAbortedError):
        await counter.deliver(message.event, message=message)
    (made,) = counter.provider.orders.values()
    counter.provider.change(
        (await counter.charge()).id, ProviderStatus.PAID
    )  # Somebody scans the code that we do not know yet.
    counter.provider.before_answer = None

    await counter.deliver(message.event, message=message)

    charge = await counter.charge()
    assert (counter.provider.creates, len(counter.provider.orders)) == (2, 1)
    assert (charge.status, charge.provider_id) == (ChargeStatus.PAID, made.provider_id)
    assert await counter.sent() == ["PaymentApproved"]
    assert await counter.totals() == ("58.80", 0)


async def test_a_crash_without_a_redelivery_is_found_by_the_reconciliation(
    counter: Counter,
) -> None:
    async def crash(_: ProviderFact) -> None:
        raise ConnectionAbortedError

    counter.provider.before_answer = crash
    with pytest.raises(ConnectionAbortedError):
        await counter.deliver(reserved())
    counter.provider.before_answer = None

    too_early = await reconcile(counter.desk)
    counter.clock.now += timedelta(seconds=11)
    in_time = await reconcile(counter.desk)
    again = await reconcile(counter.desk)

    assert (too_early, in_time, again) == (0, 1, 0)
    assert (await counter.charge()).status is ChargeStatus.WAITING
    assert len(counter.provider.orders) == 1
    assert await counter.sent() == ["ChargeCreated"]


async def test_a_webhook_that_overtakes_our_own_call_pays_the_charge_once(
    counter: Counter,
) -> None:
    async def pay(made: ProviderFact) -> None:
        counter.provider.before_answer = None
        counter.provider.change((await counter.charge()).id, ProviderStatus.PAID)
        await counter.deliver(notification(made.provider_id, at=counter.clock()))

    counter.provider.before_answer = pay

    await counter.deliver(reserved())

    charge = await counter.charge()
    assert (charge.status, charge.order_id) == (ChargeStatus.PAID, ORDER)
    assert await counter.sent() == ["PaymentApproved"]
    assert await counter.totals() == ("58.80", 0)


async def test_a_provider_that_is_down_keeps_message_and_charge_until_it_is_back(
    counter: Counter,
) -> None:
    counter.provider.is_down = True
    message = seal(reserved(), now=NOW)
    for _ in range(3):
        with pytest.raises(RetryLater):
            await counter.deliver(message.event, message=message)
    before = await counter.charge()
    counter.provider.is_down = False

    await counter.deliver(message.event, message=message)

    after = await counter.charge()
    assert (before.status, before.id) == (ChargeStatus.CREATING, after.id)
    assert after.status is ChargeStatus.WAITING
    assert await counter.sent() == ["ChargeCreated"]


async def test_a_long_outage_leaves_the_charge_to_the_reconciliation(counter: Counter) -> None:
    counter.provider.is_down = True
    message = seal(reserved(), now=NOW)
    with pytest.raises(RetryLater):
        await counter.deliver(message.event, message=message)
    counter.clock.now += timedelta(seconds=31)
    await counter.deliver(message.event, message=message)
    failed = await reconcile(counter.desk)
    counter.provider.is_down = False
    counter.clock.now += timedelta(minutes=3)

    corrected = await reconcile(counter.desk)

    assert (failed, corrected) == (0, 1)
    assert (await counter.charge()).status is ChargeStatus.WAITING


async def test_a_refused_charge_is_told_once(counter: Counter) -> None:
    counter.provider.refusal = "invalid_total_amount"
    await counter.deliver(reserved())
    await counter.deliver(reserved())

    assert (await counter.charge()).status is ChargeStatus.REFUSED
    assert await counter.sent() == ["ChargeRefused"]


async def test_an_order_of_nothing_is_invalid(counter: Counter) -> None:
    with pytest.raises(InvalidMessage):
        await counter.deliver(reserved(total=ZERO))


async def test_a_key_that_the_provider_knows_otherwise_opens_a_case(counter: Counter) -> None:
    counter.provider.is_down = True
    with pytest.raises(RetryLater):
        await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.is_down = False
    await counter.provider.create(replace(charge, request=b"other"))

    await counter.deliver(reserved())

    assert (await counter.charge()).status is ChargeStatus.UNKNOWN
    (case,) = await counter.reader.open_cases(SHOP, limit=10)
    assert (case.kind, case.subject, case.order_id) == (CaseKind.KEY_REUSED, charge.id, ORDER)


async def test_a_notification_older_than_the_last_fetch_is_not_fetched_again(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    old = [counter.notified(charge) for _ in range(5)]
    await counter.paid()

    for event in old:
        await counter.deliver(event)

    assert counter.provider.fetches == 1
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
    assert records == ["not_found", "other_topic"]
    assert counter.provider.fetches == 1
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
    counter.provider.is_down = True
    message = seal(counter.notified(charge), now=NOW)
    with pytest.raises(RetryLater):
        await counter.deliver(message.event, message=message)
    counter.clock.now += timedelta(minutes=2)

    await counter.deliver(message.event, message=message)
    counter.provider.is_down = False
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
    assert (charge.checks, counter.provider.fetches) == (3, 3)
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
    assert counter.provider.fetches == 1
    assert sorted(r.verdict for r in records) == ["applied"] + ["throttled"] * 3
    assert {r.doubt for r in records} == {"wrong_secret"}


async def test_an_order_cancelled_before_its_reservation_is_never_charged(
    counter: Counter,
) -> None:
    await counter.deliver(cancelled())
    await counter.deliver(reserved())

    assert (counter.provider.creates, await counter.sent()) == (0, [])
    assert (await counter.reader.totals(SHOP)).charges == 0


async def test_money_for_an_order_cancelled_meanwhile_is_late(counter: Counter) -> None:
    await counter.deliver(reserved())
    await counter.deliver(cancelled())
    await counter.deliver(cancelled(OrderId("order-of-nobody")))
    paid = await counter.paid()

    assert paid.status is ChargeStatus.PAID_LATE
    assert paid.order_cancelled_at is not None
    assert await counter.sent() == ["ChargeCreated"]
    assert await counter.totals() == ("58.80", 1)


async def test_an_order_cancelled_after_its_payment_is_a_case(counter: Counter) -> None:
    await counter.deliver(reserved())
    await counter.paid()
    await counter.deliver(cancelled())
    await counter.deliver(cancelled())

    assert (await counter.charge()).status is ChargeStatus.PAID
    assert await counter.totals() == ("58.80", 1)


async def test_a_late_waiting_after_paid_is_refused_and_money_stays(counter: Counter) -> None:
    await counter.deliver(reserved())
    paid = await counter.paid()
    counter.provider.change(paid.id, ProviderStatus.WAITING)
    await counter.deliver(counter.notified(paid))

    assert (await counter.charge()).status is ChargeStatus.PAID
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]


async def test_a_customers_charge_names_the_customers_address_and_a_guests_the_shops(
    counter: Counter,
) -> None:
    counter.provider.is_down = True
    await counter.deliver(registered(MARIA))
    for order, customer in (("order-1", MARIA), ("order-2", None)):
        with pytest.raises(RetryLater):
            await counter.deliver(reserved(OrderId(order), customer_id=customer))

    requests = [(await counter.charge(OrderId(f"order-{n}"))).request or b"" for n in (1, 2)]
    assert b"maria@example.com" in requests[0]
    assert b"pix@lanchonete-da-ana.example" in requests[1]


async def test_a_customer_who_was_erased_stays_forgotten(counter: Counter) -> None:
    await counter.deliver(registered(MARIA))
    await counter.deliver(registered(MARIA, "maria@new.example.com"))
    known = await counter.payments.payer_email(SHOP, MARIA)
    await counter.deliver(erased(MARIA))
    await counter.deliver(registered(MARIA))

    assert known == "maria@new.example.com"
    assert await counter.payments.payer_email(SHOP, MARIA) is None
    assert await counter.payments.payer_email(SHOP, CustomerId("nobody")) is None
