"""One suite for every publisher and queue of ours: in memory, on our bus and on moto."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from moto.server import ThreadedMotoServer

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryPublisher, InMemoryQueue
from comanda.messaging.ports import MessagingUnavailable, Publisher, Queue
from comanda.messaging.sns import SNSPublisher
from comanda.messaging.sqs import SQSQueue
from comanda.messaging.sync import SNSPublisher as LambdaPublisher
from local.supervisor.ports import reserve_ports

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ONCE = AioConfig(retries={"total_max_attempts": 1}, connect_timeout=1)
SOON = timedelta(seconds=1)
ROOT = Path(__file__).resolve().parents[2]


def sealed(number: int) -> Envelope:
    event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId(str(number)))
    return seal(event, now=NOW)


@dataclass(frozen=True)
class Pipe:
    """A publisher, the queue behind it, and how to read its dead letters."""

    publisher: Publisher
    queue: Queue
    dead: Callable[[], Awaitable[list[tuple[str, str]]]]


@pytest.fixture(scope="module")
def moto_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def bus_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with reserve_ports(1) as (port,):
        data = tmp_path_factory.mktemp("bus")
        command = (sys.executable, "-m", "local.bus", "--port", str(port), "--data", str(data))
        process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ))
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_up(f"{url}/health")
            yield url
        finally:
            process.terminate()
            process.wait(10)


def wait_until_up(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not come up")


def connection(endpoint: str) -> dict[str, str]:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return {"endpoint_url": endpoint, "region_name": "sa-east-1", **keys}


@asynccontextmanager
async def aws_pipe(endpoint: str, name: str) -> AsyncIterator[Pipe]:
    sns = boto3.client("sns", **connection(endpoint))
    sqs = boto3.client("sqs", **connection(endpoint))
    topic = sns.create_topic(Name=f"{name}-events")["TopicArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    dlq = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    session = get_session()
    async with (
        session.create_client("sns", **connection(endpoint)) as sns_client,
        session.create_client("sqs", **connection(endpoint)) as sqs_client,
    ):

        async def dead() -> list[tuple[str, str]]:
            answer = await sqs_client.receive_message(
                QueueUrl=dlq, MessageAttributeNames=["All"], MaxNumberOfMessages=10
            )
            return [
                (m["Body"], m["MessageAttributes"]["reason"]["StringValue"])
                for m in answer.get("Messages", [])
            ]

        yield Pipe(
            publisher=SNSPublisher(sns_client, topic_arn=topic),
            queue=SQSQueue(sqs_client, url=url, dlq_url=dlq),
            dead=dead,
        )


@asynccontextmanager
async def memory_pipe() -> AsyncIterator[Pipe]:
    queue = InMemoryQueue()

    class Wired(InMemoryPublisher):
        async def publish(self, envelopes: Any) -> None:
            await super().publish(envelopes)
            for envelope in envelopes:
                queue.send(envelope.to_json())

    async def dead() -> list[tuple[str, str]]:
        return [(message.body, reason) for message, reason in queue.dead]

    yield Pipe(publisher=Wired(), queue=queue, dead=dead)


@pytest.fixture(params=["memory", "bus", "moto"])
async def pipe(request: pytest.FixtureRequest) -> AsyncIterator[Pipe]:
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)[-60:]
    if request.param == "memory":
        async with memory_pipe() as pipe:
            yield pipe
        return
    endpoint = request.getfixturevalue(f"{request.param}_endpoint")
    async with aws_pipe(endpoint, name) as pipe:
        yield pipe


async def receive_all(queue: Queue, expected: int) -> list[str]:
    bodies: list[str] = []
    for _ in range(40):
        messages = await queue.receive(limit=10, wait=SOON)
        bodies += [message.body for message in messages]
        await queue.delete(messages)
        if len(bodies) >= expected:
            break
    return bodies


async def test_everything_published_arrives(pipe: Pipe) -> None:
    envelopes = [sealed(n) for n in range(25)]

    await pipe.publisher.publish(envelopes)

    bodies = await receive_all(pipe.queue, len(envelopes))
    assert sorted(bodies) == sorted(envelope.to_json() for envelope in envelopes)


async def test_a_deleted_message_does_not_come_back(pipe: Pipe) -> None:
    await pipe.publisher.publish([sealed(1)])

    await receive_all(pipe.queue, 1)

    assert await pipe.queue.receive(limit=10, wait=SOON) == []


async def test_a_message_handed_back_is_received_again_and_counted(pipe: Pipe) -> None:
    await pipe.publisher.publish([sealed(1)])
    (first,) = await pipe.queue.receive(limit=10, wait=SOON)

    await pipe.queue.hide(first, duration=timedelta())
    (second,) = await pipe.queue.receive(limit=10, wait=SOON)

    assert (first.receive_count, second.receive_count) == (1, 2)
    assert second.body == first.body


async def test_a_hidden_message_stays_hidden(pipe: Pipe) -> None:
    await pipe.publisher.publish([sealed(1)])
    (message,) = await pipe.queue.receive(limit=10, wait=SOON)

    await pipe.queue.hide(message, duration=timedelta(seconds=30))

    assert await pipe.queue.receive(limit=10, wait=SOON) == []


async def test_a_rejected_message_is_a_dead_letter_with_its_reason(pipe: Pipe) -> None:
    await pipe.publisher.publish([sealed(1)])
    (message,) = await pipe.queue.receive(limit=10, wait=SOON)

    await pipe.queue.reject(message, reason="no such order")

    assert await pipe.dead() == [(message.body, "no such order")]
    assert await pipe.queue.receive(limit=10, wait=SOON) == []


async def test_attributes_tell_the_type_and_source(bus_endpoint: str) -> None:
    async with aws_pipe(bus_endpoint, "attributes") as pipe:
        await pipe.publisher.publish([sealed(1)])

        (message,) = await pipe.queue.receive(limit=10, wait=SOON)

    assert message.attributes == {"type": "orders.order.paid.v1", "source": "orders"}


async def test_an_unreachable_endpoint_is_an_outage_by_name() -> None:
    with reserve_ports(1) as (port,):
        arguments = connection(f"http://127.0.0.1:{port}")
        session = get_session()
        async with (
            session.create_client("sns", config=ONCE, **arguments) as sns,
            session.create_client("sqs", config=ONCE, **arguments) as sqs,
        ):
            queue = SQSQueue(sqs, url=f"{arguments['endpoint_url']}/0/q", dlq_url="http://d")
            (message,) = await in_memory_message()

            with pytest.raises(MessagingUnavailable):
                await SNSPublisher(sns, topic_arn="arn:aws:sns:sa-east-1:0:t").publish([sealed(1)])
            with pytest.raises(MessagingUnavailable):
                await queue.receive(limit=1, wait=SOON)
            with pytest.raises(MessagingUnavailable):
                await queue.delete([message])
            with pytest.raises(MessagingUnavailable):
                await queue.hide(message, duration=SOON)
            with pytest.raises(MessagingUnavailable):
                await queue.reject(message, reason="r")


async def in_memory_message() -> list[Any]:
    queue = InMemoryQueue()
    queue.send("body")
    return await queue.receive(limit=1, wait=SOON)


def test_a_lambda_publishes_what_a_worker_reads(bus_endpoint: str) -> None:
    sns = boto3.client("sns", **connection(bus_endpoint))
    sqs = boto3.client("sqs", **connection(bus_endpoint))
    topic = sns.create_topic(Name="lambda-events")["TopicArn"]
    url = sqs.create_queue(QueueName="lambda")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    raw = {"RawMessageDelivery": "true", "FilterPolicy": '{"type": ["orders.order.paid.v1"]}'}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"], Attributes=raw)

    LambdaPublisher(sns, topic_arn=topic).publish(sealed(1))

    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)["Messages"]
    assert Envelope.from_json(message["Body"]).event == sealed(1).event
