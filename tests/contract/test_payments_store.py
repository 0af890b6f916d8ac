"""How an order is charged, once, whatever fails; run on memory and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from comanda.envelope import seal
from comanda.ids import CustomerId, OrderId
from comanda.money import ZERO
from tests.payments_builders import (
    NOW,
    ORDER,
    OTHER_SHOP,
    SHOP,
    Counter,
    cancelled,
    erased,
    registered,
    reserved,
)
from workers.payments.cases import CaseKind
from workers.payments.creation import create_charge
from workers.payments.handlers import register_payer
from workers.payments.memory_provider import InMemoryProvider
from workers.payments.model import ChargeStatus, ProviderFact, ProviderStatus
from workers.payments.provider import Prepared, ProviderUnavailable
from workers.payments.reconciliation import reconcile
from workers.runtime.errors import InvalidMessage, RetryLater

MARIA = CustomerId("maria")


class LockedOut(InMemoryProvider):
    """A provider whose credentials cannot be read."""

    async def prepare(self, *_: object, **__: object) -> Prepared:
        raise ProviderUnavailable("no credentials")


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

    assert counter.provider.calls.creates == 1
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
    counter.provider.faults.before_answer = crash
    with pytest.raises(ConnectionAbortedError):
        await counter.deliver(message.event, message=message)
    (made,) = counter.provider.orders.values()
    counter.provider.change(
        (await counter.charge()).id, ProviderStatus.PAID
    )  # Somebody scans the code that we do not know yet.
    counter.provider.faults.before_answer = None

    await counter.deliver(message.event, message=message)

    charge = await counter.charge()
    assert (counter.provider.calls.creates, len(counter.provider.orders)) == (2, 1)
    assert (charge.status, charge.provider_id) == (ChargeStatus.PAID, made.provider_id)
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]
    assert await counter.totals() == ("58.80", 0)


async def test_a_crash_without_a_redelivery_is_found_by_the_reconciliation(
    counter: Counter,
) -> None:
    async def crash(_: ProviderFact) -> None:
        raise ConnectionAbortedError

    counter.provider.faults.before_answer = crash
    with pytest.raises(ConnectionAbortedError):
        await counter.deliver(reserved())
    counter.provider.faults.before_answer = None

    too_early = await reconcile(counter.desk)
    counter.clock.now += timedelta(seconds=11)
    in_time = await reconcile(counter.desk)
    again = await reconcile(counter.desk)

    assert (too_early, in_time, again) == (0, 1, 0)
    assert (await counter.charge()).status is ChargeStatus.WAITING
    assert len(counter.provider.orders) == 1
    assert await counter.sent() == ["ChargeCreated"]


async def test_a_provider_that_is_down_keeps_message_and_charge_until_it_is_back(
    counter: Counter,
) -> None:
    counter.provider.faults.is_down = True
    message = seal(reserved(), now=NOW)
    for _ in range(3):
        with pytest.raises(RetryLater):
            await counter.deliver(message.event, message=message)
    before = await counter.charge()
    counter.provider.faults.is_down = False

    await counter.deliver(message.event, message=message)

    after = await counter.charge()
    assert (before.status, before.id) == (ChargeStatus.CREATING, after.id)
    assert after.status is ChargeStatus.WAITING
    assert await counter.sent() == ["ChargeCreated"]


async def test_a_long_outage_leaves_the_charge_to_the_reconciliation(counter: Counter) -> None:
    counter.provider.faults.is_down = True
    message = seal(reserved(), now=NOW)
    with pytest.raises(RetryLater):
        await counter.deliver(message.event, message=message)
    counter.clock.now += timedelta(seconds=31)
    await counter.deliver(message.event, message=message)
    failed = await reconcile(counter.desk)
    counter.provider.faults.is_down = False
    counter.clock.now += timedelta(minutes=3)

    corrected = await reconcile(counter.desk)

    assert (failed, corrected) == (0, 1)
    assert (await counter.charge()).status is ChargeStatus.WAITING


async def test_a_shop_whose_credentials_are_out_of_reach_keeps_its_message(
    counter: Counter,
) -> None:
    message = seal(reserved(), now=NOW)
    locked_out = replace(counter.desk, provider=LockedOut(clock=counter.clock))
    with pytest.raises(RetryLater):
        await create_charge(message, desk=locked_out)

    await counter.deliver(message.event, message=message)

    assert await counter.sent() == ["ChargeCreated"]


async def test_a_refused_charge_is_told_once(counter: Counter) -> None:
    counter.provider.faults.refusal = "invalid_total_amount"
    await counter.deliver(reserved())
    await counter.deliver(reserved())

    assert (await counter.charge()).status is ChargeStatus.REFUSED
    assert await counter.sent() == ["ChargeRefused"]


async def test_an_order_of_nothing_is_invalid(counter: Counter) -> None:
    with pytest.raises(InvalidMessage):
        await counter.deliver(reserved(total=ZERO))


async def test_a_key_that_the_provider_knows_otherwise_opens_a_case(counter: Counter) -> None:
    counter.provider.faults.is_down = True
    with pytest.raises(RetryLater):
        await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.faults.is_down = False
    await counter.provider.create(replace(charge, request=b"other"))

    await counter.deliver(reserved())

    assert (await counter.charge()).status is ChargeStatus.UNKNOWN
    (case,) = await counter.reader.open_cases(SHOP, limit=10)
    assert (case.kind, case.subject, case.order_id) == (CaseKind.KEY_REUSED, charge.id, ORDER)


async def test_only_what_may_have_to_be_sent_again_names_the_payer(counter: Counter) -> None:
    await counter.deliver(registered(MARIA))
    counter.provider.faults.is_down = True
    for order in ("order-1", "order-2"):
        with pytest.raises(RetryLater):
            await counter.deliver(reserved(OrderId(order), customer_id=MARIA))
    doubtful, unsent = [await counter.charge(OrderId(f"order-{n}")) for n in (1, 2)]
    counter.provider.faults.is_down = False
    await counter.provider.create(replace(doubtful, request=b"other"))
    await counter.deliver(reserved(OrderId("order-1"), customer_id=MARIA))
    await counter.deliver(erased(MARIA))
    between = [(await counter.charge(OrderId(f"order-{n}"))).request for n in (1, 2)]

    await counter.deliver(reserved(OrderId("order-2"), customer_id=MARIA))

    assert between == [
        counter.provider.without_payer(doubtful),
        # It may have been sent, so only the very same bytes make no second charge.
        unsent.request,
    ]
    assert b"maria@example.com" not in (between[0] or b"")
    assert (await counter.charge(OrderId("order-2"))).request is None


async def test_an_order_cancelled_before_its_reservation_is_never_charged(
    counter: Counter,
) -> None:
    await counter.deliver(cancelled())
    await counter.deliver(reserved())

    assert (counter.provider.calls.creates, await counter.sent()) == (0, [])
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


async def test_a_customers_charge_names_the_customers_address_and_a_guests_the_shops(
    counter: Counter,
) -> None:
    counter.provider.faults.is_down = True
    await counter.deliver(registered(MARIA))
    for order, customer in (("order-1", MARIA), ("order-2", None)):
        with pytest.raises(RetryLater):
            await counter.deliver(reserved(OrderId(order), customer_id=customer))

    requests = [(await counter.charge(OrderId(f"order-{n}"))).request or b"" for n in (1, 2)]
    assert b"maria@example.com" in requests[0]
    assert b"pix@lanchonete-da-ana.example" in requests[1]


async def test_an_address_that_was_told_before_does_not_come_back_over_a_newer_one(
    counter: Counter,
) -> None:
    first = seal(registered(MARIA), now=NOW)
    moved = seal(registered(MARIA, "maria@new.example.com"), now=NOW + timedelta(days=1))

    for message in (moved, first):
        await register_payer(message, desk=counter.desk)

    assert await counter.payments.payer_email(SHOP, MARIA) == "maria@new.example.com"


async def test_a_customer_who_was_erased_stays_forgotten(counter: Counter) -> None:
    await counter.deliver(registered(MARIA))
    await counter.deliver(registered(MARIA, "maria@new.example.com"))
    known = await counter.payments.payer_email(SHOP, MARIA)
    await counter.deliver(erased(MARIA))
    await counter.deliver(registered(MARIA))

    assert known == "maria@new.example.com"
    assert await counter.payments.payer_email(SHOP, MARIA) is None
    assert await counter.payments.payer_email(SHOP, CustomerId("nobody")) is None
