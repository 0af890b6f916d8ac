"""Races of a stop with a poll, a delete, a pause: nothing in hand is lost, nobody is waited for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryQueue
from comanda.messaging.ports import Message, MessagingUnavailable
from workers.runtime.consumer import Consumer, ConsumerLimits, Handler
from workers.runtime.errors import RetryLater, StoreUnavailable

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONG = ConsumerLimits(window=8, receivers=2, wait=timedelta(seconds=20))
AT_ONCE = 2.0


class Queue(InMemoryQueue):
    """A queue whose answers a test can hold back or refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, asyncio.Event] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.down: set[str] = set()

    def hold(self, name: str) -> asyncio.Event:
        """Hold calls of this name until the event is set."""
        self.asked[name] = asyncio.Event()
        self.held[name] = asyncio.Event()
        return self.held[name]

    async def _meet(self, name: str) -> None:
        if name in self.held:
            self.asked[name].set()
            await self.held[name].wait()
        if name in self.down:
            raise MessagingUnavailable("down")

    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        await self._meet("receive")
        return await super().receive(limit=limit, wait=wait)

    async def delete(self, messages: Sequence[Message]) -> None:
        await self._meet("delete")
        await super().delete(messages)

    async def extend(self, messages: Sequence[Message], *, duration: timedelta) -> None:
        await self._meet("extend")
        await super().extend(messages, duration=duration)


def paid(number: int = 1) -> str:
    event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId(str(number)))
    return seal(event, now=NOW).to_json()


async def fine(_: Envelope) -> None:
    return None


@asynccontextmanager
async def stopped_at_once(
    queue: Queue, handler: Handler = fine, *, within: float = AT_ONCE
) -> AsyncIterator[Consumer]:
    """Run a consumer, and demand that it is gone soon after the body, which stops it."""
    subject = Consumer(queue, {OrderPaid: handler}, context="orders", limits=LONG)
    task = asyncio.create_task(subject.run())
    yield subject
    await asyncio.wait_for(task, within)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_stop_abandons_a_long_poll() -> None:
    queue = Queue()
    queue.hold("receive")

    async with stopped_at_once(queue) as subject:
        await queue.asked["receive"].wait()
        subject.stop()


async def test_a_stop_waits_for_a_delete_that_is_under_way() -> None:
    queue = Queue()
    release = queue.hold("delete")
    queue.send(paid())

    async with stopped_at_once(queue) as subject:
        await queue.asked["delete"].wait()
        subject.stop()
        asyncio.get_running_loop().call_later(0.1, release.set)

    assert queue.depth == 0
    assert queue.hidden == {}


async def test_a_stop_flushes_deletes_that_still_linger() -> None:
    queue = Queue()
    queue.send(paid())
    done = asyncio.Event()

    async def handler(_: Envelope) -> None:
        done.set()

    async with stopped_at_once(queue, handler) as subject:
        await done.wait()
        subject.stop()

    assert queue.depth == 0


async def test_a_delete_that_fails_during_a_stop_only_means_that_the_message_comes_again() -> None:
    queue = Queue()
    queue.down.add("delete")
    release = queue.hold("delete")
    queue.send(paid())

    async with stopped_at_once(queue) as subject:
        await queue.asked["delete"].wait()
        subject.stop()
        release.set()

    assert queue.depth == 1


async def test_a_stop_does_not_wait_for_the_pause_after_a_failed_receive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paused = asyncio.Event()

    def long_pause(_: int) -> timedelta:
        paused.set()
        return timedelta(minutes=2)

    monkeypatch.setattr("workers.runtime.receiving.backoff", long_pause)
    queue = Queue()
    queue.down.add("receive")

    async with stopped_at_once(queue) as subject:
        await paused.wait()
        subject.stop()


async def test_a_stop_does_not_wait_for_a_store_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paused = asyncio.Event()

    def long_pause(_: int) -> timedelta:
        paused.set()
        return timedelta(minutes=2)

    monkeypatch.setattr("workers.runtime.consumer.backoff", long_pause)
    queue = Queue()
    queue.send(paid(), message_id="m")

    async def handler(_: Envelope) -> None:
        raise StoreUnavailable

    async with stopped_at_once(queue, handler) as subject:
        await paused.wait()
        subject.stop()

    assert queue.hidden["m"] == timedelta()
    assert queue.depth == 1


async def test_a_message_that_backs_off_is_not_handed_back_before_its_time() -> None:
    queue = Queue()
    queue.send(paid(), message_id="m")

    async def handler(_: Envelope) -> None:
        raise RetryLater(timedelta(seconds=90))

    async with stopped_at_once(queue, handler) as subject:
        await until(lambda: queue.hidden)
        subject.stop()

    assert queue.hidden == {"m": timedelta(seconds=90)}


@pytest.mark.parametrize("turns", range(8))
async def test_an_answer_that_arrives_while_stopping_is_finished_or_comes_back(turns: int) -> None:
    queue = Queue()
    release = queue.hold("receive")
    effects: list[str] = []

    async def handler(envelope: Envelope) -> None:
        effects.append(envelope.id)

    for number in range(5):
        queue.send(paid(number))
    async with stopped_at_once(queue, handler) as subject:
        await queue.asked["receive"].wait()
        release.set()
        # The stop meets the answer at each turn of the loop that it takes to get in hand.
        for _ in range(turns):
            await asyncio.sleep(0)
        subject.stop()

    assert len(queue.deleted) == len(effects)
    assert len(effects) + queue.depth == 5


async def test_a_stop_in_the_moment_of_the_start_is_heard() -> None:
    queue = Queue()
    queue.send(paid())

    async with stopped_at_once(queue) as subject:
        subject.stop()

    assert queue.depth == 1


async def test_a_second_stop_does_not_wait_for_a_delete() -> None:
    queue = Queue()
    queue.hold("delete")
    queue.send(paid(), message_id="m")

    async with stopped_at_once(queue) as subject:
        await queue.asked["delete"].wait()
        subject.stop()
        subject.stop()

    # It was handled, so whoever gets it next finds it in the inbox.
    assert queue.hidden["m"] == timedelta()


@pytest.mark.parametrize("fault", ["hangs", "refuses"])
async def test_a_queue_that_will_not_take_back_keeps_nobody(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runtime.consumer._LONGEST_HANDING_BACK", 0.2)
    queue = Queue()
    queue.send(paid())
    started = asyncio.Event()

    async def handler(_: Envelope) -> None:
        started.set()
        await asyncio.Event().wait()

    async with stopped_at_once(queue, handler) as subject:
        await started.wait()
        if fault == "hangs":
            queue.hold("extend")
        else:
            queue.down.add("extend")
        subject.stop()
        subject.stop()

    assert queue.depth == 1


async def test_a_third_stop_changes_nothing() -> None:
    queue = Queue()
    queue.send(paid(), message_id="m")
    started = asyncio.Event()

    async def handler(_: Envelope) -> None:
        started.set()
        await asyncio.Event().wait()

    async with stopped_at_once(queue, handler) as subject:
        await started.wait()
        for _ in range(3):
            subject.stop()

    assert queue.hidden["m"] == timedelta()
