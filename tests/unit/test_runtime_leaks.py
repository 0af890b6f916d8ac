"""Nothing grows with the number of messages: tasks, places, locks, holds, memory."""

import asyncio
import gc
import logging
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryPublisher
from comanda.messaging.ports import Message, MessagingUnavailable
from workers.runtime.consumer import Consumer, ConsumerLimits
from workers.runtime.errors import AlreadyHandled, Conflict, RetryLater
from workers.runtime.outbox import Relay

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WARM, MORE = 3_000, 20_000
# A leak of one small object a message would be more than ten times this.
MOST_GROWTH = 100_000
LIMITS = ConsumerLimits(window=64, receivers=4, wait=timedelta(seconds=0.5))


class EndlessQueue:
    """Hand out as many messages as are allowed, and remember none; some deletes fail."""

    def __init__(self) -> None:
        self._numbers = count()
        self.allowed = 0
        self.settled = 0

    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        given = min(limit, self.allowed)
        self.allowed -= given
        await asyncio.sleep(0 if given else 0.01)
        return [self._message(next(self._numbers)) for _ in range(given)]

    async def delete(self, messages: Sequence[Message]) -> None:
        self.settled += len(messages)
        await asyncio.sleep(0)
        if self.settled % 7 == 0:
            raise MessagingUnavailable("the answer was lost")

    async def hide(self, message: Message, *, duration: timedelta) -> None:
        self.settled += 1

    async def extend(self, messages: Sequence[Message], *, duration: timedelta) -> None:
        await asyncio.sleep(0)

    async def reject(self, message: Message, *, reason: str) -> None:
        self.settled += 1

    async def settle(self, messages: int) -> None:
        """Let so many through, and wait for the last of them."""
        until = self.settled + messages
        self.allowed = messages
        while self.settled < until:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)

    def _message(self, number: int) -> Message:
        event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId(str(number // 3)))
        body = seal(event, now=NOW).to_json() if number % 50 else "garbage"
        return Message(id=str(number), body=body, receipt=f"r{number}", receive_count=1)


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Log nothing: pytest would keep every record, and that is what would grow."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def mixed(envelope: Envelope) -> None:
    """End in each way of the delivery table."""
    await asyncio.sleep(0)
    match int(envelope.event.subject) % 10:
        case 0:
            raise RetryLater(timedelta(seconds=1))
        case 1:
            raise AlreadyHandled
        case 2:
            raise Conflict


async def test_twenty_thousand_messages_leave_nothing_behind() -> None:
    queue = EndlessQueue()
    subject = Consumer(queue, {OrderPaid: mixed}, context="orders", limits=LIMITS)
    running = asyncio.create_task(subject.run())
    await queue.settle(WARM)
    tasks = len(asyncio.all_tasks())
    tracemalloc.start()
    try:
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        await queue.settle(MORE)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    held = (subject._in_hand, subject._locks, subject._heartbeat._held, subject._deletes._waiting)
    assert [len(each) for each in held] == [0, 0, 0, 0]
    assert len(asyncio.all_tasks()) <= tasks + LIMITS.receivers
    assert after - before < MOST_GROWTH

    subject.stop()
    await asyncio.wait_for(running, 5)

    assert subject._window.free == LIMITS.window
    assert not subject._deletes._sending
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_relay_keeps_nothing_of_what_it_published() -> None:
    class Forgetful(InMemoryPublisher):
        async def publish(self, envelopes: Sequence[Envelope]) -> None:
            self.is_down = not self.is_down
            if self.is_down:
                raise MessagingUnavailable("every other time")

    async def forget(ids: Sequence[str]) -> None:
        await asyncio.sleep(0)

    relay = Relay(Forgetful(), forget=forget)
    event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId("o"))
    for _ in range(200):
        relay.hand_over([seal(event, now=NOW) for _ in range(10)])
        await asyncio.sleep(0)
    await relay.drain()
    # Its housekeeper sleeps a last time, and finds nothing.
    await asyncio.wait_for(relay._cleaner or asyncio.sleep(0), 5)

    assert (relay._pending, relay._published) == ([], [])
    assert asyncio.all_tasks() == {asyncio.current_task()}
