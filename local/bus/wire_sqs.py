"""SQS over the AWS JSON 1.0 protocol, as botocore speaks it: actions in, answers out."""

import hashlib
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from local.bus.errors import AwsError, invalid, missing
from local.bus.queue import BusQueue, Entry
from local.bus.world import ACCOUNT, REGION, World

MESSAGE_LIMIT = 1024 * 1024
BATCH_LIMIT = 10
Request = dict[str, Any]


class SqsWire:
    """Translate requests to the world and back."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._actions: dict[str, Callable[[Request, str], Awaitable[Request]]] = {
            name.removeprefix("do_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("do_")
        }

    async def handle(self, action: str, request: Request, base: str) -> Request:
        """Do one action; raise `AwsError`."""
        found = self._actions.get(action)
        if found is None:
            raise AwsError("InvalidAction", f"The action {action} is not valid for this endpoint.")
        return await found(request, base)

    async def do_CreateQueue(self, request: Request, base: str) -> Request:  # noqa: N802  # AWS names it.
        name = _text(request, "QueueName")
        if not name.replace("-", "").replace("_", "").isalnum() or len(name) > 80:
            raise invalid("a standard queue's name has letters, digits, - and _; FIFO is not here")
        self._world.create_queue(name, request.get("Attributes") or {})
        return {"QueueUrl": f"{base}/{ACCOUNT}/{name}"}

    async def do_GetQueueUrl(self, request: Request, base: str) -> Request:  # noqa: N802
        return {"QueueUrl": f"{base}/{ACCOUNT}/{self._named(_text(request, 'QueueName')).name}"}

    async def do_ListQueues(self, request: Request, base: str) -> Request:  # noqa: N802
        prefix = request.get("QueueNamePrefix") or ""
        names = sorted(n for n in self._world.queues if n.startswith(prefix))
        return {"QueueUrls": [f"{base}/{ACCOUNT}/{name}" for name in names]}

    async def do_DeleteQueue(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        self._world.delete_queue(self._queue(request).name)
        return {}

    async def do_PurgeQueue(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        self._queue(request).purge()
        return {}

    async def do_SetQueueAttributes(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        self._world.configure(self._queue(request), request.get("Attributes") or {})
        return {}

    async def do_GetQueueAttributes(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        queue = self._queue(request)
        counts, settings = queue.counts(), queue.settings
        known = {
            **settings.raw,
            "QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.name}",
            "ApproximateNumberOfMessages": str(counts["visible"]),
            "ApproximateNumberOfMessagesNotVisible": str(counts["in_flight"]),
            "ApproximateNumberOfMessagesDelayed": str(counts["delayed"]),
            "VisibilityTimeout": str(settings.visibility),
            "DelaySeconds": str(settings.delay),
            "MessageRetentionPeriod": str(settings.retention),
            "ReceiveMessageWaitTimeSeconds": str(settings.wait),
            "CreatedTimestamp": str(int(queue.created_at)),
        }
        wanted = request.get("AttributeNames") or []
        return {"Attributes": {k: v for k, v in known.items() if k in wanted or "All" in wanted}}

    async def do_SendMessage(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        return self._send(self._queue(request), request)

    async def do_SendMessageBatch(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        queue = self._queue(request)
        return _batch(request, lambda entry: self._send(queue, entry))

    async def do_ReceiveMessage(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        queue = self._queue(request)
        limit = _number(request, "MaxNumberOfMessages", default=1, low=1, high=BATCH_LIMIT)
        wait = _number(request, "WaitTimeSeconds", default=queue.settings.wait, low=0, high=20)
        visibility = _number(
            request, "VisibilityTimeout", default=queue.settings.visibility, low=0, high=43_200
        )
        dead = self._world.dead_letters_of(queue)
        taken = await queue.receive(limit=limit, wait=wait, visibility=visibility, dead=dead)
        return {"Messages": [_message(entry, request) for entry in taken]} if taken else {}

    async def do_DeleteMessage(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        self._queue(request).delete(_text(request, "ReceiptHandle"))
        return {}

    async def do_DeleteMessageBatch(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        queue = self._queue(request)

        def delete(entry: Request) -> Request:
            queue.delete(_text(entry, "ReceiptHandle"))
            return {}

        return _batch(request, delete)

    async def do_ChangeMessageVisibility(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        return self._change(self._queue(request), request)

    async def do_ChangeMessageVisibilityBatch(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        queue = self._queue(request)
        return _batch(request, lambda entry: self._change(queue, entry))

    def _change(self, queue: BusQueue, request: Request) -> Request:
        seconds = _number(request, "VisibilityTimeout", default=None, low=0, high=43_200)
        queue.change_visibility(_text(request, "ReceiptHandle"), seconds=seconds)
        return {}

    def _send(self, queue: BusQueue, request: Request) -> Request:
        body = _text(request, "MessageBody")
        if len(body.encode()) > MESSAGE_LIMIT:
            raise invalid("One or more parameters are invalid. The message is longer than 1 MiB.")
        attributes = _attributes(request)
        delay = request.get("DelaySeconds")
        if delay is not None:
            delay = _number(request, "DelaySeconds", default=0, low=0, high=900)
        entry = self._world.send(queue, body, attributes=attributes, delay=delay)
        answer = {"MessageId": entry.id, "MD5OfMessageBody": _md5(body.encode())}
        if attributes:
            answer["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
        return answer

    def _queue(self, request: Request) -> BusQueue:
        return self._named(_text(request, "QueueUrl").rstrip("/").rpartition("/")[2])

    def _named(self, name: str) -> BusQueue:
        queue = self._world.queues.get(name)
        if queue is None:
            raise AwsError("QueueDoesNotExist", "The specified queue does not exist.")
        return queue


def _batch(request: Request, do: Callable[[Request], Request]) -> Request:
    entries = request.get("Entries")
    if not isinstance(entries, list) or not entries:
        raise AwsError("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > BATCH_LIMIT:
        raise AwsError("TooManyEntriesInBatchRequest", "Maximum number of entries is 10.")
    if not all(isinstance(entry, dict) for entry in entries):
        raise invalid("each entry is an object")
    ids = [_text(entry, "Id") for entry in entries]
    if len(set(ids)) < len(ids):
        raise AwsError("BatchEntryIdsNotDistinct", "Two or more entries have the same Id.")
    done: list[Request] = []
    failed: list[Request] = []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], **do(entry)})
        except AwsError as exc:
            failed.append(
                {"Id": entry["Id"], "Code": exc.code, "Message": exc.message, "SenderFault": True}
            )
    return {"Successful": done, **({"Failed": failed} if failed else {})}


def _message(entry: Entry, request: Request) -> Request:
    names = (request.get("MessageSystemAttributeNames") or []) + (
        request.get("AttributeNames") or []
    )
    system = {
        "ApproximateReceiveCount": str(entry.receive_count),
        "SentTimestamp": str(int(entry.sent_at * 1000)),
        "ApproximateFirstReceiveTimestamp": str(int((entry.first_received_at or 0) * 1000)),
        "SenderId": ACCOUNT,
    }
    message: Request = {
        "MessageId": entry.id,
        "ReceiptHandle": entry.receipt,
        "MD5OfBody": _md5(entry.body.encode()),
        "Body": entry.body,
    }
    chosen = {k: v for k, v in system.items() if k in names or "All" in names}
    if chosen:
        message["Attributes"] = chosen
    wanted = request.get("MessageAttributeNames") or []
    attributes = {
        k: v
        for k, v in entry.attributes.items()
        if k in wanted or "All" in wanted or ".*" in wanted
    }
    if attributes:
        message["MessageAttributes"] = attributes
        message["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
    return message


def md5_of_attributes(attributes: dict[str, Any]) -> str:
    """Digest message attributes as the SQS developer guide prescribes; botocore checks it."""
    packed = b""
    for name in sorted(attributes):
        value = attributes[name]
        packed += _packed(name.encode()) + _packed(value["DataType"].encode())
        packed += b"\x01" + _packed(value.get("StringValue", "").encode())
    return _md5(packed)


def _packed(part: bytes) -> bytes:
    return struct.pack(">I", len(part)) + part


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _attributes(request: Request) -> dict[str, Any]:
    attributes = request.get("MessageAttributes") or {}
    if not isinstance(attributes, dict) or len(attributes) > 10:
        raise invalid("at most ten message attributes, as an object")
    for value in attributes.values():
        if not isinstance(value, dict) or not isinstance(value.get("DataType"), str):
            raise invalid("each message attribute needs a DataType")
        if not isinstance(value.get("StringValue", ""), str):
            raise invalid("binary message attributes are not supported here")
    return attributes


def _text(request: Request, name: str) -> str:
    value = request.get(name)
    if value is None or value == "":
        raise missing(name)
    if not isinstance(value, str):
        raise invalid(f"{name} must be text")
    return value


def _number(request: Request, name: str, *, default: int | None, low: int, high: int) -> int:
    value = request.get(name, default)
    if value is None:
        raise missing(name)
    if type(value) is not int or not low <= value <= high:
        raise invalid(f"Value {value!r} for parameter {name} is invalid: {low} to {high}.")
    return value
