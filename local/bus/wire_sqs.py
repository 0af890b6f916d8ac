"""SQS over the AWS JSON 1.0 protocol, as botocore speaks it: actions in, answers out."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

from local.bus import fields
from local.bus.attributes import checked, checked_group, md5, md5_of_attributes, size_of
from local.bus.batches import run_batch
from local.bus.errors import AwsError, invalid
from local.bus.faults import Point, Subject
from local.bus.names import ACCOUNT, queue_arn
from local.bus.queue import BusQueue, Entry
from local.bus.received import shown
from local.bus.world import World

MESSAGE_LIMIT = 1024 * 1024
Request = dict[str, Any]
Later = Coroutine[Any, Any, Request]
# What XML 1.0 cannot hold, SQS does not take.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class SqsWire:
    """Translate requests to the world and back."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._faults = world.faults
        self._actions: dict[str, Callable[[Request, str], Request | Later]] = {
            name.removeprefix("do_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("do_")
        }

    def handle(self, action: str, request: Request, base: str) -> Request | Later:
        """Do one action, at once or, for a long poll, later; raise `AwsError`."""
        found = self._actions.get(action)
        if found is None:
            raise AwsError("UnknownOperationException", "", status=404)
        return found(request, base)

    def do_CreateQueue(self, request: Request, base: str) -> Request:  # noqa: N802  # AWS names it.
        name = fields.text(request, "QueueName")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name):
            raise invalid(
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in"
                " length"
            )
        self._world.create_queue(name, request.get("Attributes") or {})
        return {"QueueUrl": f"{base}/{ACCOUNT}/{name}"}

    def do_GetQueueUrl(self, request: Request, base: str) -> Request:  # noqa: N802
        return {
            "QueueUrl": f"{base}/{ACCOUNT}/{self._named(fields.text(request, 'QueueName')).name}"
        }

    def do_ListQueues(self, request: Request, base: str) -> Request:  # noqa: N802
        prefix = request.get("QueueNamePrefix") or ""
        names = sorted(n for n in self._world.queues if n.startswith(prefix))
        return {"QueueUrls": [f"{base}/{ACCOUNT}/{name}" for name in names]}

    def do_DeleteQueue(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        self._world.delete_queue(self._queue(request).name)
        return {}

    def do_PurgeQueue(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        self._world.purge(self._queue(request))
        return {}

    def do_SetQueueAttributes(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        self._world.configure(self._queue(request), request.get("Attributes") or {})
        return {}

    def do_GetQueueAttributes(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        queue = self._queue(request)
        counts, settings = queue.counts(), queue.settings
        known = {
            **settings.raw,
            "QueueArn": queue_arn(queue.name),
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

    def do_ListDeadLetterSourceQueues(self, request: Request, base: str) -> Request:  # noqa: N802
        arn = queue_arn(self._queue(request).name)
        sources = [q.name for q in self._world.queues.values() if q.settings.redrive_arn == arn]
        return {"queueUrls": [f"{base}/{ACCOUNT}/{name}" for name in sorted(sources)]}

    def do_SendMessage(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        return self._one("SendMessage", self._queue(request), request)

    def do_SendMessageBatch(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        return self._batch("SendMessageBatch", request)

    def do_DeleteMessage(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        return self._one("DeleteMessage", self._queue(request), request)

    def do_DeleteMessageBatch(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        return self._batch("DeleteMessageBatch", request)

    def do_ChangeMessageVisibility(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        return self._one("ChangeMessageVisibility", self._queue(request), request)

    def do_ChangeMessageVisibilityBatch(self, request: Request, base: str) -> Request:  # noqa: N802, ARG002
        return self._batch("ChangeMessageVisibilityBatch", request)

    def do_ReceiveMessage(self, request: Request, base: str) -> Request | Later:  # noqa: N802, ARG002
        queue = self._queue(request)
        limit = fields.number(request, "MaxNumberOfMessages", default=1, low=1, high=10)
        wait = fields.number(
            request, "WaitTimeSeconds", default=queue.settings.wait, low=0, high=20
        )
        visibility = fields.visibility(request, default=queue.settings.visibility)
        if self._faults.at[Point.RECEIVE] and self._sees_nothing(queue):
            return {}
        dead = self._world.dead_letters_of(queue)
        taken = queue.take(limit, visibility=visibility, dead=dead)
        if not taken and wait:

            def again() -> Request:
                return shown(queue.take(limit, visibility=visibility, dead=dead), request)

            return self._poll(queue, again, wait=wait)
        return shown(taken, request)

    async def _poll(self, queue: BusQueue, again: Callable[[], Request], *, wait: int) -> Request:
        clock = self._world.clock
        deadline = clock() + wait
        is_called = True
        # Looked at once more before it waits: this begins a turn of the loop after the first look,
        # and whatever came meanwhile called nobody.
        while not (answer := again()) and is_called and (left := deadline - clock()) > 0:
            is_called = await queue.pollers.wait(left)
        return answer

    def _batch(self, action: str, request: Request) -> Request:
        queue = self._queue(request)
        entries = request.get("Entries")
        if action == "SendMessageBatch" and isinstance(entries, list):
            _check_total(entries)
        return run_batch(entries, lambda entry: self._one(action, queue, entry))

    def _one(self, action: str, queue: BusQueue, entry: Request) -> Request:
        if self._faults.at[Point.ENTRY] and self._only_pretends(action, queue, entry):
            return {}
        if action.startswith("Send"):
            return self._send(queue, entry)
        receipt = fields.text(entry, "ReceiptHandle")
        if action.startswith("Delete"):
            queue.delete(receipt)
        else:
            queue.change_visibility(receipt, seconds=fields.visibility(entry, default=None))
        return {}

    def _send(self, queue: BusQueue, request: Request) -> Request:
        body = fields.text(request, "MessageBody")
        if not body.isprintable() and _ILLEGAL.search(body):
            raise AwsError("InvalidMessageContents", "The message has characters outside the set.")
        attributes = checked(request.get("MessageAttributes"))
        content = body.encode()
        if len(content) + size_of(attributes) > MESSAGE_LIMIT:
            raise invalid(
                "One or more parameters are invalid. Reason: Message must be shorter than"
                f" {MESSAGE_LIMIT} bytes."
            )
        delay = request.get("DelaySeconds")
        if delay is not None:
            delay = fields.number(request, "DelaySeconds", default=0, low=0, high=900)
        group = checked_group(request.get("MessageGroupId"))
        entry = self._world.send(queue, body, attributes=attributes, delay=delay, group=group)
        entry.body_md5 = md5(content)
        answer = {"MessageId": entry.id, "MD5OfMessageBody": entry.body_md5}
        if attributes:
            entry.attributes_md5 = md5_of_attributes(attributes)
            answer["MD5OfMessageAttributes"] = entry.attributes_md5
        return answer

    def _only_pretends(self, action: str, queue: BusQueue, entry: Request) -> bool:
        """Do to one entry what the rules have for it; tell whether it is done with that."""
        receipt = entry.get("ReceiptHandle")
        known = queue.of_receipt(receipt) if isinstance(receipt, str) else None
        fault = self._faults.strike(Point.ENTRY, _subject(action, queue, entry, known))
        if fault is None:
            return False
        self._world.journal.add("fault", queue.name, known.id if known else "", fault.kind)
        if fault.kind == "pretend":
            return True
        if fault.kind == "expire_receipt":
            code, message = "ReceiptHandleIsInvalid", "The receipt handle has expired."
            raise AwsError(fault.code or code, fault.message or message)
        raise AwsError(
            fault.code or "InternalError",
            fault.message or "We encountered an internal error. Please try again.",
            status=fault.status or (400 if fault.is_sender_fault else 500),
            is_sender_fault=fault.is_sender_fault,
        )

    def _sees_nothing(self, queue: BusQueue) -> bool:
        fault = self._faults.strike(Point.RECEIVE, Subject(queue=queue.name))
        if fault is None:
            return False
        self._world.journal.add("fault", queue.name, "", fault.kind)
        if fault.kind == "reorder":
            queue.shuffle(self._faults.dice, span=fault.span)
        return fault.kind == "empty"

    def _queue(self, request: Request) -> BusQueue:
        return self._named(fields.text(request, "QueueUrl").rstrip("/").rpartition("/")[2])

    def _named(self, name: str) -> BusQueue:
        queue = self._world.queues.get(name)
        if queue is None:
            raise AwsError("QueueDoesNotExist", "The specified queue does not exist.")
        return queue


def queue_of(request: Request) -> str:
    """Give the queue's name that a request is about, if it says one."""
    url = request.get("QueueUrl")
    return url.rstrip("/").rpartition("/")[2] if isinstance(url, str) else ""


def _subject(action: str, queue: BusQueue, entry: Request, known: Entry | None) -> Subject:
    if known is None:
        body, attributes = entry.get("MessageBody", ""), entry.get("MessageAttributes") or {}
        return Subject(action=action, queue=queue.name, body=str(body), attributes=attributes)
    return Subject(
        action=action,
        queue=queue.name,
        message_id=known.id,
        body=known.body,
        attributes=known.attributes,
    )


def _check_total(entries: list[Any]) -> None:
    total = sum(len(str(e.get("MessageBody", ""))) for e in entries if isinstance(e, dict))
    if total * 4 <= MESSAGE_LIMIT:
        return  # Even in the longest encoding it would do.
    bodies = [str(e.get("MessageBody", "")).encode() for e in entries if isinstance(e, dict)]
    total = sum(len(body) for body in bodies)
    if total > MESSAGE_LIMIT:
        raise AwsError(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {MESSAGE_LIMIT} bytes."
            f" You have sent {total} bytes.",
        )
