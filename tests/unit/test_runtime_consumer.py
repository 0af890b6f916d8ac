"""The delivery table: what a handler raises decides what becomes of the message."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid, OrderReady
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryQueue
from workers.runtime.consumer import Consumer, ConsumerLimits, Handler
from workers.runtime.errors import AlreadyHandled, Conflict, InvalidMessage, RetryLater

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIMITS = ConsumerLimits(
    window=8, receivers=2, wait=timedelta(seconds=0.2), grace=timedelta(seconds=2)
)


def paid(order: str = "o-1") -> str:
    event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId(order))
    return seal(event, now=NOW).to_json()


def consumer(queue: InMemoryQueue, handler: Handler, limits: ConsumerLimits = LIMITS) -> Consumer:
    return Consumer(queue, {OrderPaid: handler}, context="orders", limits=limits)


@asynccontextmanager
async def running(subject: Consumer) -> AsyncIterator[None]:
    task = asyncio.create_task(subject.run())
    try:
        yield
    finally:
        subject.stop()
        await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within 4 s")


def raising(error: Exception) -> Handler:
    async def handler(_: Envelope) -> None:
        raise error

    return handler


async def fine(_: Envelope) -> None:
    return None


async def test_a_handled_message_is_deleted() -> None:
    queue = InMemoryQueue()
    queue.send(paid())

    async with running(consumer(queue, fine)):
        await until(lambda: queue.depth == 0)

    assert len(queue.deleted) == 1
    assert queue.dead == []


async def test_retry_later_hides_the_message_for_that_time_and_keeps_it() -> None:
    queue = InMemoryQueue()
    queue.send(paid(), message_id="m")

    async with running(consumer(queue, raising(RetryLater(timedelta(seconds=7))))):
        await until(lambda: "m" in queue.hidden)

    assert queue.hidden["m"] == timedelta(seconds=7)
    assert queue.depth == 1


async def test_an_invalid_message_goes_to_the_dead_letters_with_its_reason() -> None:
    queue = InMemoryQueue()
    queue.send(paid())

    async with running(consumer(queue, raising(InvalidMessage("no such order")))):
        await until(lambda: bool(queue.dead))

    assert [reason for _, reason in queue.dead] == ["no such order"]
    assert queue.depth == 0


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        "{}",
        '{"specversion":"1.0","type":"orders.order.paid.v1","data":{}}',
        '{"specversion":"1.0","type":"nobody.knows.this.v1"}',
        seal(OrderReady(shop_id=ShopId("lanchonete"), order_id=OrderId("o")), now=NOW).to_json(),
    ],
)
async def test_what_cannot_be_read_or_is_not_ours_is_a_dead_letter_at_once(body: str) -> None:
    queue = InMemoryQueue()
    queue.send(body)

    async with running(consumer(queue, fine)):
        await until(lambda: bool(queue.dead))

    assert queue.depth == 0


async def test_an_event_that_the_inbox_knows_is_deleted() -> None:
    queue = InMemoryQueue()
    queue.send(paid())

    async with running(consumer(queue, raising(AlreadyHandled()))):
        await until(lambda: queue.depth == 0)

    assert queue.dead == []


async def test_any_other_error_leaves_the_message_and_backs_off() -> None:
    queue = InMemoryQueue()
    queue.send(paid(), message_id="m")

    async with running(consumer(queue, raising(KeyError("surprise")))):
        await until(lambda: "m" in queue.hidden)

    assert queue.hidden["m"] >= timedelta(seconds=1)
    assert queue.depth == 1
    assert queue.dead == []


async def test_a_conflict_is_tried_again_at_once() -> None:
    queue = InMemoryQueue()
    queue.send(paid())
    attempts: list[int] = []

    async def handler(_: Envelope) -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise Conflict(timedelta(milliseconds=1))

    async with running(consumer(queue, handler)):
        await until(lambda: queue.depth == 0)

    assert len(attempts) == 3
    assert queue.hidden == {}


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


async def test_what_fails_as_often_as_it_may_be_received_is_rejected_with_fault_and_line() -> None:
    queue = InMemoryQueue()
    queue.send(paid(), message_id="m")

    async with running(consumer(queue, raising(ValueError("Maria, CPF 123")))):
        for _ in range(5):
            await until(lambda: "m" in queue.hidden or bool(queue.dead))
            queue.hidden.clear()
            queue.release_hidden()
        await until(lambda: bool(queue.dead))

    ((letter, reason),) = queue.dead
    assert letter.receive_count == 5
    assert reason.startswith("failed 5 times, at last by ValueError in test_runtime_consumer.py:")
    assert "Maria" not in reason


async def test_what_is_put_off_as_often_as_the_queue_bears_is_rejected_with_its_cause() -> None:
    queue = InMemoryQueue()
    queue.send(paid(), message_id="m")
    limits = replace(LIMITS, most_retries=3)

    async with running(consumer(queue, raising(RetryLater(timedelta(seconds=1))), limits)):
        for _ in range(3):
            await until(lambda: "m" in queue.hidden or bool(queue.dead))
            queue.hidden.clear()
            queue.release_hidden()
        await until(lambda: bool(queue.dead))

    ((letter, reason),) = queue.dead
    assert letter.receive_count == 3
    assert reason.startswith("put off 3 times, at last by RetryLater in test_runtime_consumer.py:")


async def test_what_was_not_begun_is_handed_back_however_often_it_came() -> None:
    queue = InMemoryQueue()
    queue.send(paid(), message_id="m")
    limits = replace(LIMITS, most_retries=1)

    async with running(consumer(queue, raising(RetryLater(timedelta())), limits)):
        await until(lambda: "m" in queue.hidden)

    assert queue.dead == []


async def test_a_bad_deploy_stops_consuming_before_the_queue_is_drained() -> None:
    queue = InMemoryQueue()
    for number in range(200):
        queue.send("garbage", message_id=str(number))
    subject = consumer(queue, fine)

    async with running(subject):
        await until(lambda: not subject.is_healthy)
        await asyncio.sleep(0.1)

    # Eight were in hand when the twentieth was judged: they are kept, not rejected as well.
    assert len(queue.dead) == 20
    assert queue.depth == 180


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
