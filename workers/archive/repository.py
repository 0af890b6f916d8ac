"""The index on DynamoDB: rows of groups arrive, events by subject and conversation leave."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from comanda.ids import ShopId
from workers.archive.items import (
    Item,
    Key,
    before,
    event_row,
    key_in,
    key_of,
    note_key,
    note_row,
    partition,
    place_of,
    position,
    rows_of,
)
from workers.archive.model import Entry, Place, read_entry
from workers.archive.ports import Objects, Person
from workers.archive.table import ArchiveTable, keys_in

CONVERSATIONS = "conversations"
_PROBE = ("PROBE", "PROBE")


class DynamoIndex:
    """The rows of one table; what is too large for a row is read from its object."""

    def __init__(
        self,
        table: ArchiveTable,
        *,
        objects: Objects,
        clock: Callable[[], datetime],
        retention: timedelta,
    ) -> None:
        self.table = table
        self._objects = objects
        self._clock = clock
        self._retention = retention

    async def known(self, entries: Collection[Entry]) -> set[str]:
        """Ask for the rows' keys alone."""
        wanted = {key_of(entry): entry.event_id for entry in entries}
        found = await self.table.read(list(wanted), only_keys=True)
        return {wanted[key_in(item)] for item in found}

    async def add(self, placed: Sequence[tuple[Entry, Place]]) -> None:
        """Write all rows of all events."""
        rows = [row for it in placed for row in rows_of(*it, expires_at=self._end())]
        await self.table.write(rows)

    async def expect(self, people: Collection[Person], key: str) -> None:
        """Write a note under each person, with the lifetime of what it is about."""
        expires_at = self._end()
        notes = [note_row(shop_id, it, key, expires_at=expires_at) for shop_id, it in people]
        if notes:
            await self.table.write(notes)

    async def expected(self, shop_id: ShopId, customer_id: str) -> list[str]:
        """Read the notes under a person."""
        rows = await self._partition(shop_id, customer_id)
        return [it["expected"]["S"] for it in rows if "expected" in it]

    async def unexpect(self, shop_id: ShopId, customer_id: str, key: str) -> None:
        """Delete a note."""
        await self.table.delete(note_key(shop_id, customer_id, key))

    async def of_subject(
        self, shop_id: ShopId, subject: str, *, until: datetime | None = None
    ) -> list[tuple[Entry, Place]]:
        """Query the subject's partition, and the one that an alias leads to."""
        rows = await self._partition(shop_id, subject, until=until)
        leads = {it["subject"]["S"] for it in rows if "subject" in it} - {subject}
        for other in sorted(leads):
            rows += await self._partition(shop_id, other, until=until)
        return await self._entries([it for it in rows if "object" in it])

    async def of_conversation(
        self, shop_id: ShopId, conversation: str, *, until: datetime | None = None
    ) -> list[tuple[Entry, Place]]:
        """Query the index of conversations for keys, then read their rows."""
        found = await self.table.query(
            IndexName=CONVERSATIONS,
            KeyConditionExpression="conversation = :conversation AND sk < :until",
            ExpressionAttributeValues={
                ":conversation": {"S": partition(shop_id, conversation)},
                ":until": {"S": before(until)},
            },
        )
        return await self._entries(await self.table.read(keys_in(found)))

    async def of_person(self, shop_id: ShopId, customer_id: str) -> list[tuple[Entry, Place]]:
        """Follow the aliases under the customer's id."""
        aliases = await self._partition(shop_id, customer_id)
        keys: list[Key] = [
            (partition(shop_id, it["subject"]["S"]), it["sk"]["S"])
            for it in aliases
            if "subject" in it
        ]
        return await self._entries(await self.table.read(keys))

    async def forget_person(
        self, shop_id: ShopId, customer_id: str, entry: Entry, place: Place
    ) -> None:
        """Put the row's new body, and take the alias away last, so that a crash repeats it."""
        row = event_row(entry, place)
        if "body" in row:
            await self.table.update(
                key_of(entry),
                UpdateExpression="SET body = :body",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":body": row["body"]},
            )
        await self.table.delete((partition(shop_id, customer_id), position(entry)))

    async def ping(self) -> None:
        """Read a row that need not be there."""
        await self.table.get(_PROBE)

    def _end(self) -> int:
        return int((self._clock() + self._retention).timestamp())

    async def _partition(
        self, shop_id: ShopId, name: str, *, until: datetime | None = None
    ) -> list[Item]:
        return await self.table.query(
            KeyConditionExpression="pk = :pk AND sk < :until",
            ExpressionAttributeValues={
                ":pk": {"S": partition(shop_id, name)},
                ":until": {"S": before(until)},
            },
        )

    async def _entries(self, rows: Sequence[Item]) -> list[tuple[Entry, Place]]:
        ordered = sorted(rows, key=lambda it: it["sk"]["S"])
        bodies = await asyncio.gather(*(self._body(it) for it in ordered))
        found = zip(bodies, ordered, strict=True)
        return [(read_entry(body), place_of(it)) for body, it in found]

    async def _body(self, row: Item) -> str:
        if "body" in row:
            return row["body"]["S"]
        place = place_of(row)
        return (await self._objects.get(place.key))[place.line]
