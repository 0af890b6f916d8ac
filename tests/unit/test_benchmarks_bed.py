"""The bed behaves as a queue does, and speaks what the SDKs speak."""

import asyncio
import hashlib
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiobotocore.session import get_session

from benchmarks.workers.bed.__main__ import Bed
from benchmarks.workers.bed.bodies import envelope_text, event_id, renderer
from benchmarks.workers.bed.http import Connection
from benchmarks.workers.bed.queue import BedQueue, Faults
from comanda.envelope import Envelope
from local.supervisor.ports import reserve_ports

DETAILS = {"MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> BedQueue:
    return BedQueue(clock=clock, visibility=30.0)


def numbers(taken: list[tuple[int, int]]) -> list[int]:
    return [number for number, _ in taken]


def test_what_is_in_hand_is_handed_to_nobody_else(queue: BedQueue) -> None:
    queue.fill(3)

    assert numbers(queue.take(2)) == [0, 1]
    assert numbers(queue.take(10)) == [2]
    assert queue.take(10) == []


def test_what_is_not_deleted_in_time_comes_again(queue: BedQueue, clock: Clock) -> None:
    queue.fill(2)
    queue.take(2)
    queue.delete("0.1")

    clock.now += 31

    assert queue.take(10) == [(1, 2)]
    assert queue.counts.delivered_again == 1


def test_a_longer_hiding_outlives_the_first(queue: BedQueue, clock: Clock) -> None:
    queue.fill(1)
    queue.take(1)
    queue.hide("0.1", seconds=60)

    clock.now += 31
    assert queue.take(1) == []

    clock.now += 30
    assert queue.take(1) == [(0, 2)]


def test_what_is_handed_back_is_there_at_once(queue: BedQueue) -> None:
    queue.fill(1)
    queue.take(1)

    queue.hide("0.1", seconds=0)

    assert queue.take(1) == [(0, 2)]


def test_a_duplicate_goes_to_somebody_else_at_once(queue: BedQueue) -> None:
    queue.configure(visibility=30.0, faults=Faults(duplicates=1.0))
    queue.fill(1)

    assert queue.take(1) == [(0, 1)]
    assert queue.take(1) == [(0, 2)]
    assert queue.counts.duplicated == 1


def test_a_lost_acknowledgement_brings_the_message_back(queue: BedQueue, clock: Clock) -> None:
    queue.configure(visibility=30.0, faults=Faults(lost_acknowledgements=1.0))
    queue.fill(1)
    queue.take(1)
    queue.delete("0.1")
    queue.configure(visibility=30.0, faults=Faults())

    clock.now += 31

    assert queue.take(1) == [(0, 2)]
    assert (queue.counts.deleted, queue.counts.acknowledgements_lost) == (0, 1)


def test_a_second_delete_is_no_second_message(queue: BedQueue) -> None:
    queue.fill(1)
    queue.take(1)

    queue.delete("0.1")
    queue.delete("0.1")

    assert (queue.counts.deleted, queue.counts.deleted_again) == (1, 1)


def test_a_purge_leaves_nothing_to_come(queue: BedQueue, clock: Clock) -> None:
    queue.hold(10)
    queue.fill(10)
    queue.take(5)

    queue.purge()
    clock.now += 31

    assert queue.take(10) == []


def test_a_held_backlog_never_runs_out(queue: BedQueue) -> None:
    queue.hold(10)

    assert sum(len(queue.take(10)) for _ in range(1000)) == 10_000


def test_latency_is_from_sent_to_deleted(queue: BedQueue, clock: Clock) -> None:
    queue.fill(1)
    clock.now += 5
    first = queue.fill(2)
    queue.take(3)
    clock.now += 0.5
    queue.delete("1.1")

    assert queue.latencies(since=first) == [0.5]


def test_a_message_is_the_same_event_each_time() -> None:
    envelope = Envelope.from_json(envelope_text(77))

    assert envelope.id == event_id(77)
    assert envelope.event.subject != Envelope.from_json(envelope_text(78)).event.subject


@pytest.mark.parametrize("kind", ["comanda", "celery", "dramatiq", "taskiq"])
def test_every_form_has_a_true_digest(kind: str) -> None:
    quoted, digest = renderer(kind)(5)

    text = json.loads(b'"' + quoted + b'"')
    assert hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().encode() == digest


def test_all_consumers_get_the_same_event() -> None:
    def text_of(kind: str) -> Any:
        return json.loads(b'"' + renderer(kind)(9)[0] + b'"')

    celery = json.loads(b64decode(text_of("celery")))
    dramatiq = json.loads(b64decode(text_of("dramatiq")))
    taskiq = json.loads(text_of("taskiq"))

    assert text_of("comanda") == envelope_text(9)
    assert json.loads(b64decode(celery["body"]))[0] == [envelope_text(9)]
    assert dramatiq["args"] == taskiq["args"] == [envelope_text(9)]


@asynccontextmanager
async def served(*, round_trip: float = 0.0) -> AsyncIterator[tuple[Bed, str]]:
    with reserve_ports(1) as (port,):
        url = f"http://127.0.0.1:{port}"
        bed = Bed(url)
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(bed.handle, round_trip=lambda: round_trip), "127.0.0.1", port
        )
        async with server:
            yield bed, url


