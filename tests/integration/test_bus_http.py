"""The bus's own HTTP: order, framing, clients that leave, kills."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.bus_server import BusServer, running_bus


@pytest.fixture(scope="module")
def bus() -> Iterator[BusServer]:
    with running_bus() as server:
        yield server


def request(action: str, params: Any, *, headers: str = "") -> bytes:
    body = params if isinstance(params, bytes) else json.dumps(params).encode()
    head = f"POST / HTTP/1.1\r\nhost: bus\r\nx-amz-target: AmazonSQS.{action}\r\n{headers}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def opened(bus: BusServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(bus.url.rpartition(":")[2]))


async def answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return int(head.split()[1]), json.loads(await reader.readexactly(length))


async def test_requests_sent_together_are_answered_in_order(bus: BusServer) -> None:
    queue = bus.queue("pipelined")
    reader, writer = await opened(bus)
    poll = request("ReceiveMessage", {"QueueUrl": queue, "WaitTimeSeconds": 1})
    look = request("GetQueueUrl", {"QueueName": "pipelined"})

    writer.write(look + poll + look + look)

    answers = [await answer(reader) for _ in range(4)]
    assert [status for status, _ in answers] == [200] * 4
    assert [sorted(content) for _, content in answers] == [["QueueUrl"], [], *[["QueueUrl"]] * 2]
    writer.close()


async def test_a_chunked_body_is_read(bus: BusServer) -> None:
    bus.queue("chunked")
    reader, writer = await opened(bus)
    head = b"POST / HTTP/1.1\r\nhost: bus\r\nx-amz-target: AmazonSQS.GetQueueUrl\r\n"

    writer.write(head + b"transfer-encoding: chunked\r\n\r\n")
    writer.write(b'd\r\n{"QueueName":\r\n' + b'a\r\n"chunked"}\r\n' + b"0\r\n\r\n")

    assert (await answer(reader))[0] == 200
    writer.close()


async def test_a_client_may_ask_for_the_end_of_the_connection(bus: BusServer) -> None:
    reader, writer = await opened(bus)

    writer.write(request("ListQueues", {}, headers="connection: close\r\n"))

    assert (await answer(reader))[0] == 200
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(
    ("action", "params", "status", "code"),
    [
        ("Levitate", {}, 404, "com.amazon.coral.service#UnknownOperationException"),
        ("SendMessage", b"{", 400, "com.amazon.coral.service#SerializationException"),
        ("SendMessage", b"[1]", 400, "com.amazon.coral.service#SerializationException"),
        ("SendMessage", b"[" * 100_000, 400, "com.amazon.coral.service#SerializationException"),
        ("SendMessage", {}, 400, "com.amazonaws.sqs#MissingParameter"),
        ("SendMessage", {"QueueUrl": 7}, 400, "com.amazon.coral.service#SerializationException"),
        ("SendMessage", b"x" * 5_000_000, 413, "com.amazonaws.sqs#RequestEntityTooLarge"),
        ("CreateQueue", {"QueueName": "a b"}, 400, "com.amazonaws.sqs#InvalidParameterValue"),
    ],
)
async def test_a_wrong_request_is_refused_in_awss_words(
    bus: BusServer, action: str, params: Any, status: int, code: str
) -> None:
    reader, writer = await opened(bus)

    writer.write(request(action, params))

    told, content = await answer(reader)
    assert (told, content["__type"]) == (status, code)
    writer.close()


async def test_a_fault_of_the_bus_is_an_answer_and_not_silence(bus: BusServer) -> None:
    queue = bus.queue("ours")
    reader, writer = await opened(bus)

    writer.write(request("GetQueueAttributes", {"QueueUrl": queue, "AttributeNames": 5}))

    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 500 ")
    writer.close()


async def test_what_is_not_http_ends_the_connection(bus: BusServer) -> None:
    reader, writer = await opened(bus)

    writer.write(b"\x16\x03\x01 hello\r\n\r\n")

    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_a_poll_whose_client_is_gone_takes_no_message(bus: BusServer) -> None:
    queue = bus.queue("gone")
    _, writer = await opened(bus)
    writer.write(request("ReceiveMessage", {"QueueUrl": queue, "WaitTimeSeconds": 20}))
    await writer.drain()
    await asyncio.sleep(0.2)

    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.2)

    bus.client("sqs").send_message(QueueUrl=queue, MessageBody="b")
    assert bus.control.queues()["gone"] == {"visible": 1, "in_flight": 0, "delayed": 0}


async def test_many_polls_share_what_arrives_without_doubles(bus: BusServer) -> None:
    queue = bus.queue("shared")
    connections = [await opened(bus) for _ in range(10)]
    for _, writer in connections:
        writer.write(request("ReceiveMessage", {"QueueUrl": queue, "WaitTimeSeconds": 5}))

    sqs = bus.client("sqs")
    for number in range(10):
        await asyncio.to_thread(sqs.send_message, QueueUrl=queue, MessageBody=str(number))

    answers = [await answer(reader) for reader, _ in connections]
    bodies = [m["Body"] for _, content in answers for m in content.get("Messages", [])]
    assert sorted(bodies) == sorted(str(n) for n in range(10))


def test_a_reset_is_a_reset_and_not_a_polite_close(bus: BusServer) -> None:
    bus.control.misbehave(fault="reset", action="ListQueues", times=1)
    with socket.create_connection(("127.0.0.1", int(bus.url.rpartition(":")[2]))) as client:
        client.sendall(request("ListQueues", {}))

        with pytest.raises(ConnectionResetError):
            client.recv(100)


def test_what_was_acknowledged_survives_sigkill_and_what_was_deleted_is_gone(
    tmp_path: Path,
) -> None:
    with running_bus(tmp_path) as bus:
        queue = bus.queue("durable")
        sent: set[str] = set()
        deleted: set[str] = set()
        threads = [
            threading.Thread(target=use_until_killed, args=(bus, queue, sent, deleted))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        while len(deleted) < 100:
            threads[0].join(0.01)

        bus.kill()
        for thread in threads:
            thread.join()
        bus.start()

        alive = survivors(bus, queue)
        # The answer to the last delete of each of the four threads may have been lost.
        assert len(sent - deleted - alive) <= 4
        assert not alive & deleted


def use_until_killed(bus: BusServer, queue: str, sent: set[str], deleted: set[str]) -> None:
    sqs = bus.client("sqs")
    try:
        while True:
            for _ in range(2):
                sent.add(sqs.send_message(QueueUrl=queue, MessageBody="b")["MessageId"])
            for message in sqs.receive_message(QueueUrl=queue).get("Messages", []):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                deleted.add(message["MessageId"])
    except (BotoCoreError, ClientError):
        return


def survivors(bus: BusServer, queue: str) -> set[str]:
    sqs = bus.client("sqs")
    found: set[str] = set()
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        found |= {message["MessageId"] for message in messages}
    return found
