"""Refunds and cancellations at the provider: when they are needless, looked for, or put off."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from comanda.ids import ChargeId, OrderId
from comanda.mercadopago.values import RefundState
from comanda.money import Money
from tests.payments_builders import ORDER, SHOP, Counter, cancelled, memory_counter, reserved
from workers.payments.attempts import Attempt, AttemptStatus
from workers.payments.errands import BATCH, run_errands
from workers.payments.memory_provider import InMemoryProvider
from workers.payments.model import Charge, ChargeStatus, ProviderStatus, RefundFact
from workers.payments.operators import RefundWish, refund_by_operator
from workers.payments.provider import ProviderUnavailable

HOUR = timedelta(hours=1)
AN_INSTANT = timedelta(microseconds=1)


@pytest.fixture
def counter() -> Counter:
    return memory_counter()


class HurriedProvider(InMemoryProvider):
    """A provider that brings a refund to its end right after it said "in process"."""

    async def refund(self, attempt: Attempt, *, charge: Charge) -> Sequence[RefundFact]:
        said = await super().refund(attempt, charge=charge)
        self.finish_refunds(RefundState.DONE)
        return said


class BusyProvider(InMemoryProvider):
    """A provider that asks for patience."""

    patience: timedelta

    async def refund(self, attempt: Attempt, *, charge: Charge) -> Sequence[RefundFact]:
        if self.faults.is_down:
            raise ProviderUnavailable("too many requests", retry_after=self.patience)
        return await super().refund(attempt, charge=charge)


async def paid_for(counter: Counter, order: OrderId = ORDER) -> Charge:
    await counter.deliver(reserved(order))
    return await counter.paid(order)


async def asked_back(counter: Counter, amount: str, *, key: str = "k-1") -> None:
    wish = RefundWish(
        shop_id=SHOP,
        charge_id=(await counter.charge()).id,
        key=key,
        amount=Money.parse(amount),
        reason="cold",
        by="ana",
    )
    await refund_by_operator(wish, payments=counter.payments)


async def attempts(counter: Counter) -> Sequence[Attempt]:
    return await counter.reader.attempts_of(SHOP, (await counter.charge()).id)


async def test_fifty_attempts_are_carried_on_with_at_a_time(counter: Counter) -> None:
    for n in range(BATCH + 1):
        await paid_for(counter, OrderId(f"order-{n}"))
        await counter.deliver(cancelled(OrderId(f"order-{n}")))

    turns = [await run_errands(counter.desk) for _ in range(3)]

    assert turns == [50, 1, 0]


async def test_a_charge_that_waits_no_more_is_not_cancelled(counter: Counter) -> None:
    await counter.deliver(reserved())
    await counter.deliver(cancelled())
    await counter.paid()

    await run_errands(counter.desk)

    (cancel, _) = await attempts(counter)
    assert counter.provider.calls.cancels == 0
    assert (cancel.status, cancel.detail) == (AttemptStatus.DONE, "the charge is PAID_LATE")
    assert (cancel.next_try_at, cancel.request) == (None, None)
    assert cancel.settled_at is not None


async def test_what_was_paid_back_in_the_panel_meanwhile_is_not_paid_back_again(
    counter: Counter,
) -> None:
    charge = await paid_for(counter)
    await asked_back(counter, "10.00")
    counter.provider.refund_from_panel(charge.id, Money.parse("48.81"))
    await counter.deliver(counter.notified(charge))

    await run_errands(counter.desk)

    (refund,) = await attempts(counter)
    assert counter.provider.calls.refunds == 0
    assert (refund.status, refund.detail) == (AttemptStatus.DONE, "only 9.99 is left")


async def test_bytes_and_their_instant_are_stored_before_the_first_call(counter: Counter) -> None:
    await paid_for(counter)
    await asked_back(counter, "10.00")
    counter.provider.faults.is_down = True
    before = counter.clock.now

    await run_errands(counter.desk)

    (refund,) = await attempts(counter)
    assert refund.status is AttemptStatus.SENT
    assert refund.request is not None
    assert refund.sent_at is not None
    assert before < refund.sent_at < counter.clock.now


@pytest.mark.parametrize(("age", "calls"), [(HOUR, 2), (HOUR + AN_INSTANT, 1)])
async def test_a_key_is_trusted_for_an_hour_and_then_the_refund_is_looked_for_first(
    counter: Counter, age: timedelta, calls: int
) -> None:
    await paid_for(counter)
    await asked_back(counter, "10.00")
    counter.provider.faults.lost_answers = 1
    await run_errands(counter.desk)
    sent_at: datetime = (await attempts(counter))[0].sent_at or counter.clock.now
    counter.desk = replace(counter.desk, clock=lambda: sent_at + age)
    counter.clock.now += HOUR

    await run_errands(counter.desk)

    (refund,) = await attempts(counter)
    assert counter.provider.calls.refunds == calls
    assert (refund.status, refund.provider_refund_id) == (AttemptStatus.DONE, "RF1")
    assert await counter.balance() == ("58.80", "10.00", "0.00")


async def test_a_refund_that_is_over_by_the_next_look_is_over(counter: Counter) -> None:
    hurried = HurriedProvider(clock=counter.clock)
    counter.provider, counter.desk = hurried, replace(counter.desk, provider=hurried)
    counter.provider.faults.refund_state = RefundState.IN_PROCESS
    await paid_for(counter)
    await asked_back(counter, "10.00")

    await run_errands(counter.desk)

    (refund,) = await attempts(counter)
    assert refund.status is AttemptStatus.DONE


async def test_a_refund_of_an_order_that_is_out_of_sight_ends_by_its_own_list(
    counter: Counter,
) -> None:
    charge = await paid_for(counter)
    await asked_back(counter, "10.00")
    # Another account's orders are not there for us, and their refunds still are in the list.
    made = counter.provider.orders[charge.id]
    counter.provider.orders[charge.id] = replace(made, provider_id="SOMEBODY-ELSES")

    await run_errands(counter.desk)

    (refund,) = await attempts(counter)
    assert (refund.status, await counter.balance()) == (
        AttemptStatus.DONE,
        ("58.80", "0.00", "0.00"),
    )


async def test_the_ledger_tells_our_own_refunds_from_those_of_people_and_from_cancellations(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.faults.before_cancel = lambda _: (
        counter.provider.change(charge.id, ProviderStatus.PAID) and None
    )
    await counter.deliver(cancelled())

    await counter.settle()

    lines = await counter.reader.ledger(SHOP, ChargeId(charge.id))
    assert [(line.entry.kind.value, line.source) for line in lines] == [
        ("charged", "cancellation"),
        ("refunded", "refund"),
    ]
    assert (await counter.charge()).status is ChargeStatus.REFUNDED


@pytest.mark.parametrize(
    ("patience", "pause"),
    [(timedelta(), timedelta(seconds=4)), (timedelta(minutes=2), timedelta(minutes=2))],
)
async def test_a_refund_is_put_off_as_long_as_the_provider_asks_and_the_others_are_left_alone(
    counter: Counter, patience: timedelta, pause: timedelta
) -> None:
    busy = BusyProvider(clock=counter.clock)
    busy.patience = patience
    counter.provider, counter.desk = busy, replace(counter.desk, provider=busy)
    await paid_for(counter)
    await asked_back(counter, "10.00", key="done")
    await run_errands(counter.desk)
    counter.provider.faults.is_down = True
    await asked_back(counter, "20.00", key="earlier")
    await run_errands(counter.desk)
    before = (await attempts(counter))[1].next_try_at
    await asked_back(counter, "5.00", key="later")
    began = counter.clock.now

    await run_errands(counter.desk)

    done, earlier, later = await attempts(counter)
    assert (done.status, done.next_try_at) == (AttemptStatus.DONE, None)
    assert earlier.next_try_at == before
    assert later.next_try_at is not None
    # The clock moves by some milliseconds in each turn.
    assert began + pause < later.next_try_at <= counter.clock.now + pause
