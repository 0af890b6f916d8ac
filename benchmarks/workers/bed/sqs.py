"""The actions of SQS over AWS JSON, as far as consumers use them."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from benchmarks.workers.bed.bodies import QUEUE, Render
from benchmarks.workers.bed.http import Connection
from benchmarks.workers.bed.queue import BedQueue

JSON = b"application/x-amz-json-1.0"
ACCOUNT = "000000000000"
Fields = dict[str, Any]
# The digest of the two attributes is made as the SQS developer guide prescribes.
_DETAILS = (
    b',"MessageAttributes":{"source":{"DataType":"String","StringValue":"payments"},'
    b'"type":{"DataType":"String","StringValue":"payments.payment.approved.v1"}}'
    b',"MD5OfMessageAttributes":"7ff3a40792d9ac83a77bd27f9dc0b79a"'
)


class Poll:
    """A receive that waits for its first message."""

    __slots__ = ("connection", "fields", "timer")

    def __init__(self, connection: Connection, fields: Fields) -> None:
        self.connection = connection
        self.fields = fields
        self.timer: asyncio.TimerHandle | None = None


class SQSActions:
    """Answer the actions on one queue and its dead-letter queue."""

    def __init__(self, queue: BedQueue, *, render: Render, base: str) -> None:
        self._queue = queue
        self._base = base
        self._polls: deque[Poll] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self.render = render
        self.calls: dict[str, int] = {}

    def handle(self, action: str, body: bytes, connection: Connection) -> None:
        """Do one action and answer it, now or later."""
        self.calls[action] = self.calls.get(action, 0) + 1
        fields: Fields = json.loads(body or b"{}")
        if action == "ReceiveMessage":
            self._receive(fields, connection)
            return
        do: Callable[[Fields], Fields] | None = getattr(self, f"_do_{action}", None)
        if do is None:
            connection.answer(400, JSON, b'{"__type":"com.amazonaws.sqs#InvalidAction"}')
            return
        connection.answer(200, JSON, json.dumps(do(fields)).encode())

    def wake(self) -> None:
        """Serve the polls that wait, as far as there are messages."""
        while self._polls:
            poll = self._polls[0]
            taken = self._queue.take(poll.fields.get("MaxNumberOfMessages", 1))
            if not taken:
                self._arm()
                return
            self._end(poll)
            poll.connection.answer(200, JSON, self._messages(taken, poll.fields))

    def _receive(self, fields: Fields, connection: Connection) -> None:
        taken = self._queue.take(fields.get("MaxNumberOfMessages", 1))
        wait = fields.get("WaitTimeSeconds", 0)
        if taken or not wait:
            connection.answer(200, JSON, self._messages(taken, fields))
            return
        poll = Poll(connection, fields)
        self._polls.append(poll)
        connection.on_lost = lambda: self._end(poll)
        poll.timer = asyncio.get_running_loop().call_later(wait, self._expire, poll)
        self._arm()

    def _expire(self, poll: Poll) -> None:
        self._end(poll)
        poll.connection.answer(200, JSON, b"{}")

    def _end(self, poll: Poll) -> None:
        poll.connection.on_lost = None
        if poll.timer is not None:
            poll.timer.cancel()
        if poll in self._polls:
            self._polls.remove(poll)

    def _arm(self) -> None:
        # Somebody waits and all is hidden: look again when the first may come back.
        due = self._queue.next_due
        if self._alarm is not None:
            self._alarm.cancel()
        if due is not None:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(max(0.001, due - self._queue.clock()), self.wake)

    def _messages(self, taken: list[tuple[int, int]], fields: Fields) -> bytes:
        if not taken:
            return b"{}"
        has_details = bool(fields.get("MessageAttributeNames"))
        names = fields.get("MessageSystemAttributeNames") or fields.get("AttributeNames")
        entries = [self._message(n, count, bool(names), has_details) for n, count in taken]
        return b'{"Messages":[' + b",".join(entries) + b"]}"

    def _message(self, number: int, count: int, has_system: bool, has_details: bool) -> bytes:  # noqa: FBT001  # The hot path.
        body, digest = self.render(number)
        system = b""
        if has_system:
            sent = int(self._queue.sent_at(number) * 1000)
            system = b',"Attributes":{"ApproximateReceiveCount":"%d","SentTimestamp":"%d"}' % (
                count,
                sent,
            )
        return (
            b'{"MessageId":"b0000000-0000-4000-8000-%012x","ReceiptHandle":"%d.%d",'
            b'"MD5OfBody":"%s","Body":"%s"%s%s}'
            % (number, number, count, digest, body, system, _DETAILS if has_details else b"")
        )

    def _do_DeleteMessage(self, fields: Fields) -> Fields:  # noqa: N802  # AWS names it.
        self._queue.delete(fields["ReceiptHandle"])
        return {}

    def _do_DeleteMessageBatch(self, fields: Fields) -> Fields:  # noqa: N802
        for entry in fields["Entries"]:
            self._queue.delete(entry["ReceiptHandle"])
        return {"Successful": [{"Id": entry["Id"]} for entry in fields["Entries"]], "Failed": []}

    def _do_ChangeMessageVisibility(self, fields: Fields) -> Fields:  # noqa: N802
        self._queue.hide(fields["ReceiptHandle"], seconds=fields["VisibilityTimeout"])
        self.wake()
        return {}

    def _do_ChangeMessageVisibilityBatch(self, fields: Fields) -> Fields:  # noqa: N802
        for entry in fields["Entries"]:
            self._queue.hide(entry["ReceiptHandle"], seconds=entry["VisibilityTimeout"])
        self.wake()
        return {"Successful": [{"Id": entry["Id"]} for entry in fields["Entries"]], "Failed": []}

    def _do_SendMessage(self, fields: Fields) -> Fields:  # noqa: ARG002, N802  # Only rejects are sent.
        self._queue.counts.rejected += 1
        return {"MessageId": f"d{self._queue.counts.rejected}"}

    def _do_SendMessageBatch(self, fields: Fields) -> Fields:  # noqa: N802
        self._queue.counts.rejected += len(fields["Entries"])
        done = [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in fields["Entries"]]
        return {"Successful": done, "Failed": []}

    def _do_GetQueueUrl(self, fields: Fields) -> Fields:  # noqa: N802
        return {"QueueUrl": f"{self._base}/{ACCOUNT}/{fields['QueueName']}"}

    def _do_ListQueues(self, fields: Fields) -> Fields:  # noqa: ARG002, N802
        return {"QueueUrls": [f"{self._base}/{ACCOUNT}/{QUEUE}"]}

    def _do_GetQueueAttributes(self, fields: Fields) -> Fields:  # noqa: ARG002, N802
        depth = self._queue.counts.filled - self._queue.counts.deleted
        return {
            "Attributes": {"ApproximateNumberOfMessages": str(depth), "VisibilityTimeout": "30"}
        }
