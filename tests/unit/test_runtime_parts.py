"""The small parts of the runtime: backoff, locks, validity, relay, coalescing."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.batches import Coalescer, chunks
from comanda.messaging.memory import InMemoryPublisher
from comanda.messaging.ports import MessagingUnavailable
from workers.runtime.backoff import backoff
from workers.runtime.keyed import KeyedLocks
from workers.runtime.outbox import Relay
from workers.runtime.validity import ValidityWindow

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def envelope(order: str = "o") -> Envelope:
    event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId(order))
    return seal(event, now=NOW)


@given(attempt=st.integers(min_value=-5, max_value=10_000))
def test_a_backoff_is_between_a_second_and_two_minutes(attempt: int) -> None:
    assert timedelta(seconds=1) <= backoff(attempt) <= timedelta(seconds=120)


def test_the_ceiling_of_the_backoff_doubles_with_each_attempt() -> None:
    ceilings = [backoff(n, jitter=1.0).total_seconds() for n in range(1, 10)]

    assert ceilings == [1, 2, 4, 8, 16, 32, 64, 120, 120]


async def test_one_key_is_held_by_one_task_at_a_time_in_order() -> None:
    locks = KeyedLocks()
    seen: list[str] = []

    async def hold(name: str) -> None:
        async with locks.hold("key"):
            seen.append(f"{name} in")
            await asyncio.sleep(0)
            seen.append(f"{name} out")

    await asyncio.gather(hold("a"), hold("b"))

    assert seen == ["a in", "a out", "b in", "b out"]
    assert len(locks) == 0


async def test_different_keys_do_not_wait_for_each_other() -> None:
    locks = KeyedLocks()

    async with locks.hold("a"), asyncio.timeout(1), locks.hold("b"):
        assert len(locks) == 2


def test_a_few_invalid_messages_among_many_valid_ones_are_sound() -> None:
    window = ValidityWindow()

    for number in range(1000):
        window.record(is_valid=number % 3 != 0)

    assert window.is_sound


def test_more_invalid_than_valid_is_unsound_for_good() -> None:
    window = ValidityWindow()

    for _ in range(20):
        window.record(is_valid=False)
    for _ in range(500):
        window.record(is_valid=True)

    assert not window.is_sound


class Forgetter:
    def __init__(self) -> None:
        self.forgotten: list[str] = []

    async def __call__(self, ids: Sequence[str]) -> None:
        self.forgotten.extend(ids)


async def test_the_relay_publishes_in_order_and_forgets() -> None:
    publisher, forget = InMemoryPublisher(), Forgetter()
    relay = Relay(publisher, forget=forget)
    sealed = [envelope(str(n)) for n in range(250)]

    relay.hand_over(sealed[:3])
    relay.hand_over(sealed[3:])
    await relay.drain()

    assert publisher.published == sealed
    assert forget.forgotten == [e.id for e in sealed]


async def test_what_the_relay_cannot_publish_stays_in_the_store() -> None:
    publisher, forget = InMemoryPublisher(), Forgetter()
    publisher.is_down = True
    relay = Relay(publisher, forget=forget)

    relay.hand_over([envelope()])
    await relay.drain()

    assert forget.forgotten == []


async def test_a_store_that_fails_to_forget_does_not_stop_the_relay() -> None:
    publisher = InMemoryPublisher()

    async def broken(_: Sequence[str]) -> None:
        raise ConnectionError("the store is gone")

    relay = Relay(publisher, forget=broken)
    relay.hand_over([envelope("a")])
    await relay.drain()
    relay.hand_over([envelope("b")])
    await relay.drain()

    assert [e.event.subject for e in publisher.published] == ["a", "b"]


@given(sizes=st.lists(st.integers(min_value=0, max_value=300_000), max_size=60))
def test_chunks_keep_all_items_in_order_within_both_limits(sizes: list[int]) -> None:
    result = list(chunks(sizes, size_of=lambda size: size))

    assert [size for chunk in result for size in chunk] == sizes
    assert all(len(chunk) <= 10 for chunk in result)
    assert all(sum(chunk) <= 250_000 or len(chunk) == 1 for chunk in result)


async def test_items_added_side_by_side_travel_together() -> None:
    sent: list[list[int]] = []

    async def send(batch: list[int]) -> None:
        sent.append(batch)

    coalescer: Coalescer[int] = Coalescer(send)
    await asyncio.gather(*(coalescer.add(n) for n in range(25)))

    assert [len(batch) for batch in sent] == [10, 10, 5]


async def test_whoever_added_an_item_learns_that_its_batch_failed() -> None:
    async def send(_: list[int]) -> None:
        raise MessagingUnavailable("down")

    coalescer: Coalescer[int] = Coalescer(send)

    with pytest.raises(MessagingUnavailable):
        await coalescer.add(1)
