"""Dead letters go back over a wire that fails in every way, and none is lost."""

import os
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from comanda.messaging.dead_letters import SQSDeadLetters
from comanda.messaging.ports import MessagingUnavailable
from comanda.messaging.redrive import Pace, RedriveOrder, peek, redrive
from tests.bus_server import ROOT, BusServer, running_bus
from tests.redrive_letters import DeadQueue, dead_queue, now
from workers.runtime.aws import aws_client

EVERYTHING = RedriveOrder(by="ana")


@pytest.fixture(scope="module")
def server() -> Iterator[BusServer]:
    with running_bus() as server:
        yield server


@pytest.fixture
def bus(server: BusServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[BusServer]:
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    yield server
    server.control.behave()


@pytest.fixture
def queue(bus: BusServer, request: pytest.FixtureRequest) -> DeadQueue:
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)[-70:]
    return dead_queue(bus, name)


def environment(server: BusServer) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_SQS": server.url,
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


@asynccontextmanager
async def opened(queue: DeadQueue) -> AsyncIterator[SQSDeadLetters]:
    async with aws_client("sqs") as client:
        yield SQSDeadLetters(client, url=queue.url, dlq_url=queue.dlq_url)


async def test_letters_go_back_with_all_their_attributes(queue: DeadQueue) -> None:
    blob = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    texts = {"type": "orders.order.paid.v1", "reason": "no such order", "receive_count": "1"}
    queue.bus.client("sqs").send_message(
        QueueUrl=queue.dlq_url,
        MessageBody="b",
        MessageAttributes={
            "blob": blob,
            **{k: {"DataType": "String", "StringValue": v} for k, v in texts.items()},
        },
    )

    async with opened(queue) as letters:
        report = await redrive(letters, EVERYTHING, now=now, pace=Pace(1000))

    (message,) = queue.arrived()
    attributes = message["MessageAttributes"]
    assert attributes.pop("blob") == blob
    assert {name: value["StringValue"] for name, value in attributes.items()} == {
        "type": "orders.order.paid.v1",
        "redriven_at": now().isoformat(),
        "redriven_by": "ana",
        "redriven_reason": "no such order",
        "redriven_count": "1",
    }
    assert (report.sent, report.undeleted, report.is_complete) == (1, 0, True)


async def test_looking_leaves_every_letter_visible(queue: DeadQueue) -> None:
    queue.bury(*(str(n) for n in range(23)))

    async with opened(queue) as letters:
        seen = await peek(letters, limit=100)

    assert {it.reason for it in seen} == {"no such order"}
    assert len(seen) == 23
    assert queue.left() == {"visible": 23, "in_flight": 0, "delayed": 0}


async def test_letters_that_stay_are_visible_at_once(queue: DeadQueue) -> None:
    queue.bury(*(str(n) for n in range(30)))
    order = RedriveOrder(by="ana", chooses=lambda it: int(it.body) % 3 == 0)

    async with opened(queue) as letters:
        await redrive(letters, order, now=now, pace=Pace(1000))

    assert sorted(int(m["Body"]) for m in queue.arrived()) == list(range(0, 30, 3))
    assert queue.left() == {"visible": 20, "in_flight": 0, "delayed": 0}


async def test_an_entry_that_fails_for_a_moment_is_sent_again(queue: DeadQueue) -> None:
    queue.bury("a", "b", "c")
    queue.bus.control.misbehave(fault="fail", action="SendMessageBatch", body="b", times=2)

    async with opened(queue) as letters:
        report = await redrive(letters, EVERYTHING, now=now, pace=Pace(1000))

    assert sorted(m["Body"] for m in queue.arrived()) == ["a", "b", "c"]
    assert (report.sent, report.refused) == (3, 0)


async def test_an_entry_that_is_refused_stays_a_dead_letter(queue: DeadQueue) -> None:
    queue.bury("a", "b", "c")
    queue.bus.control.misbehave(
        fault="fail", action="SendMessageBatch", body="b", sender_fault=True, code="InvalidMessage"
    )

    async with opened(queue) as letters:
        report = await redrive(letters, EVERYTHING, now=now, pace=Pace(1000))

    assert sorted(m["Body"] for m in queue.arrived()) == ["a", "c"]
    assert list(report.kept.values()) == ["InvalidMessage"]
    assert queue.left()["visible"] == 1


