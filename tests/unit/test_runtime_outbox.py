"""The relay sends in chunks, one by one, and forgets what is out; a sweep tells how it stands."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from workers.runtime.outbox import (
    INBOX_AGE,
    SWEEP_AGE,
    SWEEP_BATCH,
    Relay,
    count_swept,
    tell_oldest,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def envelopes(count: int) -> list[Envelope]:
    event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId("o"))
    return [seal(event, now=NOW) for _ in range(count)]


class GatedPublisher:
    """A topic that takes nothing until its gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.batches: list[int] = []
        self.under_way = self.most_under_way = 0

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.batches.append(len(envelopes))
        await self.gate.wait()
        self.under_way -= 1


class Forgetter:
    """A store that remembers what it was told to forget."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.called = asyncio.Event()

    async def __call__(self, ids: Sequence[str]) -> None:
        self.calls.append(len(ids))
        self.called.set()


def cleaners() -> int:
    return sum(task.get_name() == "relay-cleaner" for task in asyncio.all_tasks())


def test_a_sweep_leaves_fresh_rows_alone_and_an_inbox_outlives_queue_and_dead_letters() -> None:
    assert (timedelta(seconds=5), 100, timedelta(days=30)) == (SWEEP_AGE, SWEEP_BATCH, INBOX_AGE)


async def test_a_relay_sends_a_hundred_at_a_time_and_one_batch_after_the_other() -> None:
    publisher, forget = GatedPublisher(), Forgetter()
    relay = Relay(publisher, forget=forget)

    for _ in range(2):
        relay.hand_over(envelopes(101))
        await asyncio.sleep(0)
    publisher.gate.set()
    await relay.drain()

    assert (publisher.batches, publisher.most_under_way) == ([100, 100, 2], 1)
    assert sum(forget.calls) == 202


async def test_what_is_out_is_forgotten_by_itself_by_one_cleaner() -> None:
    publisher, forget = GatedPublisher(), Forgetter()
    publisher.gate.set()
    relay = Relay(publisher, forget=forget)

    async with asyncio.timeout(3):
        for sent in range(3):
            relay.hand_over(envelopes(1))
            while len(publisher.batches) < sent + 1 or publisher.under_way:
                await asyncio.sleep(0)
        at_work = cleaners()
        await forget.called.wait()

    assert (at_work, forget.calls) == (1, [3])


async def test_nothing_is_forgotten_where_nothing_went_out() -> None:
    forget = Forgetter()

    await Relay(GatedPublisher(), forget=forget).drain()

    assert forget.calls == []


@pytest.mark.parametrize(("ages", "oldest"), [((3, 9, 6), 9.0), ((), 0.0)])
def test_a_sweep_tells_the_age_of_the_oldest(ages: tuple[int, ...], oldest: float) -> None:
    tell_oldest((NOW - timedelta(seconds=age) for age in ages), now=NOW)

    assert REGISTRY.get_sample_value("comanda_outbox_oldest_seconds") == oldest


def test_a_sweep_counts_what_it_saved() -> None:
    before = REGISTRY.get_sample_value("comanda_outbox_swept_total") or 0.0

    told = count_swept(3)

    assert (told, REGISTRY.get_sample_value("comanda_outbox_swept_total")) == (3, before + 3)
