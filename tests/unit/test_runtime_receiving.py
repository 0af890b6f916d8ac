"""Who polls, how many, and who waits: the window, the receivers and the heartbeat."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryQueue
from comanda.messaging.ports import Message, MessagingUnavailable
from workers.runtime.consumer import Consumer, ConsumerLimits, Handler
from workers.runtime.errors import StoreUnavailable
from workers.runtime.heartbeat import Heartbeat
from workers.runtime.receiving import Receivers
from workers.runtime.window import Window

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONG = timedelta(seconds=20)


def message(number: int) -> Message:
    return Message(id=str(number), body="", receipt=f"r{number}", receive_count=1)


class ScriptedQueue:
    """A queue that gives so many messages at each receive, and then waits for ever."""

    def __init__(self, *script: int | Exception) -> None:
        self.script = list(script)
        self.asked: list[int] = []
        self.waiting = 0
        self.most_waiting = 0
        self.idle = asyncio.Event()

    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        assert wait == LONG
        self.asked.append(limit)
        self.waiting += 1
        self.most_waiting = max(self.waiting, self.most_waiting)
        try:
            await asyncio.sleep(0)
            if not self.script:
                self.idle.set()
                await asyncio.Event().wait()
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            return [message(n) for n in range(min(step, limit))]
        finally:
            self.waiting -= 1


@asynccontextmanager
async def receiving(queue: ScriptedQueue, *, size: int, most: int = 4) -> AsyncIterator[Receivers]:
    window, gate = Window(size), asyncio.Event()
    gate.set()
    receivers = Receivers(
        queue,  # type: ignore[arg-type]  # Receivers only receive.
        window=window,
        accept=lambda _: asyncio.get_running_loop().call_soon(window.give_back),
        gate=gate,
        most=most,
        wait=LONG,
    )
    task = asyncio.create_task(receivers.run())
    try:
        yield receivers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_idle_queue_has_one_receiver_and_one_long_poll() -> None:
    queue = ScriptedQueue()
    async with receiving(queue, size=64) as receivers:
        await queue.idle.wait()
        await asyncio.sleep(0.05)
        # One request that waits 20 s is three requests a minute.
        assert queue.asked == [10]
        assert receivers.count == 1


async def test_full_answers_call_more_receivers_up_to_the_most() -> None:
    queue = ScriptedQueue(*[10] * 40)
    async with receiving(queue, size=200) as receivers:
        await queue.idle.wait()
        assert receivers.count == queue.most_waiting == 4


async def test_a_trickle_calls_nobody() -> None:
    queue = ScriptedQueue(*[1] * 40)
    async with receiving(queue, size=200) as receivers:
        await queue.idle.wait()
        assert receivers.count == queue.most_waiting == 1


async def test_receivers_leave_one_by_one_when_answers_come_back_empty() -> None:
    queue = ScriptedQueue(10, 10, 10, *[0] * 40)
    async with receiving(queue, size=200) as receivers:
        await queue.idle.wait()
        assert queue.most_waiting > 1
        assert receivers.count == 1


async def test_nobody_asks_for_more_than_there_is_room() -> None:
    queue = ScriptedQueue(*[10] * 20)
    async with receiving(queue, size=7):
        await queue.idle.wait()
        assert max(queue.asked) <= 7


async def test_a_receive_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.runtime.receiving.backoff", lambda _: timedelta())
    queue = ScriptedQueue(MessagingUnavailable("down"), MessagingUnavailable("down"), 1)
    async with receiving(queue, size=5):
        await queue.idle.wait()
        assert len(queue.asked) == 4


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


async def test_a_place_that_frees_wakes_whoever_waited_first() -> None:
    window = Window(1)
    assert await window.take(10) == 1
    first, second = (asyncio.create_task(window.take(10)) for _ in range(2))
    await asyncio.sleep(0)
    window.give_back()
    assert await asyncio.wait_for(first, 1) == 1
    assert not second.done()
    window.give_back()
    assert await asyncio.wait_for(second, 1) == 1


async def test_a_place_given_to_someone_who_left_goes_to_the_next() -> None:
    window = Window(1)
    await window.take(1)
    first, second = (asyncio.create_task(window.take(1)) for _ in range(2))
    await asyncio.sleep(0)
    window.give_back()
    first.cancel()
    assert await asyncio.wait_for(second, 1) == 1
    assert window.free == 0


class Extending:
    def __init__(self) -> None:
        self.extended: list[str] = []
        self.is_down = False

    async def extend(self, messages: Sequence[Message], *, duration: timedelta) -> None:
        if self.is_down:
            raise MessagingUnavailable("down")
        self.extended += [each.id for each in messages]


@asynccontextmanager
async def beating(queue: Extending, *, longest: float) -> AsyncIterator[Heartbeat]:
    heartbeat = Heartbeat(
        queue,  # type: ignore[arg-type]  # A heartbeat only extends.
        visibility=timedelta(seconds=0.06),
        longest=timedelta(seconds=longest),
    )
    task = asyncio.create_task(heartbeat.run())
    try:
        yield heartbeat
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_is_let_go_is_extended_no_more() -> None:
    queue = Extending()
    async with beating(queue, longest=10) as heartbeat:
        heartbeat.hold(message(1))
        heartbeat.hold(message(2))
        heartbeat.let_go(message(1))
        await asyncio.sleep(0.2)
    assert set(queue.extended) == {"2"}


async def test_the_hard_cap_ends_the_extending() -> None:
    queue = Extending()
    async with beating(queue, longest=0.1) as heartbeat:
        heartbeat.hold(message(1))
        await asyncio.sleep(0.15)
        so_far = len(queue.extended)
        await asyncio.sleep(0.2)
    assert 1 <= len(queue.extended) == so_far


async def test_a_beat_that_fails_is_made_up_for_by_the_next() -> None:
    queue = Extending()
    queue.is_down = True
    async with beating(queue, longest=10) as heartbeat:
        heartbeat.hold(message(1))
        await asyncio.sleep(0.08)
        queue.is_down = False
        await asyncio.sleep(0.08)
    assert queue.extended


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
