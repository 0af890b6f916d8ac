"""When a message is retried and when its charge is left to its own schedule, to the instant."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from comanda.envelope import seal
from comanda.ids import OrderId
from tests.payments_builders import (
    NOW,
    SHOP,
    Counter,
    creating,
    memory_counter,
    notification,
    quarantined,
    reserved,
    waiting,
)
from workers.payments.creation import send
from workers.payments.memory import InMemoryPayments
from workers.payments.model import Charge, ChargeStatus, ProviderStatus
from workers.payments.reconciliation import BATCH, reconcile
from workers.runtime.errors import RetryLater


class RestoredPayments(InMemoryPayments):
    """A store that lost a charge to a restore after it was claimed."""

    async def claim_due(self, *, limit: int) -> Sequence[Charge]:
        return [waiting()][:limit]


AN_INSTANT = timedelta(microseconds=1)


@pytest.fixture
def counter() -> Counter:
    return memory_counter()


async def verdicts(counter: Counter, resource_id: str) -> list[str]:
    return [note.verdict for note in await counter.reader.notifications(SHOP, resource_id)]


async def test_a_creation_is_retried_by_its_message_for_thirty_seconds(counter: Counter) -> None:
    counter.provider.faults.is_down = True
    message = seal(reserved(), now=NOW)
    with pytest.raises(RetryLater):
        await counter.deliver(message.event, message=message)
    begun = (await counter.charge()).created_at
    counter.desk = replace(counter.desk, clock=lambda: begun + timedelta(seconds=30) - AN_INSTANT)
    with pytest.raises(RetryLater):
        await counter.deliver(message.event, message=message)
    counter.desk = replace(counter.desk, clock=lambda: begun + timedelta(seconds=30))

    await counter.deliver(message.event, message=message)

    charge = await counter.charge()
    assert (charge.status, charge.next_check_at is not None) == (ChargeStatus.CREATING, True)


async def test_an_answer_for_a_row_that_a_restore_took_away_is_asked_for_again(
    counter: Counter,
) -> None:
    with pytest.raises(RetryLater):
        await send(creating(), desk=counter.desk)

    assert await counter.sent() == []


async def test_a_notification_is_retried_for_a_minute(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.faults.is_down = True
    message = seal(counter.notified(charge), now=NOW)
    told = counter.clock.now
    counter.desk = replace(counter.desk, clock=lambda: told + timedelta(minutes=1) - AN_INSTANT)
    with pytest.raises(RetryLater):
        await counter.deliver(message.event, message=message)
    counter.desk = replace(counter.desk, clock=lambda: told + timedelta(minutes=1))

    await counter.deliver(message.event, message=message)

    assert await verdicts(counter, charge.provider_id or "") == ["left_to_reconciliation"]


@pytest.mark.parametrize("topic", ["order", "orders"])
async def test_both_spellings_of_an_orders_topic_are_read(counter: Counter, topic: str) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, ProviderStatus.PAID)
    assert charge.provider_id is not None

    await counter.deliver(notification(charge.provider_id, at=counter.clock(), topic=topic))

    assert (await counter.charge()).status is ChargeStatus.PAID


@pytest.mark.parametrize("topic", ["payment", "payments"])
async def test_both_spellings_of_a_payments_topic_are_read(counter: Counter, topic: str) -> None:
    await counter.deliver(reserved())
    await counter.paid()
    second = counter.provider.pay_again((await counter.charge()).id)

    await counter.deliver(notification(second.provider_id, at=counter.clock(), topic=topic))

    assert await counter.kinds() == ["second_payment"]


async def test_a_topic_of_no_money_is_noted_and_nothing_is_read(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    assert charge.provider_id is not None

    await counter.deliver(
        notification(charge.provider_id, at=counter.clock(), topic="merchant_order")
    )

    assert await verdicts(counter, charge.provider_id) == ["other_topic"]
    assert counter.provider.calls.fetches == 0


@pytest.mark.parametrize(
    ("after", "verdict"),
    [(timedelta(seconds=10) - AN_INSTANT, "throttled"), (timedelta(seconds=10), "unchanged")],
)
async def test_an_unverified_sender_has_a_charge_read_once_in_ten_seconds(
    counter: Counter, after: timedelta, verdict: str
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    assert charge.fetch_began_at is not None
    assert charge.provider_id is not None
    told = seal(quarantined(charge.provider_id), now=charge.fetch_began_at + after)

    await counter.deliver(told.event, message=told)

    assert await verdicts(counter, charge.provider_id) == [verdict]


async def test_a_hundred_charges_are_asked_about_at_a_time(counter: Counter) -> None:
    for n in range(BATCH + 1):
        await counter.deliver(reserved(OrderId(f"order-{n}")))
    counter.clock.now += timedelta(minutes=1)

    asked = []
    for _ in range(3):
        await reconcile(counter.desk)
        asked.append(counter.provider.calls.fetches)

    assert asked == [100, 101, 101]


async def test_a_provider_that_is_down_puts_a_check_off(counter: Counter) -> None:
    await counter.deliver(reserved())
    counter.provider.faults.is_down = True
    counter.clock.now += timedelta(minutes=1)

    corrected = await reconcile(counter.desk)

    charge = await counter.charge()
    assert (corrected, charge.status) == (0, ChargeStatus.WAITING)
    assert charge.next_check_at is not None
    assert charge.next_check_at > counter.clock.now


async def test_a_charge_that_a_restore_took_away_is_not_judged(counter: Counter) -> None:
    restored = RestoredPayments(clock=counter.clock)
    desk = replace(counter.desk, payments=restored)

    corrected = await reconcile(desk)

    assert (corrected, restored.published, counter.provider.calls.fetches) == (0, [], 1)
