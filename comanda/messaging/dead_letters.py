"""Dead letters: what they look like, the port to them, and its adapter for SQS.

Looking at a dead letter means receiving it: it is held for a while, and handed back or deleted.
A dead-letter queue has no redrive policy of its own, so looking never uses a letter up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from comanda.messaging.batches import chunks
from comanda.messaging.ports import MessagingUnavailable

ATTRIBUTE_LIMIT = 10
_ATTEMPTS = 3
_ACCOUNT = ("ApproximateReceiveCount", "SentTimestamp", "MessageGroupId")
_OUTAGES = (BotoCoreError, TimeoutError, OSError)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A message that could not be handled; `sent_at` is when it was first sent to the queue.

    `attributes` are its texts. `wire` is what the adapter needs to send all of them, binary ones
    too, back as they were. `group` is the shop among whose messages it waited, if it was told.
    """

    id: str
    body: str
    receipt: str
    sent_at: datetime
    receive_count: int = 1
    attributes: Mapping[str, str] = field(default_factory=dict)
    wire: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""

    @property
    def reason(self) -> str:
        """Give why it is here; a letter that the queue itself moved carries no reason."""
        return self.attributes.get("reason", "received too often")


@dataclass(frozen=True, kw_only=True, slots=True)
class Returned:
    """A dead letter as it goes back: its body, with the attributes to be put over its own."""

    letter: DeadLetter
    body: str
    provenance: Mapping[str, str]
    dropped: frozenset[str] = frozenset()


class DeadLetters(Protocol):
    """The dead letters of one queue. All raise `MessagingUnavailable` when out of reach."""

    async def take(self, *, limit: int, hold: timedelta) -> list[DeadLetter]:
        """Receive up to `limit` (1 to 10) and hide them from others for `hold`."""

    async def send_back(self, letters: Sequence[Returned]) -> dict[str, str]:
        """Send to the input queue; give the reason, by letter id, for each that was refused."""

    async def delete(self, letters: Sequence[DeadLetter]) -> int:
        """Delete for good; give how many could not be, which come again after their hold."""

    async def hand_back(self, letters: Sequence[DeadLetter]) -> None:
        """End the hold; a letter for which that fails comes back when its hold is over."""


class Caller(Protocol):
    """What the adapter needs of a client: an action of the SQS API by its name."""

    async def call(self, action: str, params: dict[str, Any]) -> dict[str, Any]:
        """Call the action and give its answer; raise botocore's exceptions."""


class SQSDeadLetters:
    """The dead-letter queue at `dlq_url`, whose letters go back to the queue at `url`."""

    def __init__(self, client: Caller, *, url: str, dlq_url: str) -> None:
        self._client = client
        self._url = url
        self._dlq_url = dlq_url

    async def take(self, *, limit: int, hold: timedelta) -> list[DeadLetter]:
        """Receive up to `limit` (1 to 10) and hide them from others for `hold`."""
        params = {
            "QueueUrl": self._dlq_url,
            "MaxNumberOfMessages": limit,
            # Only a long poll asks all of SQS's servers, so only its "nothing" means nothing.
            "WaitTimeSeconds": 1,
            "VisibilityTimeout": int(hold.total_seconds()),
            "MessageSystemAttributeNames": list(_ACCOUNT),
            "MessageAttributeNames": ["All"],
        }
        answer = await self._call("ReceiveMessage", params)
        return [_letter(raw) for raw in answer.get("Messages", [])]

    async def send_back(self, letters: Sequence[Returned]) -> dict[str, str]:
        """Send to the input queue; give the reason, by letter id, for each that was refused."""
        entries = [_entry(i, it) for i, it in enumerate(letters)]
        refused: dict[str, str] = {}
        for batch in chunks(entries, size_of=lambda entry: len(entry["MessageBody"].encode())):
            failed = await self._batch("SendMessageBatch", self._url, batch)
            refused |= {letters[int(i)].letter.id: code for i, code in failed.items()}
        return refused

    async def delete(self, letters: Sequence[DeadLetter]) -> int:
        """Delete for good; give how many could not be, which come again after their hold."""
        left = 0
        for batch in chunks(_receipts(letters)):
            left += len(await self._batch("DeleteMessageBatch", self._dlq_url, batch))
        return left

    async def hand_back(self, letters: Sequence[DeadLetter]) -> None:
        """End the hold; a letter for which that fails comes back when its hold is over."""
        entries = [{**entry, "VisibilityTimeout": 0} for entry in _receipts(letters)]
        for batch in chunks(entries):
            await self._batch("ChangeMessageVisibilityBatch", self._dlq_url, batch)

    async def _batch(self, action: str, url: str, entries: list[dict[str, Any]]) -> dict[str, str]:
        """Do a batch and again what failed for no fault of ours; give the rest's codes by id."""
        refused: dict[str, str] = {}
        for attempt in range(_ATTEMPTS):
            answer = await self._call(action, {"QueueUrl": url, "Entries": entries})
            failed = {entry["Id"]: entry for entry in answer.get("Failed", [])}
            is_last = attempt == _ATTEMPTS - 1
            refused |= {
                name: str(entry.get("Code", "unknown"))
                for name, entry in failed.items()
                if entry.get("SenderFault") or is_last
            }
            entries = [e for e in entries if e["Id"] in failed and e["Id"] not in refused]
            if not entries:
                break
        return refused

    async def _call(self, action: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._client.call(action, params)
        except ClientError as exc:
            code = exc.response.get("Error", {}).get("Code", "unknown")
            raise MessagingUnavailable(f"{action} failed: {code}") from exc
        except _OUTAGES as exc:
            raise MessagingUnavailable(f"{action} failed: {type(exc).__name__}") from exc


def _receipts(letters: Sequence[DeadLetter]) -> list[dict[str, Any]]:
    return [{"Id": str(i), "ReceiptHandle": it.receipt} for i, it in enumerate(letters)]


def _letter(raw: dict[str, Any]) -> DeadLetter:
    wire = raw.get("MessageAttributes", {})
    system = raw.get("Attributes", {})
    return DeadLetter(
        id=raw["MessageId"],
        body=raw["Body"],
        receipt=raw["ReceiptHandle"],
        sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", "0")) / 1000, UTC),
        receive_count=int(system.get("ApproximateReceiveCount", "1")),
        attributes={k: v["StringValue"] for k, v in wire.items() if "StringValue" in v},
        wire=wire,
        group=system.get("MessageGroupId", ""),
    )


def _entry(index: int, returned: Returned) -> dict[str, Any]:
    kept = {k: v for k, v in returned.letter.wire.items() if k not in returned.dropped}
    texts = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in returned.provenance.items()
    }
    return {
        "Id": str(index),
        "MessageBody": returned.body,
        "MessageAttributes": {**kept, **texts},
        # A shop's letters wait among its own messages, and hold up nobody else.
        **({"MessageGroupId": returned.letter.group} if returned.letter.group else {}),
    }
