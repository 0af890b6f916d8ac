"""The bus refuses, fails and keeps its answers to itself as it is told to, in AWS's own words."""

import pytest
from botocore.exceptions import BotoCoreError

from tests import bus_talk
from tests.bus_server import BusServer
from tests.bus_talk import delete_batch, depth, name_of, receive, refusal, send

server = bus_talk.server
bus = bus_talk.bus
queue = bus_talk.queue


def test_a_throttled_receive_is_refused_as_aws_does_it(bus: BusServer, queue: str) -> None:
    bus.control.misbehave(fault="throttle", action="ReceiveMessage", times=1)

    assert refusal(bus.client("sqs").receive_message, QueueUrl=queue) == (
        400,
        "ThrottlingException",
    )
    assert receive(bus, queue) == []


def test_a_throttled_publish_is_refused_in_xml(bus: BusServer) -> None:
    sns = bus.client("sns")
    topic = sns.create_topic(Name="throttled")["TopicArn"]
    bus.control.misbehave(
        fault="throttle", action="Publish", queue="throttled", code="Throttled", status=429
    )

    assert refusal(sns.publish, TopicArn=topic, Message="m") == (429, "Throttled")


@pytest.mark.parametrize(("service", "code"), [("sqs", "ServiceUnavailable"), ("sns", "KMSDown")])
def test_an_error_before_acting_changes_nothing(bus: BusServer, service: str, code: str) -> None:
    topic = bus.client("sns").create_topic(Name="errors")["TopicArn"]
    queue = bus.queue("errors")
    client = bus.client(service)
    bus.control.misbehave(fault="error", code=code, status=503, queue="errors")
    call, params = (
        (client.send_message, {"QueueUrl": queue, "MessageBody": "b"})
        if service == "sqs"
        else (client.publish, {"TopicArn": topic, "Message": "b"})
    )

    assert refusal(call, **params) == (503, code)
    assert depth(bus, queue) == 0


def test_a_send_whose_answer_is_lost_has_happened(bus: BusServer, queue: str) -> None:
    bus.control.misbehave(fault="reset", when="after", action="SendMessage", queue=name_of(queue))

    with pytest.raises(BotoCoreError):
        send(bus, queue, "once")

    assert [m["Body"] for m in receive(bus, queue)] == ["once"]


def test_a_delete_that_is_reset_before_acting_has_not_happened(bus: BusServer, queue: str) -> None:
    send(bus, queue, "a")
    messages = receive(bus, queue)
    bus.control.misbehave(fault="reset", action="DeleteMessageBatch", queue=name_of(queue))

    with pytest.raises(BotoCoreError):
        delete_batch(bus, queue, messages)

    assert depth(bus, queue) == 1


def test_a_delete_can_be_executed_and_answered_with_a_500(bus: BusServer, queue: str) -> None:
    send(bus, queue, "a")
    (message,) = receive(bus, queue)
    bus.control.misbehave(
        fault="error", code="InternalFailure", status=500, when="after", action="DeleteMessage"
    )

    status, _ = refusal(
        bus.client("sqs").delete_message, QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"]
    )

    assert status == 500
    assert depth(bus, queue) == 0


def test_a_delete_can_be_answered_and_not_executed(bus: BusServer, queue: str) -> None:
    send(bus, queue, "lost", "kept")
    bus.control.misbehave(fault="pretend", action="DeleteMessageBatch", body="lost")

    answer = delete_batch(bus, queue, receive(bus, queue))

    assert len(answer["Successful"]) == 2
    assert "Failed" not in answer
    assert depth(bus, queue) == 1


@pytest.mark.parametrize("is_senders", [True, False])
def test_one_entry_of_a_delete_batch_fails(bus: BusServer, queue: str, *, is_senders: bool) -> None:
    send(bus, queue, "a", "b", "c")
    messages = sorted(receive(bus, queue), key=lambda m: m["Body"])
    bus.control.misbehave(
        fault="fail", action="DeleteMessageBatch", body="b", code="Busy", sender_fault=is_senders
    )

    answer = delete_batch(bus, queue, messages)

    assert [entry["Id"] for entry in answer["Successful"]] == ["0", "2"]
    ((failed,),) = [answer["Failed"]]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("1", "Busy", is_senders)
    assert depth(bus, queue) == 1


def test_the_nth_entry_of_a_send_batch_fails(bus: BusServer, queue: str) -> None:
    bus.control.misbehave(fault="fail", action="SendMessageBatch", nth=2)
    entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(3)]

    answer = bus.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries)

    assert [entry["Id"] for entry in answer["Failed"]] == ["1"]
    assert sorted(m["Body"] for m in receive(bus, queue)) == ["0", "2"]


def test_one_entry_of_a_publish_batch_fails_by_attribute(bus: BusServer, queue: str) -> None:
    sns = bus.client("sns")
    topic = sns.create_topic(Name="partial")["TopicArn"]
    arn = f"arn:aws:sqs:sa-east-1:000000000000:{name_of(queue)}"
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
    bus.control.misbehave(fault="fail", action="PublishBatch", attributes={"type": "bad"})
    entries = [
        {
            "Id": kind,
            "Message": kind,
            "MessageAttributes": {"type": {"DataType": "String", "StringValue": kind}},
        }
        for kind in ("good", "bad")
    ]

    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)

    assert [(e["Id"], e["SenderFault"]) for e in answer["Failed"]] == [("bad", False)]
    assert [m["Body"] for m in receive(bus, queue)] == ["good"]


def test_a_receipt_expires_on_demand(bus: BusServer, queue: str) -> None:
    send(bus, queue, "a")
    (message,) = receive(bus, queue)
    bus.control.misbehave(fault="expire_receipt", action=["DeleteMessage"], times=1)
    call = bus.client("sqs").delete_message
    params = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]}

    assert refusal(call, **params) == (400, "ReceiptHandleIsInvalid")
    call(**params)
    assert depth(bus, queue) == 0
