"""Publish envelopes on an SNS topic: envelopes arrive, `PublishBatch` entries leave."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from comanda.envelope import Envelope
from comanda.messaging.batches import chunks
from comanda.messaging.ports import MessagingUnavailable

log = logging.getLogger(__name__)
_ATTEMPTS = 3


class SNSPublisher:
    """Publish on one topic through an aiobotocore client; the type and source are attributes."""

    def __init__(self, client: Any, *, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Publish all, ten to a request; raise `MessagingUnavailable` unless all were taken."""
        entries = [_entry(i, envelope) for i, envelope in enumerate(envelopes)]
        batches = chunks(entries, size_of=lambda entry: len(entry["Message"].encode()) + 200)
        await asyncio.gather(*(self._publish_batch(batch) for batch in batches))

    async def _publish_batch(self, entries: list[dict[str, Any]]) -> None:
        # The answer is 200 even when entries failed, so each is looked at and sent again.
        for _ in range(_ATTEMPTS):
            try:
                answer = await self._client.publish_batch(
                    TopicArn=self._topic_arn, PublishBatchRequestEntries=entries
                )
            except (BotoCoreError, ClientError, TimeoutError, OSError) as exc:
                raise MessagingUnavailable(f"cannot publish: {type(exc).__name__}") from exc
            failed = {entry["Id"] for entry in answer.get("Failed", [])}
            if not failed:
                return
            entries = [entry for entry in entries if entry["Id"] in failed]
        raise MessagingUnavailable(f"{len(entries)} entries were refused {_ATTEMPTS} times")


def _entry(index: int, envelope: Envelope) -> dict[str, Any]:
    return {
        "Id": str(index),
        "Message": envelope.to_json(),
        # SQS serves the groups of a standard queue fairly, so no shop waits behind another's rush.
        "MessageGroupId": str(envelope.event.shop_id),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value}
            for name, value in envelope.attributes.items()
        },
    }
