"""Questions to SQS whose answers AWS has documented; each gives a small plain value."""

import json
import time
from typing import Any

from botocore.exceptions import ClientError

from tests.messaging_wire import Wire, code


def unknown_queue(wire: Wire) -> Any:
    missing = wire.queue().rpartition("/")[0] + "/comanda-contract-nobody"
    return code(wire.sqs.receive_message, QueueUrl=missing)


def eleven_at_once(wire: Wire) -> Any:
    return code(wire.sqs.receive_message, QueueUrl=wire.queue(), MaxNumberOfMessages=11)


def wait_of_21_seconds(wire: Wire) -> Any:
    queue = wire.queue()
    wire.send(queue)
    return code(wire.sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=21)


def delay_of_901_seconds(wire: Wire) -> Any:
    return code(wire.send, queue=wire.queue(), DelaySeconds=901)


def visibility_beyond_12_hours(wire: Wire) -> Any:
    queue = wire.queue()
    wire.send(queue)
    (message,) = wire.receive(queue)
    return code(
        wire.sqs.change_message_visibility,
        QueueUrl=queue,
        ReceiptHandle=message["ReceiptHandle"],
        VisibilityTimeout=43_201,
    )


def no_such_receipt(wire: Wire) -> Any:
    return code(wire.sqs.delete_message, QueueUrl=wire.queue(), ReceiptHandle="nonsense")


def empty_body(wire: Wire) -> Any:
    return code(wire.send, queue=wire.queue(), body="")


def control_character(wire: Wire) -> Any:
    return code(wire.send, queue=wire.queue(), body="a\x01b")


def body_of_a_mebibyte(wire: Wire) -> Any:
    queue = wire.queue()
    longest = 1024 * 1024
    return [code(wire.send, queue=queue, body="x" * size) for size in (longest, longest + 1)]


def eleven_attributes(wire: Wire) -> Any:
    attributes = {f"a{n}": {"DataType": "String", "StringValue": "x"} for n in range(11)}
    return code(wire.send, queue=wire.queue(), MessageAttributes=attributes)


def wrong_attribute_type(wire: Wire) -> Any:
    attributes = {"a": {"DataType": "Text", "StringValue": "x"}}
    return code(wire.send, queue=wire.queue(), MessageAttributes=attributes)


def wrong_batches(wire: Wire) -> Any:
    queue = wire.queue()
    eleven = [{"Id": str(n), "MessageBody": "b"} for n in range(11)]
    twice = [{"Id": "same", "MessageBody": "b"}] * 2
    named = [{"Id": "no spaces", "MessageBody": "b"}]
    return [
        code(wire.sqs.send_message_batch, QueueUrl=queue, Entries=entries)
        for entries in ([], eleven, twice, named)
    ]


def batch_of_more_than_a_mebibyte(wire: Wire) -> Any:
    entries = [{"Id": str(n), "MessageBody": "x" * 600_000} for n in range(2)]
    return code(wire.sqs.send_message_batch, QueueUrl=wire.queue(), Entries=entries)


def batch_with_a_bad_entry(wire: Wire) -> Any:
    queue = wire.queue()
    wire.send(queue)
    (message,) = wire.receive(queue)
    entries = [
        {"Id": "good", "ReceiptHandle": message["ReceiptHandle"]},
        {"Id": "bad", "ReceiptHandle": "nonsense"},
    ]
    answer = wire.sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
    failed = [(e["Id"], e["Code"], e["SenderFault"]) for e in answer.get("Failed", [])]
    return [e["Id"] for e in answer.get("Successful", [])], failed


def binary_and_number_attributes(wire: Wire) -> Any:
    queue = wire.queue()
    attributes = {
        "blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        "count": {"DataType": "Number.int", "StringValue": "12"},
    }
    wire.send(queue, MessageAttributes=attributes)
    (message,) = wire.receive(queue)
    return message["MessageAttributes"] == attributes


