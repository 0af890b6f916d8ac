"""A unit of work on DynamoDB: inbox, effect and outbox in one `TransactWriteItems`."""

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from comanda.envelope import Envelope
from comanda.events import Event
from comanda.ids import new_id
from comanda.messaging.ports import Publisher
from workers.runtime.errors import AlreadyHandled, Conflict
from workers.runtime.outbox import (
    INBOX_AGE,
    SWEEP_AGE,
    SWEEP_BATCH,
    Relay,
    count_swept,
    readable,
    tell_oldest,
)
from workers.runtime.tracing import committing, here, seal_traced

# One partition of pending items would be a hot one; eight spread it.
OUTBOX_SHARDS = 8
_DELETE_LIMIT = 25

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn plain Python values into a DynamoDB item; `None` values are left out."""
    return {key: _serializer.serialize(v) for key, v in values.items() if v is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a DynamoDB item into plain Python values; numbers become `Decimal`."""
    return {key: _deserializer.deserialize(value) for key, value in item.items()}


class DynamoUnit:
    """Writes that gather until the end of the unit and then happen all or not at all."""

    def __init__(self, client: Any, *, table: str, now: datetime, cause: Envelope | None) -> None:
        self._client = client
        self._table = table
        self.now = now
        self.cause = cause
        self.writes: list[dict[str, Any]] = []
        self.sealed: list[Envelope] = []

    def write(self, member: dict[str, Any]) -> None:
        """Add a member such as `{"Put": {...}}`; the table's name is filled in."""
        ((operation, arguments),) = member.items()
        self.writes.append({operation: {"TableName": self._table, **arguments}})

    def emit(self, event: Event) -> None:
        """Save an outgoing event with the state that it tells of."""
        self.sealed.append(seal_traced(event, now=self.now, cause=self.cause))

    async def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """Read one item consistently."""
        answer = await self._client.get_item(
            TableName=self._table, Key=to_item({"pk": pk, "sk": sk}), ConsistentRead=True
        )
        item = answer.get("Item")
        return None if item is None else from_item(item)

    def members(self) -> list[dict[str, Any]]:
        """Give all members of the transaction, the inbox first."""
        outbox = [self._put(_outbox_item(e, now=self.now)) for e in self.sealed]
        if self.cause is None:
            return self.writes + outbox
        inbox = _inbox_item(self.cause, now=self.now)
        guarded = self._put(inbox, condition="attribute_not_exists(pk)")
        return [guarded, *self.writes, *outbox]

    def _put(self, values: Mapping[str, Any], *, condition: str | None = None) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._table, "Item": to_item(values)}
        if condition:
            put["ConditionExpression"] = condition
        return {"Put": put}


class DynamoUnits:
    """Begin units of work on one table; also the outbox store of its worker."""

    def __init__(
        self, client: Any, *, table: str, publisher: Publisher, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._relay = Relay(publisher, forget=self._forget)

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[DynamoUnit]:
        """Gather writes and commit them at the end; raise `AlreadyHandled` or `Conflict`."""
        unit = DynamoUnit(self._client, table=self._table, now=self._clock(), cause=cause)
        yield unit
        members = unit.members()
        if members:
            with committing((here(),), system="aws.dynamodb", operation="TransactWriteItems"):
                await self._commit(members, has_inbox=cause is not None)
            self._relay.hand_over(unit.sealed)

    async def sweep(self) -> int:
        """Publish items that outlived their relay, shard by shard."""
        count = 0
        written: list[datetime] = []
        for shard in range(OUTBOX_SHARDS):
            rows = await self._left_behind(shard)
            written += [_written_at(row) for row in rows]
            tell_oldest(written, now=self._clock())
            left = readable(row["body"] for row in rows)
            if left:
                await self._relay.publish(left)
                count += len(left)
        return count_swept(count)

    async def drain(self) -> None:
        """Wait until the relay has nothing in hand."""
        await self._relay.drain()

    async def _left_behind(self, shard: int) -> list[dict[str, Any]]:
        answer = await self._client.query(
            TableName=self._table,
            IndexName="outbox",
            KeyConditionExpression="outbox_pk = :shard AND outbox_sk < :limit",
            ExpressionAttributeValues=to_item(
                {":shard": f"PENDING#{shard}", ":limit": _sortable(self._clock() - SWEEP_AGE)}
            ),
            Limit=SWEEP_BATCH,
        )
        return [from_item(item) for item in answer["Items"]]

    async def _commit(self, members: list[dict[str, Any]], *, has_inbox: bool) -> None:
        token = new_id(self._clock())
        try:
            # The token makes a retry of the call itself, by the SDK, the same transaction.
            await self._client.transact_write_items(TransactItems=members, ClientRequestToken=token)
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons = exc.response.get("CancellationReasons", [])
            if has_inbox and reasons and reasons[0].get("Code") == "ConditionalCheckFailed":
                raise AlreadyHandled from exc
            raise Conflict(timedelta(milliseconds=random.randint(20, 200))) from exc  # noqa: S311  # Jitter keeps no secret.

    async def _forget(self, event_ids: Sequence[str]) -> None:
        for start in range(0, len(event_ids), _DELETE_LIMIT):
            chunk = event_ids[start : start + _DELETE_LIMIT]
            requests = [{"DeleteRequest": {"Key": to_item(_outbox_key(i))}} for i in chunk]
            # What is not processed stays pending and is published once more by the sweep.
            await self._client.batch_write_item(RequestItems={self._table: requests})


def _inbox_item(cause: Envelope, *, now: datetime) -> dict[str, Any]:
    expires_at = int((now + INBOX_AGE).timestamp())
    return {"pk": f"INBOX#{cause.id}", "sk": "INBOX", "expires_at": expires_at}


def _outbox_key(event_id: str) -> dict[str, str]:
    return {"pk": f"OUTBOX#{event_id}", "sk": "OUTBOX"}


def _outbox_item(envelope: Envelope, *, now: datetime) -> dict[str, Any]:
    shard = crc32(envelope.event.subject.encode()) % OUTBOX_SHARDS
    pending = {"outbox_pk": f"PENDING#{shard}", "outbox_sk": f"{_sortable(now)}#{envelope.id}"}
    return {**_outbox_key(envelope.id), **pending, "body": envelope.to_json()}


def _written_at(row: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(row["outbox_sk"].partition("#")[0])


def _sortable(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
