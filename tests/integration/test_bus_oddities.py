"""The bus doubles, delays and mixes up what it has, as it is told to and by its own clock."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import bus_talk
from tests.bus_server import BusServer, running_bus
from tests.bus_talk import delete_batch, depth, name_of, receive, send

server = bus_talk.server
bus = bus_talk.bus
queue = bus_talk.queue


def test_a_doubled_message_comes_again_after_it_was_deleted(bus: BusServer, queue: str) -> None:
    bus.control.misbehave(fault="duplicate", queue=name_of(queue), body="twin")

    sent = send(bus, queue, "twin", "single")

    received = receive(bus, queue)
    assert sorted(m["Body"] for m in received) == ["single", "twin", "twin"]
    assert {m["MessageId"] for m in received} == set(sent)
    delete_batch(bus, queue, received)
    assert depth(bus, queue) == 0


def test_a_revealed_message_is_handed_out_twice_at_once(bus: BusServer, queue: str) -> None:
    send(bus, queue, "a")
    bus.control.misbehave(fault="reveal", queue=name_of(queue), times=1)

    counts = [
        m["Attributes"]["ApproximateReceiveCount"] for _ in range(3) for m in receive(bus, queue)
    ]

    assert counts == ["1", "2"]


def test_a_delayed_message_is_shown_when_the_clock_gets_there(bus: BusServer, queue: str) -> None:
    bus.control.misbehave(fault="delay", seconds=60, queue=name_of(queue))
    send(bus, queue, "late")

    assert receive(bus, queue) == []
    bus.control.advance(61)
    assert [m["Body"] for m in receive(bus, queue)] == ["late"]


def test_order_is_forgotten_with_the_same_seed_the_same_way(bus: BusServer) -> None:
    orders = []
    for attempt in range(2):
        queue = bus.queue(f"order-{attempt}")
        send(bus, queue, *(str(n) for n in range(10)))
        bus.control.behave()
        bus.control.misbehave(fault="reorder", queue="order-*")
        orders.append([m["Body"] for m in receive(bus, queue)])

    assert orders[0] == orders[1] != sorted(orders[0])
    assert sorted(orders[0]) == [str(n) for n in range(10)]


def test_a_short_poll_sees_nothing_though_there_is_something(bus: BusServer, queue: str) -> None:
    send(bus, queue, "a")
    bus.control.misbehave(fault="empty", queue=name_of(queue), times=1)

    assert receive(bus, queue) == []
    assert len(receive(bus, queue)) == 1


def test_a_slow_answer_is_slow_and_right(bus: BusServer, queue: str) -> None:
    bus.control.misbehave(fault="slow", seconds=0.3, when="after", action="SendMessage")
    began = time.monotonic()

    send(bus, queue, "a")

    assert time.monotonic() - began >= 0.3
    assert depth(bus, queue) == 1


def test_a_script_is_played_step_by_step_and_then_all_is_well(bus: BusServer, queue: str) -> None:
    script = [None, "throttle", {"fault": "error", "status": 500, "code": "InternalFailure"}]
    number = bus.control.misbehave(script=script, action="SendMessage", queue=name_of(queue))

    outcomes = []
    for n in range(5):
        try:
            send(bus, queue, str(n))
            outcomes.append("done")
        except ClientError as exc:
            outcomes.append(exc.response["Error"]["Code"])

    assert outcomes == ["done", "ThrottlingException", "InternalFailure", "done", "done"]
    assert (bus.control.rule(number)["seen"], bus.control.rule(number)["struck"]) == (5, 2)


def test_a_rate_strikes_about_that_often(bus: BusServer, queue: str) -> None:
    number = bus.control.misbehave(fault="duplicate", queue=name_of(queue), rate=0.2, seed=7)
    sqs = bus.client("sqs")
    for start in range(0, 500, 10):
        entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(start, start + 10)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)

    struck = bus.control.rule(number)["struck"]

    assert 60 <= struck <= 140
    assert depth(bus, queue) == 500 + struck


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "explode"},
        {"fault": "pretend"},
        {"fault": "pretend", "action": "SendMessage"},
        {"fault": "throttle", "body": "x"},
        {"fault": "duplicate", "action": "SendMessage"},
        {"fault": "throttle", "rate": 2},
        {"fault": "throttle", "typo": 1},
        {"fault": "slow", "seconds": -1},
        {"fault": "throttle", "times": True},
        {"fault": "expire_receipt"},
        {"fault": "throttle", "code": "a\r\nb"},
        {"fault": "throttle", "status": 200},
        {"fault": "throttle", "action": [{}]},
        {"fault": "throttle", "nth": "2"},
        {"script": [None]},
        {"script": ["throttle", "duplicate"]},
    ],
)
def test_a_rule_that_means_nothing_is_refused(bus: BusServer, rule: dict[str, Any]) -> None:
    with pytest.raises(OSError, match="400"):
        bus.control.misbehave(**rule)


def test_the_journal_tells_the_life_of_each_message(bus: BusServer) -> None:
    dead = bus.queue("life-dlq")
    redrive = '{"deadLetterTargetArn":"arn:aws:sqs:sa-east-1:0:life-dlq","maxReceiveCount":"1"}'
    queue = bus.queue("life", RedrivePolicy=redrive)
    good, bad = send(bus, queue, "good", "bad")
    messages = {m["Body"]: m for m in receive(bus, queue)}
    delete_batch(bus, queue, [messages["good"]])
    bus.client("sqs").change_message_visibility(
        QueueUrl=queue, ReceiptHandle=messages["bad"]["ReceiptHandle"], VisibilityTimeout=0
    )
    assert receive(bus, queue) == []

    lives = {life["id"]: life for life in bus.control.messages(queue="life")}

    assert (lives[good]["received"], lives[good]["deleted"]) == (1, 1)
    assert (lives[bad]["deleted"], lives[bad]["moved_to"]) == (0, "life-dlq")
    kinds = [step["kind"] for step in bus.control.journal(queue="life", id=bad)]
    assert kinds == ["sent", "received", "handed_back", "moved"]
    (buried,) = receive(bus, dead)
    assert buried["Attributes"]["DeadLetterQueueSourceArn"].endswith(":life")


def test_a_long_poll_hears_of_a_message_that_the_clock_shows(bus: BusServer, queue: str) -> None:
    bus.client("sqs").send_message(QueueUrl=queue, MessageBody="b", DelaySeconds=2)
    began = time.monotonic()

    (message,) = receive(bus, queue, wait=20)

    assert message["Body"] == "b"
    assert 1.5 < time.monotonic() - began < 15


def test_a_frozen_clock_stands_still_until_it_is_moved() -> None:
    with running_bus() as bus:
        queue = bus.queue("frozen")
        bus.control.freeze()
        bus.client("sqs").send_message(QueueUrl=queue, MessageBody="b", DelaySeconds=1)

        assert receive(bus, queue, wait=2) == []

        bus.control.advance(1)
        (message,) = receive(bus, queue)
        sent, first = (
            int(message["Attributes"][name])
            for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp")
        )
        assert first - sent == 1000
