"""Who waits for a place in the window, and what the heartbeat keeps hidden."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from comanda.messaging.ports import Message, MessagingUnavailable
from workers.runtime.heartbeat import Heartbeat
from workers.runtime.window import Window


def message(number: int) -> Message:
    return Message(id=str(number), body="", receipt=f"r{number}", receive_count=1)


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
