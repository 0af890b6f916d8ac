"""Who polls, and how many: one for an idle queue, more while answers come back full."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from comanda.messaging.ports import Message, MessagingUnavailable
from workers.runtime.receiving import Receivers
from workers.runtime.window import Window

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
