"""An outage and a stop lose nothing: what is in hand stays or is handed back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryQueue
from comanda.messaging.ports import Message
from workers.runtime.consumer import Consumer, ConsumerLimits, Handler
from workers.runtime.errors import StoreUnavailable
from workers.runtime.receiving import Receivers
from workers.runtime.window import Window

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONG = timedelta(seconds=20)


class SlowAnswer:
    """A queue whose one answer is under way for a while, and may come with a cancellation."""

    def __init__(self, queue: InMemoryQueue, *, seconds: float, swallows: bool = False) -> None:
        self._queue = queue
        self._seconds = seconds
        self._swallows = swallows
        self.asked = asyncio.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._queue, name)

    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        if self.asked.is_set():
            await asyncio.Event().wait()
        messages = await self._queue.receive(limit=limit, wait=wait)
        self.asked.set()
        try:
            await asyncio.sleep(self._seconds)
        except asyncio.CancelledError:
            if not self._swallows:
                raise
        return messages


async def test_an_answer_under_way_at_a_stop_is_handed_back() -> None:
    queue, begun = InMemoryQueue(), []
    for number in range(10):
        queue.send(paid(number))
    slow = SlowAnswer(queue, seconds=0.2)

    async def handle(envelope: Envelope) -> None:
        begun.append(envelope.id)

    async with consuming(slow, handle, window=20):  # type: ignore[arg-type]
        await slow.asked.wait()
    assert begun == []
    assert len(queue.hidden) == 10
    assert set(queue.hidden.values()) == {timedelta()}


async def test_a_full_answer_that_comes_with_the_end_calls_nobody() -> None:
    queue = InMemoryQueue()
    for number in range(10):
        queue.send(paid(number))
    slow = SlowAnswer(queue, seconds=60, swallows=True)
    window, gate, accepted = Window(40), asyncio.Event(), []
    gate.set()
    receivers = Receivers(
        slow,  # type: ignore[arg-type]  # Receivers only receive.
        window=window,
        accept=accepted.append,
        gate=gate,
        most=4,
        wait=LONG,
    )
    task = asyncio.create_task(receivers.run())
    await slow.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert len(accepted) == 10
    assert receivers.count == 1


class Store:
    """A handler's store that is away until it is back."""

    def __init__(self) -> None:
        self.is_away = True
        self.tries = 0
        self.effects: list[str] = []

    async def handle(self, envelope: Envelope) -> None:
        self.tries += 1
        if self.is_away:
            raise StoreUnavailable
        self.effects.append(envelope.event.subject)


def paid(number: int) -> str:
    event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId(str(number)))
    return seal(event, now=NOW).to_json()


@asynccontextmanager
async def consuming(
    queue: InMemoryQueue, handler: Handler, *, window: int = 3
) -> AsyncIterator[Consumer]:
    limits = ConsumerLimits(window=window, wait=timedelta(seconds=0.2), grace=timedelta(seconds=5))
    subject = Consumer(queue, {OrderPaid: handler}, context="orders", limits=limits)
    task = asyncio.create_task(subject.run())
    try:
        yield subject
    finally:
        subject.stop()
        await asyncio.wait_for(task, 10)


async def test_a_store_that_is_away_slows_receiving_and_fails_no_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.runtime.consumer.backoff", lambda _: timedelta(milliseconds=10))
    queue, store = InMemoryQueue(), Store()
    for number in range(20):
        queue.send(paid(number))
    async with consuming(queue, store.handle):
        while store.tries < 30:
            await asyncio.sleep(0.01)
        # Three are in hand and stay there; nobody asked for the other seventeen.
        assert queue.depth == 20
        assert queue.hidden == {}
        store.is_away = False
        while queue.depth:
            await asyncio.sleep(0.01)
    assert sorted(map(int, store.effects)) == list(range(20))
    assert queue.dead == []


async def test_a_stop_during_an_outage_hands_everything_back() -> None:
    queue, store = InMemoryQueue(), Store()
    for number in range(3):
        queue.send(paid(number), message_id=str(number))
    async with consuming(queue, store.handle):
        while not store.tries:
            await asyncio.sleep(0.01)
    assert set(queue.hidden.values()) == {timedelta()}
    assert queue.depth == 3


async def test_what_is_not_begun_at_a_stop_is_handed_back_at_once() -> None:
    queue = InMemoryQueue()
    started, may_end = asyncio.Event(), asyncio.Event()
    begun: list[str] = []

    async def handler(envelope: Envelope) -> None:
        begun.append(envelope.id)
        started.set()
        await may_end.wait()

    for _ in range(3):
        queue.send(paid(1))
    async with consuming(queue, handler):
        await started.wait()
        asyncio.get_running_loop().call_later(0.1, may_end.set)
    assert len(begun) == 1
    assert len(queue.deleted) == 1
    assert queue.depth == 2
    assert set(queue.hidden.values()) == {timedelta()}


async def test_a_second_stop_hands_back_what_is_in_hand() -> None:
    queue = InMemoryQueue()
    started = asyncio.Event()

    async def handler(_: Envelope) -> None:
        started.set()
        await asyncio.Event().wait()

    queue.send(paid(1), message_id="m")
    loop = asyncio.get_running_loop()
    async with consuming(queue, handler) as subject:
        await started.wait()
        began = loop.time()
        subject.stop()
        subject.stop()
    assert queue.hidden == {"m": timedelta()}
    assert loop.time() - began < 4  # The grace period alone is five seconds.
