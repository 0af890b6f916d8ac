"""A long poll answers as soon as there is a message, whenever that comes."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from local.bus.wire_sqs import SqsWire
from local.bus.world import World

BASE = "http://127.0.0.1:1"


@pytest.fixture
def sqs() -> SqsWire:
    wire = SqsWire(World(None))
    wire.handle("CreateQueue", {"QueueName": "orders"}, BASE)
    return wire


def asked(sqs: SqsWire, action: str, **words: Any) -> Any:
    url = f"{BASE}/000000000000/orders"
    return sqs.handle(action, {"QueueUrl": url, **words}, BASE)


def poll(sqs: SqsWire) -> Coroutine[Any, Any, dict[str, Any]]:
    begun: Coroutine[Any, Any, dict[str, Any]] = asked(sqs, "ReceiveMessage", WaitTimeSeconds=20)
    return begun


async def test_a_message_that_comes_before_a_poll_waits_calls_it_all_the_same(
    sqs: SqsWire,
) -> None:
    # The poll looked and found nothing; it is to wait in the next turn of the loop.
    begun = poll(sqs)
    asked(sqs, "SendMessage", MessageBody="between")

    async with asyncio.timeout(2):
        answer = await begun

    assert [it["Body"] for it in answer["Messages"]] == ["between"]


async def test_a_message_calls_who_waits(sqs: SqsWire) -> None:
    waiting = asyncio.create_task(poll(sqs))
    await asyncio.sleep(0)
    asked(sqs, "SendMessage", MessageBody="later")

    async with asyncio.timeout(2):
        answer = await waiting

    assert [it["Body"] for it in answer["Messages"]] == ["later"]


async def test_who_was_called_for_a_message_that_another_took_goes_on_waiting(
    sqs: SqsWire,
) -> None:
    waiting = asyncio.create_task(poll(sqs))
    await asyncio.sleep(0)
    asked(sqs, "SendMessage", MessageBody="first")
    assert len(asked(sqs, "ReceiveMessage")["Messages"]) == 1

    await asyncio.sleep(0)
    await asyncio.sleep(0)
    is_answered = waiting.done()
    asked(sqs, "SendMessage", MessageBody="second")
    async with asyncio.timeout(2):
        answer = await waiting

    assert not is_answered
    assert [it["Body"] for it in answer["Messages"]] == ["second"]
