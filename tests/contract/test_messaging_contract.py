"""One suite for every publisher and queue of ours: in memory, on our bus, moto, ministack, AWS."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryPublisher, InMemoryQueue
from comanda.messaging.ports import Message, MessagingUnavailable, Publisher, Queue
from comanda.messaging.sns import SNSPublisher
from comanda.messaging.sqs import SQSQueue
from comanda.messaging.sync import SNSPublisher as LambdaPublisher
from local.supervisor.ports import reserve_ports
from tests.messaging_parties import WIRED, Party, running
from tests.messaging_wire import Wire

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ONCE = AioConfig(retries={"total_max_attempts": 1}, connect_timeout=1)
SOON = timedelta(seconds=1)


def sealed(number: int) -> Envelope:
    event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId(str(number)))
    return seal(event, now=NOW)


@dataclass(frozen=True)
class Pipe:
    """A publisher, the queue behind it, and how to read its dead letters."""

    publisher: Publisher
    queue: Queue
    dead: Callable[[], Awaitable[list[tuple[str, str]]]]


@pytest.fixture(scope="module", params=("memory", *WIRED))
def party(request: pytest.FixtureRequest) -> Iterator[Party | None]:
    if request.param == "memory":
        yield None
        return
    with running(request.param) as party:
        yield party


@pytest.fixture(scope="module")
def bus() -> Iterator[Party]:
    with running("bus") as party:
        yield party


@asynccontextmanager
async def wired_pipe(party: Party) -> AsyncIterator[Pipe]:
    wire = Wire(party.client("sqs"), party.client("sns"))
    topic = wire.topic()
    url, dlq = wire.listen(topic), wire.queue()

    async def dead() -> list[tuple[str, str]]:
        return [
            (m["Body"], m["MessageAttributes"]["reason"]["StringValue"]) for m in wire.receive(dlq)
        ]

    session = get_session()
    async with (
        session.create_client("sns", **party.connection) as sns,
        session.create_client("sqs", **party.connection) as sqs,
    ):
        yield Pipe(
            publisher=SNSPublisher(sns, topic_arn=topic),
            queue=SQSQueue(sqs, url=url, dlq_url=dlq),
            dead=dead,
        )
    wire.close()


@asynccontextmanager
async def memory_pipe() -> AsyncIterator[Pipe]:
    queue = InMemoryQueue()

    class Wired(InMemoryPublisher):
        async def publish(self, envelopes: Any) -> None:
            await super().publish(envelopes)
            for envelope in envelopes:
                shop = str(envelope.event.shop_id)
                queue.send(envelope.to_json(), attributes=envelope.attributes, group=shop)

    async def dead() -> list[tuple[str, str]]:
        return [(message.body, reason) for message, reason in queue.dead]

    yield Pipe(publisher=Wired(), queue=queue, dead=dead)


@pytest.fixture
async def pipe(party: Party | None) -> AsyncIterator[Pipe]:
    async with memory_pipe() if party is None else wired_pipe(party) as pipe:
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


async def test_a_part_of_a_second_does_not_bring_a_message_back_at_once(pipe: Pipe) -> None:
    await pipe.publisher.publish([sealed(1)])
    (message,) = await pipe.queue.receive(limit=10, wait=SOON)

    await pipe.queue.hide(message, duration=timedelta(milliseconds=900))

    assert await pipe.queue.receive(limit=10, wait=timedelta()) == []


async def test_a_rejected_message_is_a_dead_letter_with_its_reason(pipe: Pipe) -> None:
    await pipe.publisher.publish([sealed(1)])
    (message,) = await pipe.queue.receive(limit=10, wait=SOON)

    await pipe.queue.reject(message, reason="no such order")

    assert await pipe.dead() == [(message.body, "no such order")]
    assert await pipe.queue.receive(limit=10, wait=SOON) == []


async def test_a_dead_letter_keeps_its_attributes_and_no_other_message_is_hurt(pipe: Pipe) -> None:
    await pipe.publisher.publish([sealed(1), sealed(2)])
    messages: list[Message] = []
    while len(messages) < 2:
        messages += await pipe.queue.receive(limit=10, wait=SOON)

    await pipe.queue.reject(messages[0], reason="first")
    await pipe.queue.hide(messages[1], duration=timedelta())

    (left,) = await pipe.queue.receive(limit=10, wait=SOON)
    assert left.body == messages[1].body
    assert await pipe.dead() == [(messages[0].body, "first")]


async def test_deleting_what_is_gone_is_no_error(pipe: Pipe) -> None:
    await pipe.publisher.publish([sealed(1)])
    messages = await pipe.queue.receive(limit=10, wait=SOON)
    await pipe.queue.delete(messages)

    await pipe.queue.delete(messages)

    assert await pipe.queue.receive(limit=10, wait=SOON) == []


async def test_attributes_tell_the_type_and_source(pipe: Pipe) -> None:
    await pipe.publisher.publish([sealed(1)])

    (message,) = await pipe.queue.receive(limit=10, wait=SOON)

    assert message.attributes == {"type": "orders.order.paid.v1", "source": "orders"}


async def test_a_message_waits_among_those_of_its_shop(party: Party | None, pipe: Pipe) -> None:
    # ministack forgets the group on the way; that is listed among its divergences.
    expected = "" if party is not None and party.name == "ministack" else "lanchonete"
    await pipe.publisher.publish([sealed(1)])

    (message,) = await pipe.queue.receive(limit=10, wait=SOON)

    assert message.group == expected


async def test_an_unreachable_endpoint_is_an_outage_by_name() -> None:
    with reserve_ports(1) as (port,):
        arguments = Party("nobody", f"http://127.0.0.1:{port}").connection
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


def test_a_lambda_publishes_what_a_worker_reads(bus: Party) -> None:
    wire = Wire(bus.client("sqs"), bus.client("sns"))
    topic = wire.topic()
    url = wire.listen(topic, FilterPolicy='{"type": ["orders.order.paid.v1"]}')

    LambdaPublisher(wire.sns, topic_arn=topic).publish(sealed(1))

    (message,) = wire.receive(url)
    assert Envelope.from_json(message["Body"]).event == sealed(1).event
    assert message["Attributes"]["MessageGroupId"] == "lanchonete"
