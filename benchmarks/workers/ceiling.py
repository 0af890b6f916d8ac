"""The ceiling: signed requests by hand on bare connections, and nothing that keeps a promise.

No task per message, no retries, no heartbeat, no inbox, no readable errors: what is left is what
Python must at least spend to receive, read and delete messages.
"""

import asyncio
import hashlib
import hmac
import json
import os
from collections import deque
from datetime import UTC, datetime
from typing import cast
from urllib.parse import urlsplit

import uvloop

POLLERS, DELETERS, WINDOW = 16, 16, 400
IO_SECONDS, DELETE_AFTER = 0.005, 0.005
QUEUE_URL = os.environ.get("BENCH_QUEUE_URL", "")
HANDLER = os.environ.get("BENCH_HANDLER", "trivial")
REGION = os.environ.get("AWS_REGION", "sa-east-1")
_SIGNED = "content-type;host;x-amz-date;x-amz-target"


class Signer:
    """AWS Signature Version 4 with the day's key kept ("Signing AWS requests")."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._day = ""
        self._key = b""

    def head(self, target: str, body: bytes, *, now: datetime) -> bytes:
        """Give the head of a signed POST."""
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{REGION}/sqs/aws4_request"
        canonical = (
            f"POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:{self._host}\n"
            f"x-amz-date:{stamp}\nx-amz-target:AmazonSQS.{target}\n\n{_SIGNED}\n"
            f"{hashlib.sha256(body).hexdigest()}"
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
        signature = hmac.new(self._key_of(stamp[:8]), text.encode(), hashlib.sha256).hexdigest()
        access = os.environ["AWS_ACCESS_KEY_ID"]
        return (
            f"POST / HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Date: {stamp}\r\nX-Amz-Target: AmazonSQS.{target}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={access}/{scope},"
            f" SignedHeaders={_SIGNED}, Signature={signature}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()

    def _key_of(self, day: str) -> bytes:
        if day != self._day:
            key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
            for part in (day, REGION, "sqs", "aws4_request"):
                key = hmac.new(key, part.encode(), hashlib.sha256).digest()
            self._day, self._key = day, key
        return self._key


class Wire(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Gather the answer; the bed says its length last."""
        self._buffer = self._buffer + data if self._buffer else data
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if mark and len(rest) == int(head.rpartition(b" ")[2]) and self._answer is not None:
            self._buffer = b""
            self._answer.set_result(rest)

    def call(self, target: str, body: bytes) -> "asyncio.Future[bytes]":
        """Send a request; the future is its answer's body."""
        assert self._transport is not None
        head = self._signer.head(target, body, now=datetime.now(UTC))
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(head + body)
        return self._answer


class Ceiling:
    """16 pollers, a window of 400, deletes by ten."""

    def __init__(self) -> None:
        self._in_hand = 0
        self._done: deque[str] = deque()
        self._is_due = False
        self._is_free = asyncio.Event()
        self._has_work = asyncio.Event()
        self._body = json.dumps(
            {"QueueUrl": QUEUE_URL, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 20}
        ).encode()

    async def poll(self, wire: Wire) -> None:
        """Receive for ever."""
        loop = asyncio.get_running_loop()
        while True:
            while self._in_hand >= WINDOW:
                self._is_free.clear()
                await self._is_free.wait()
            answer = json.loads(await wire.call("ReceiveMessage", self._body))
            for message in answer.get("Messages", ()):
                json.loads(message["Body"])
                self._in_hand += 1
                if HANDLER == "io":
                    loop.call_later(IO_SECONDS, self._finish, message["ReceiptHandle"])
                else:
                    self._finish(message["ReceiptHandle"])

    async def delete(self, wire: Wire) -> None:
        """Delete for ever."""
        while True:
            while len(self._done) < 10 and not (self._done and self._is_due):
                self._has_work.clear()
                await self._has_work.wait()
            self._is_due = False
            count = min(10, len(self._done))
            entries = [{"Id": str(i), "ReceiptHandle": self._done.popleft()} for i in range(count)]
            body = json.dumps({"QueueUrl": QUEUE_URL, "Entries": entries}).encode()
            await wire.call("DeleteMessageBatch", body)
            self._in_hand -= count
            self._is_free.set()

    def _finish(self, receipt: str) -> None:
        self._done.append(receipt)
        if len(self._done) >= 10:
            self._has_work.set()
        elif len(self._done) == 1:
            asyncio.get_running_loop().call_later(DELETE_AFTER, self._be_due)

    def _be_due(self) -> None:
        self._is_due = True
        self._has_work.set()


async def main() -> None:
    """Consume for ever."""
    parts = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    loop = asyncio.get_running_loop()
    signer, ceiling = Signer(parts.netloc), Ceiling()

    async def wire() -> Wire:
        _, made = await loop.create_connection(lambda: Wire(signer), host, port)
        return made

    polls = [ceiling.poll(await wire()) for _ in range(POLLERS)]
    deletes = [ceiling.delete(await wire()) for _ in range(DELETERS)]
    await asyncio.gather(*polls, *deletes)


if __name__ == "__main__":
    uvloop.run(main())