async def test_a_queue_out_of_reach_is_said_and_leaves_the_letters(queue: DeadQueue) -> None:
    queue.bury("a", "b")
    queue.bus.control.misbehave(fault="error", action="SendMessageBatch", status=500)

    async with opened(queue) as letters:
        with pytest.raises(MessagingUnavailable):
            await redrive(letters, EVERYTHING, now=now, pace=Pace(1000))

    assert queue.left() == {"visible": 2, "in_flight": 0, "delayed": 0}


async def test_lost_answers_and_pretended_deletes_lose_nothing(queue: DeadQueue) -> None:
    control = queue.bus.control
    queue.bury(*(str(n) for n in range(300)))
    for number, (action, fault) in enumerate(
        [
            ("SendMessageBatch", {"fault": "reset", "when": "after"}),
            ("SendMessageBatch", {"fault": "fail"}),
            ("DeleteMessageBatch", {"fault": "reset", "when": "before"}),
            ("DeleteMessageBatch", {"fault": "throttle"}),
            ("DeleteMessageBatch", {"fault": "pretend"}),
            ("ReceiveMessage", {"fault": "error", "status": 503}),
        ]
    ):
        control.misbehave(action=action, rate=0.1, seed=number, times=20, **fault)

    for _ in range(30):
        async with opened(queue) as letters:
            try:
                await redrive(letters, EVERYTHING, now=now, pace=Pace(10_000))
            except MessagingUnavailable:
                continue
        control.advance(121)
        if not sum(queue.left().values()):
            break

    control.behave()
    arrived = Counter(m["Body"] for m in queue.arrived())
    assert set(arrived) == {str(n) for n in range(300)}
    assert sum(arrived.values()) > 300


async def test_a_kill_between_send_and_delete_loses_nothing(queue: DeadQueue) -> None:
    control = queue.bus.control
    queue.bury(*(str(n) for n in range(50)))
    name = queue.dlq_url.rpartition("/")[2]
    control.misbehave(fault="slow", seconds=60, action="DeleteMessageBatch", queue=name, nth=3)
    command = [sys.executable, "-m", "tests.redrive_process", queue.url, queue.dlq_url]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ})
    wait_for_fault(queue)

    process.kill()
    process.wait()

    control.behave()
    # Two batches were deleted; the third was sent, and is still held by nobody.
    assert queue.left() == {"visible": 20, "in_flight": 10, "delayed": 0}
    control.advance(121)
    async with opened(queue) as letters:
        report = await redrive(letters, EVERYTHING, now=now, pace=Pace(10_000))
    arrived = Counter(m["Body"] for m in queue.arrived())
    assert report.sent == 30
    assert set(arrived) == {str(n) for n in range(50)}
    assert sorted(arrived.values()) == [1] * 40 + [2] * 10
    assert sum(queue.left().values()) == 0


def wait_for_fault(queue: DeadQueue) -> None:
    name = queue.dlq_url.rpartition("/")[2]
    until = time.monotonic() + 60
    while not queue.bus.control.journal(queue=name, kind="fault"):
        assert time.monotonic() < until, "the redrive never came to its third delete"
        time.sleep(0.02)


async def test_ten_thousand_letters_pass_through_little_memory(queue: DeadQueue) -> None:
    body = "x" * 4000
    queue.bury(*(f"{n} {body}" for n in range(10_000)))

    async with opened(queue) as letters:
        tracemalloc.start()
        try:
            report = await redrive(letters, EVERYTHING, now=now, pace=Pace(1_000_000))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert report.sent == 10_000
    assert queue.bus.control.queues()[queue.url.rpartition("/")[2]]["visible"] == 10_000
    # The letters are 40 MB; what is in hand is ten of them and ten thousand ids.
    assert peak < 6_000_000
