"""Receive from an SQS queue: messages arrive, coalesced deletes and visibility changes leave."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import ceil
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from comanda.messaging.batches import chunks
from comanda.messaging.ports import Message, MessagingUnavailable

_ATTEMPTS = 3
_ACCOUNT = (
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SentTimestamp",
    "MessageGroupId",
)
# SQS refuses a message with more; a refused dead letter would come again for ever.
_MOST_ATTRIBUTES = 10
_OUTAGES = (BotoCoreError, ClientError, TimeoutError, OSError)


class SQSQueue:
    """One queue and its dead-letter queue, through an aiobotocore client."""

    def __init__(self, client: Any, *, url: str, dlq_url: str) -> None:
        self._client = client
        self._url = url
        self._dlq_url = dlq_url

    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        """Receive up to `limit` (1 to 10) messages, waiting up to `wait` (0 to 20 s)."""
        try:
            answer = await self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=int(wait.total_seconds()),
                MessageSystemAttributeNames=list(_ACCOUNT),
                MessageAttributeNames=["All"],
            )
        except _OUTAGES as exc:
            raise MessagingUnavailable(f"cannot receive: {type(exc).__name__}") from exc
        return [_message(raw) for raw in answer.get("Messages", [])]

    async def delete(self, messages: Sequence[Message]) -> None:
        """Delete all, ten to a request; entries that fail are tried again, then raise."""
        entries = [{"Id": str(i), "ReceiptHandle": m.receipt} for i, m in enumerate(messages)]
        for batch in chunks(entries):
            await self._delete_batch(batch)

    async def _delete_batch(self, entries: list[dict[str, str]]) -> None:
        for _ in range(_ATTEMPTS):
            try:
                answer = await self._client.delete_message_batch(
                    QueueUrl=self._url, Entries=entries
                )
            except _OUTAGES as exc:
                raise MessagingUnavailable(f"cannot delete: {type(exc).__name__}") from exc
            # A receipt that ran out is the sender's fault and never heals: the message comes again.
            failed = {e["Id"] for e in answer.get("Failed", []) if not e.get("SenderFault")}
            if not failed:
                return
            entries = [entry for entry in entries if entry["Id"] in failed]
        raise MessagingUnavailable(f"{len(entries)} deletes were refused {_ATTEMPTS} times")

    async def hide(self, message: Message, *, duration: timedelta) -> None:
        """Set how long the message stays hidden, in seconds, rounded up (0 to 12 h)."""
        try:
            await self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=message.receipt,
                # Rounded down, a part of a second would be none: the message would come back at
                # once, twenty times in that second, and be a dead letter.
                VisibilityTimeout=ceil(duration.total_seconds()),
            )
        except _OUTAGES as exc:
            raise MessagingUnavailable(f"cannot hide: {type(exc).__name__}") from exc

    async def extend(self, messages: Sequence[Message], *, duration: timedelta) -> None:
        """Set the same for many, ten to a request; a message that cannot be hidden is left."""
        seconds = int(duration.total_seconds())
        entries = [
            {"Id": str(i), "ReceiptHandle": m.receipt, "VisibilityTimeout": seconds}
            for i, m in enumerate(messages)
        ]
        for batch in chunks(entries):
            try:
                await self._client.change_message_visibility_batch(
                    QueueUrl=self._url, Entries=batch
                )
            except _OUTAGES as exc:
                raise MessagingUnavailable(f"cannot extend: {type(exc).__name__}") from exc

    async def reject(self, message: Message, *, reason: str) -> None:
        """Send the message to the dead-letter queue with reason and history, then delete it."""
        why = {
            "reason": reason[:250] or "unknown",
            "receive_count": str(message.receive_count),
            "history": json.dumps(self._history(message)),
        }
        attributes = dict(islice({**why, **message.attributes, **why}.items(), _MOST_ATTRIBUTES))
        try:
            await self._client.send_message(
                QueueUrl=self._dlq_url,
                MessageBody=message.body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                },
                # Sent back, it waits for its turn among the messages of its own shop.
                **({"MessageGroupId": message.group} if message.group else {}),
            )
        except _OUTAGES as exc:
            raise MessagingUnavailable(f"cannot reject: {type(exc).__name__}") from exc
        await self.delete([message])

    def _history(self, message: Message) -> dict[str, str]:
        """Tell what the dead-letter queue forgets: whose letter it was, and since when."""
        told = {"queue": self._url.rpartition("/")[2], "message_id": message.id}
        for name, at in (
            ("sent_at", message.sent_at),
            ("first_received_at", message.first_received_at),
        ):
            if at is not None:
                told[name] = at.isoformat(timespec="milliseconds")
        return told


def _message(raw: dict[str, Any]) -> Message:
    attributes = raw.get("MessageAttributes", {})
    account = raw.get("Attributes", {})
    return Message(
        id=raw["MessageId"],
        body=raw["Body"],
        receipt=raw["ReceiptHandle"],
        receive_count=int(account.get("ApproximateReceiveCount", "1")),
        attributes={k: v["StringValue"] for k, v in attributes.items() if "StringValue" in v},
        sent_at=_instant(account.get("SentTimestamp")),
        first_received_at=_instant(account.get("ApproximateFirstReceiveTimestamp")),
        group=account.get("MessageGroupId", ""),
    )


def _instant(milliseconds: str | None) -> datetime | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
