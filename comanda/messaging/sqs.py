"""Receive from an SQS queue: messages arrive, coalesced deletes and visibility changes leave."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from comanda.messaging.batches import chunks
from comanda.messaging.ports import Message, MessagingUnavailable

_ATTEMPTS = 3
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
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
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
        """Set how long the message stays hidden, in whole seconds (0 to 12 h)."""
        try:
            await self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=message.receipt,
                VisibilityTimeout=int(duration.total_seconds()),
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
        """Send the message to the dead-letter queue with the reason, then delete it."""
        attributes = {
            **{name: value for name, value in message.attributes.items() if name != "reason"},
            "reason": reason[:250] or "unknown",
            "receive_count": str(message.receive_count),
        }
        try:
            await self._client.send_message(
                QueueUrl=self._dlq_url,
                MessageBody=message.body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                },
            )
        except _OUTAGES as exc:
            raise MessagingUnavailable(f"cannot reject: {type(exc).__name__}") from exc
        await self.delete([message])


def _message(raw: dict[str, Any]) -> Message:
    attributes = raw.get("MessageAttributes", {})
    return Message(
        id=raw["MessageId"],
        body=raw["Body"],
        receipt=raw["ReceiptHandle"],
        receive_count=int(raw.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
        attributes={k: v["StringValue"] for k, v in attributes.items() if "StringValue" in v},
    )