@asynccontextmanager
async def client(url: str, service: str = "sqs") -> AsyncIterator[Any]:
    options = {
        "endpoint_url": url,
        "region_name": "sa-east-1",
        "aws_access_key_id": "bench",
        "aws_secret_access_key": "bench",
    }
    async with get_session().create_client(service, **options) as made:
        yield made


async def test_an_sdk_receives_and_deletes() -> None:
    async with served() as (bed, url), client(url) as sqs:
        bed._controls["fill"]({"count": 3})
        address = (await sqs.get_queue_url(QueueName="bench"))["QueueUrl"]

        answer = await sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10, **DETAILS)
        entries = [
            {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]}
            for i, m in enumerate(answer["Messages"])
        ]
        deleted = await sqs.delete_message_batch(QueueUrl=address, Entries=entries)

    first = answer["Messages"][0]
    assert first["Body"] == envelope_text(0)
    assert first["Attributes"]["ApproximateReceiveCount"] == "1"
    assert first["MessageAttributes"]["type"]["StringValue"] == "payments.payment.approved.v1"
    assert len(deleted["Successful"]) == 3
    assert bed._queue.counts.deleted == 3


async def test_a_long_poll_is_answered_by_what_arrives() -> None:
    async with served() as (bed, url), client(url) as sqs:
        poll = asyncio.create_task(
            sqs.receive_message(QueueUrl=f"{url}/0/bench", WaitTimeSeconds=20)
        )
        while not bed._sqs._polls:
            await asyncio.sleep(0)
        bed._controls["fill"]({"count": 1})

        answer = await asyncio.wait_for(poll, 5)

    assert len(answer["Messages"]) == 1


async def test_a_poll_that_hung_up_takes_no_message() -> None:
    async with served() as (bed, url):
        async with client(url) as sqs:
            poll = asyncio.create_task(
                sqs.receive_message(QueueUrl=f"{url}/0/bench", WaitTimeSeconds=20)
            )
            while not bed._sqs._polls:
                await asyncio.sleep(0)
            poll.cancel()
        while bed._sqs._polls:
            await asyncio.sleep(0)

        bed._controls["fill"]({"count": 1})

        assert bed._queue.counts.delivered == 0


async def test_the_sink_knows_for_what_was_published() -> None:
    async with served() as (bed, url), client(url, "sns") as sns:
        message = json.dumps({"causationid": event_id(1)}, separators=(",", ":"))
        await sns.publish_batch(
            TopicArn="arn:aws:sns:sa-east-1:000000000000:bench-events",
            PublishBatchRequestEntries=[{"Id": "a", "Message": message}],
        )

        assert bed._controls["missing"]({"count": 3}) == 2


async def test_every_answer_takes_the_round_trip() -> None:
    loop = asyncio.get_running_loop()
    async with served(round_trip=0.05) as (_, url), client(url) as sqs:
        started = loop.time()
        await sqs.receive_message(QueueUrl=f"{url}/0/bench")

    assert loop.time() - started >= 0.05
