"""What is in hand runs beside its neighbours, stays hidden, and is finished or handed back."""

import asyncio
from datetime import timedelta

from comanda.envelope import Envelope
from comanda.messaging.memory import InMemoryQueue
from tests.runtime_consuming import consumer, paid, running, until
from workers.runtime.consumer import ConsumerLimits


async def test_messages_of_one_order_never_run_side_by_side() -> None:
    queue = InMemoryQueue()
    for _ in range(6):
        queue.send(paid("same"))
    side_by_side = 0
    most = 0

    async def handler(_: Envelope) -> None:
        nonlocal side_by_side, most
        side_by_side += 1
        most = max(most, side_by_side)
        await asyncio.sleep(0.01)
        side_by_side -= 1

    async with running(consumer(queue, handler)):
        await until(lambda: queue.depth == 0)

    assert most == 1


async def test_a_slow_message_does_not_hold_its_neighbours() -> None:
    queue = InMemoryQueue()
    release = asyncio.Event()

    async def handler(envelope: Envelope) -> None:
        if envelope.event.subject == "slow":
            await release.wait()

    queue.send(paid("slow"))
    for number in range(30):
        queue.send(paid(f"o-{number}"))

    async with running(consumer(queue, handler)):
        await until(lambda: len(queue.deleted) == 30)
        release.set()
        await until(lambda: queue.depth == 0)


async def test_a_stop_finishes_what_is_in_hand() -> None:
    queue = InMemoryQueue()
    started = asyncio.Event()

    async def handler(_: Envelope) -> None:
        started.set()
        await asyncio.sleep(0.2)

    queue.send(paid())

    async with running(consumer(queue, handler)):
        await started.wait()

    assert queue.depth == 0
    assert len(queue.deleted) == 1


async def test_a_stop_hands_back_what_outlasts_the_grace_period() -> None:
    queue = InMemoryQueue()
    started = asyncio.Event()

    async def handler(_: Envelope) -> None:
        started.set()
        await asyncio.sleep(60)

    queue.send(paid(), message_id="m")
    short = ConsumerLimits(wait=timedelta(seconds=0.1), grace=timedelta(seconds=0.1))

    async with running(consumer(queue, handler, short)):
        await started.wait()

    assert queue.hidden["m"] == timedelta()
    assert queue.depth == 1


async def test_a_long_handler_keeps_its_message_hidden() -> None:
    queue = InMemoryQueue()
    quick = ConsumerLimits(wait=timedelta(seconds=0.1), visibility=timedelta(seconds=0.1))

    async def handler(_: Envelope) -> None:
        await asyncio.sleep(0.3)

    queue.send(paid(), message_id="m")

    async with running(consumer(queue, handler, quick)):
        await until(lambda: queue.depth == 0)

    assert queue.hidden["m"] == timedelta(seconds=0.1)


async def test_a_handler_that_hangs_is_ended_and_its_message_comes_again() -> None:
    queue = InMemoryQueue()
    quick = ConsumerLimits(
        window=1,
        wait=timedelta(seconds=0.1),
        visibility=timedelta(seconds=0.06),
        longest_handling=timedelta(seconds=0.1),
    )
    ended: list[str] = []

    async def handler(envelope: Envelope) -> None:
        if envelope.event.subject == "hangs":
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(envelope.id)

    queue.send(paid("hangs"))
    queue.send(paid("o-2"))

    # It held the only place, so the second message tells that the place is free again.
    async with running(consumer(queue, handler, quick)):
        await until(lambda: len(queue.deleted) == 1)

    assert len(ended) == 1
    assert queue.depth == 1
    assert queue.dead == []