def attributes_are_asked_for_by_name(wire: Wire) -> Any:
    queue = wire.queue()
    attributes = {name: {"DataType": "String", "StringValue": "x"} for name in ("aa", "ab", "b")}
    wire.send(queue, MessageAttributes=attributes)
    answer = wire.sqs.receive_message(
        QueueUrl=queue, MessageAttributeNames=["a.*"], WaitTimeSeconds=1
    )
    (message,) = answer["Messages"]
    exact = wire.sqs.change_message_visibility(
        QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    assert exact
    answer = wire.sqs.receive_message(
        QueueUrl=queue, MessageAttributeNames=["b"], WaitTimeSeconds=1
    )
    return [sorted(m.get("MessageAttributes", {})) for m in (message, *answer["Messages"])]


def delete_with_an_old_receipt(wire: Wire) -> Any:
    queue = wire.queue()
    wire.send(queue)
    (first,) = wire.receive(queue, VisibilityTimeout=0)
    (second,) = wire.receive(queue, VisibilityTimeout=0)
    assert first["ReceiptHandle"] != second["ReceiptHandle"]
    outcome = code(wire.sqs.delete_message, QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    return outcome, len(wire.receive(queue))


def delete_twice(wire: Wire) -> Any:
    queue = wire.queue()
    wire.send(queue)
    (message,) = wire.receive(queue)
    receipt = message["ReceiptHandle"]
    return [code(wire.sqs.delete_message, QueueUrl=queue, ReceiptHandle=receipt) for _ in range(2)]


def handed_back_messages_come_at_once(wire: Wire) -> Any:
    queue = wire.queue()
    wire.send(queue)
    (message,) = wire.receive(queue)
    wire.sqs.change_message_visibility(
        QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    return [m["Attributes"]["ApproximateReceiveCount"] for m in wire.receive(queue, wait=5)]


def visibility_of_a_message_not_in_flight(wire: Wire) -> Any:
    queue = wire.queue()
    wire.send(queue)
    (message,) = wire.receive(queue, VisibilityTimeout=0)
    return code(
        wire.sqs.change_message_visibility,
        QueueUrl=queue,
        ReceiptHandle=message["ReceiptHandle"],
        VisibilityTimeout=5,
    )


def delayed_messages_are_hidden(wire: Wire) -> Any:
    queue = wire.queue()
    wire.send(queue, DelaySeconds=2)
    return len(wire.receive(queue, wait=0)), len(wire.receive(queue, wait=5))


def too_many_receives_end_among_the_dead_letters(wire: Wire) -> Any:
    dead = wire.queue()
    redrive = {"deadLetterTargetArn": wire.arn(dead), "maxReceiveCount": "2"}
    queue = wire.queue(RedrivePolicy=json.dumps(redrive))
    attributes = {"type": {"DataType": "String", "StringValue": "x"}}
    sent = wire.send(queue, MessageAttributes=attributes)
    received = [len(wire.receive(queue, VisibilityTimeout=0)) for _ in range(3)]
    (letter,) = wire.receive(dead, wait=5)
    is_same = letter["MessageId"] == sent["MessageId"]
    is_told = letter["Attributes"].get("DeadLetterQueueSourceArn") == wire.arn(queue)
    return received, is_same, letter["MessageAttributes"] == attributes, is_told


def a_queue_knows_whose_dead_letters_it_has(wire: Wire) -> Any:
    dead = wire.queue()
    redrive = {"deadLetterTargetArn": wire.arn(dead), "maxReceiveCount": "2"}
    source = wire.queue(RedrivePolicy=json.dumps(redrive))
    try:
        return wire.sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [source]
    except ClientError as exc:
        return str(exc.response["Error"]["Code"])


def a_long_poll_wakes_for_a_message(wire: Wire) -> Any:
    queue = wire.queue()
    wire.send(queue, DelaySeconds=1)
    began = time.monotonic()
    found = len(wire.receive(queue, wait=10))
    return found, time.monotonic() - began < 5
