"""The delivery table: what a handler raises decides what becomes of the message."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import OrderReady
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryQueue
from tests.runtime_consuming import LIMITS, NOW, consumer, fine, paid, running, until
from workers.runtime.consumer import Handler
from workers.runtime.errors import AlreadyHandled, Conflict, InvalidMessage, RetryLater


def raising(error: Exception) -> Handler:
    async def handler(_: Envelope) -> None:
        raise error

    return handler


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
