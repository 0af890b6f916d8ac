"""A bus that behaves again after each test, and short ways to talk to it."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.bus_server import BusServer, running_bus


@pytest.fixture(scope="module")
def server() -> Iterator[BusServer]:
    with running_bus() as server:
        yield server


@pytest.fixture
def bus(server: BusServer) -> Iterator[BusServer]:
    yield server
    server.control.behave()


@pytest.fixture
def queue(bus: BusServer, request: pytest.FixtureRequest) -> str:
    return bus.queue("".join(c if c.isalnum() else "-" for c in request.node.name)[-80:])


def name_of(queue: str) -> str:
    return queue.rpartition("/")[2]


def send(bus: BusServer, queue: str, *bodies: str, kind: str = "x") -> list[str]:
    kinds = {"type": {"DataType": "String", "StringValue": kind}}
    sqs = bus.client("sqs")
    return [
        sqs.send_message(QueueUrl=queue, MessageBody=body, MessageAttributes=kinds)["MessageId"]
        for body in bodies
    ]


def receive(bus: BusServer, queue: str, *, wait: int = 0, visibility: int = 30) -> list[Any]:
    answer = bus.client("sqs").receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=wait,
        VisibilityTimeout=visibility,
        MessageSystemAttributeNames=["All"],
    )
    found: list[Any] = answer.get("Messages", [])
    return found


def delete_batch(bus: BusServer, queue: str, messages: list[Any]) -> Any:
    entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
    return bus.client("sqs").delete_message_batch(QueueUrl=queue, Entries=entries)


def refusal(call: Any, **params: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def depth(bus: BusServer, queue: str) -> int:
    return sum(bus.control.queues()[name_of(queue)].values())
