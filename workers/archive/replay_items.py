"""Replays on the archive's table, and the queues that they are sent to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from comanda.codec import read_instant, write_instant
from comanda.ids import ShopId
from comanda.messaging.ports import MessagingUnavailable
from workers.archive.items import Key
from workers.archive.model import Entry
from workers.archive.replays import LEASE, Replay, ReplayState, ReplayTaken
from workers.archive.table import ArchiveTable
from workers.archive.windows import Window
from workers.runtime.dynamodb import from_item, to_item

# There are few replays, and whoever carries them out looks for those of all shops.
_PARTITION = "REPLAYS"
_STATE = {"#state": "state"}
_HELD = "#state = :open AND holder = :holder"


class DynamoReplayBook:
    """One row a replay; its lease lies in it."""

    def __init__(self, table: ArchiveTable) -> None:
        self._table = table

    async def add(self, replay: Replay) -> None:
        """Note an order."""
        await self._table.put(_item_of(replay))

    async def all(self, shop_id: ShopId | None = None) -> list[Replay]:
        """Give the replays of a shop, or of all, the newest first."""
        items = await self._table.query(
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": _PARTITION}),
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        found = [_replay_of(from_item(item)) for item in items]
        return [it for it in found if shop_id in (None, it.window.shop_id)]

    async def claim(self, replay: Replay, *, holder: str, now: datetime) -> None:
        """Take an open replay whose lease has ended."""
        values = {
            ":open": ReplayState.OPEN.value,
            ":holder": holder,
            ":until": write_instant(now + LEASE),
            ":now": write_instant(now),
        }
        free = "(attribute_not_exists(held_until) OR held_until < :now OR holder = :holder)"
        await self._update(
            replay,
            UpdateExpression="SET holder = :holder, held_until = :until",
            ConditionExpression=f"#state = :open AND {free}",
            ExpressionAttributeValues=to_item(values),
        )

    async def note(self, replay: Replay, *, holder: str, now: datetime) -> None:
        """Write how far it has come, and renew the lease."""
        values = {
            ":open": ReplayState.OPEN.value,
            ":state": replay.state.value,
            ":holder": holder,
            ":until": write_instant(now + LEASE),
            ":sent": replay.sent,
            ":position": replay.position,
        }
        await self._update(
            replay,
            UpdateExpression=(
                "SET #state = :state, held_until = :until, sent = :sent, reached = :position"
            ),
            ConditionExpression=_HELD,
            ExpressionAttributeValues=to_item(values),
        )

    async def cancel(self, replay: Replay) -> None:
        """End an open replay, whoever holds it."""
        values = {":open": ReplayState.OPEN.value, ":state": ReplayState.CANCELLED.value}
        await self._update(
            replay,
            UpdateExpression="SET #state = :state",
            ConditionExpression="#state = :open",
            ExpressionAttributeValues=to_item(values),
        )

    async def _update(self, replay: Replay, **arguments: Any) -> None:
        try:
            await self._table.update(_key_of(replay), ExpressionAttributeNames=_STATE, **arguments)
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise ReplayTaken(replay.id) from exc


class SQSSender:
    """Sends to the queue of another context, whose address differs from ours by its name alone."""

    def __init__(self, client: Any, *, own_url: str) -> None:
        self._client = client
        self._base = own_url.removesuffix("archive")

    async def send(
        self, queue: str, entries: Sequence[Entry], *, provenance: Mapping[str, str]
    ) -> None:
        """Send up to ten; raise `MessagingUnavailable` unless all were taken."""
        try:
            answer = await self._client.send_message_batch(
                QueueUrl=f"{self._base}{queue}",
                Entries=[_message(n, it, provenance) for n, it in enumerate(entries)],
            )
        except (BotoCoreError, ClientError, TimeoutError, OSError) as exc:
            raise MessagingUnavailable(f"cannot send: {type(exc).__name__}") from exc
        if answer.get("Failed"):
            raise MessagingUnavailable(f"{len(answer['Failed'])} messages were refused")


def _message(number: int, entry: Entry, provenance: Mapping[str, str]) -> dict[str, Any]:
    told = {
        "type": entry.wire_type,
        "source": entry.wire_type.partition(".")[0],
        **provenance,
    }
    return {
        "Id": str(number),
        "MessageBody": entry.body,
        # SQS serves groups fairly: no other shop waits behind this one's replay.
        "MessageGroupId": str(entry.shop_id),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in told.items()
        },
    }


def _key_of(replay: Replay) -> Key:
    return _PARTITION, replay.id


def _item_of(replay: Replay) -> dict[str, Any]:
    window = replay.window
    return to_item(
        {
            "pk": _PARTITION,
            "sk": replay.id,
            "shop": str(window.shop_id),
            "since": write_instant(window.since),
            "until": write_instant(window.until),
            "types": sorted(window.types),
            "subjects": sorted(window.subjects),
            "queue": replay.queue,
            "asked_by": replay.by,
            "asked_at": write_instant(replay.asked_at),
            "per_second": replay.per_second,
            "state": replay.state.value,
            "sent": replay.sent,
            "reached": replay.position,
        }
    )


def _replay_of(values: Mapping[str, Any]) -> Replay:
    window = Window(
        shop_id=ShopId(values["shop"]),
        since=read_instant(values["since"]),
        until=read_instant(values["until"]),
        types=frozenset(values["types"]),
        subjects=frozenset(values["subjects"]),
    )
    return Replay(
        id=values["sk"],
        window=window,
        queue=values["queue"],
        by=values["asked_by"],
        asked_at=read_instant(values["asked_at"]),
        per_second=int(values["per_second"]),
        state=ReplayState(values["state"]),
        sent=int(values["sent"]),
        position=values["reached"],
    )
