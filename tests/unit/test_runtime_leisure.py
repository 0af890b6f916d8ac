"""A consumer that is in no hurry: it rests between receives, and groups what others keep apart."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryQueue
from comanda.messaging.ports import Message
from tests.virtual_time import VirtualLoop
from workers.runtime.consumer import Consumer, ConsumerLimits
from workers.runtime.receiving import Receivers
from workers.runtime.window import Window

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class TimedQueue:
    """A queue that gives so many messages at each receive, and notes when it was asked."""

    def __init__(self, *script: int) -> None:
        self._script = list(script)
        self.asked_at: list[float] = []
        self.is_empty = asyncio.Event()

    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        assert limit > 0
        assert wait
        if not self._script:
            self.is_empty.set()
            await asyncio.Event().wait()
        self.asked_at.append(asyncio.get_running_loop().time())
        numbers = range(self._script.pop(0))
        return [Message(id=str(n), body="", receipt=str(n), receive_count=1) for n in numbers]


async def times_of(*script: int, rest: timedelta) -> list[float]:
    queue, gate, window = TimedQueue(*script), asyncio.Event(), Window(100)
    gate.set()
    receivers = Receivers(
        queue,  # type: ignore[arg-type]  # Receivers only receive.
        window=window,
        accept=lambda _: window.give_back(),
        gate=gate,
        most=1,
        wait=timedelta(seconds=20),
        rest=rest,
    )
    task = asyncio.create_task(receivers.run())
    await queue.is_empty.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return queue.asked_at


def in_virtual_time(*script: int, rest: timedelta) -> list[float]:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(times_of(*script, rest=rest))


def test_after_an_answer_that_was_not_full_the_next_receive_waits() -> None:
    assert in_virtual_time(1, 3, 9, rest=timedelta(seconds=2)) == [0, 2, 4]


def test_full_answers_leave_no_time_to_rest() -> None:
    assert in_virtual_time(10, 10, 2, 10, rest=timedelta(seconds=2)) == [0, 0, 0, 2]


def test_whoever_is_not_told_to_rests_never() -> None:
    assert in_virtual_time(1, 1, 1, rest=timedelta()) == [0, 0, 0]


async def test_events_of_one_order_need_not_take_turns() -> None:
    together = asyncio.Barrier(3)

    await handle_three(together.wait, limits=ConsumerLimits(takes_turns=False))

    assert not together.broken


async def test_events_of_one_order_take_turns_unless_told_otherwise() -> None:
    at_once, most = 0, 0

    async def watch() -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1

    await handle_three(watch, limits=ConsumerLimits())

    assert most == 1


async def handle_three(act: Callable[[], Awaitable[object]], *, limits: ConsumerLimits) -> None:
    """Have three events of one order handled, each by `act`."""
    queue = InMemoryQueue()
    for _ in range(3):
        event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId("o-1"))
        queue.send(seal(event, now=NOW).to_json())
    done = asyncio.Semaphore(0)

    async def handle(_: Envelope) -> None:
        await act()
        done.release()

    consumer = Consumer(queue, {OrderPaid: handle}, context="archive", limits=limits)
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(5):
        for _ in range(3):
            await done.acquire()
    consumer.stop()
    await running
