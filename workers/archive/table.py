"""Batches and queries on the archive's table; leftovers are asked for again."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from workers.archive.items import Item, Key, key_in, key_item
from workers.archive.outages import reaching_the_store
from workers.runtime.errors import StoreUnavailable

T = TypeVar("T")
_MOST_WRITES, _MOST_READS = 25, 100
_ATTEMPTS, _FIRST_PAUSE = 6, 0.05


class ArchiveTable:
    """Calls on one table; `client` is aiobotocore's or the runtime's own."""

    def __init__(self, client: Any, *, name: str) -> None:
        self._client = client
        self._name = name

    async def write(self, rows: Sequence[Item]) -> None:
        """Put all rows, 25 to a call; raise `StoreUnavailable` unless all are there."""
        await asyncio.gather(*(self._write(batch) for batch in _slices(rows, _MOST_WRITES)))

    async def read(self, keys: Sequence[Key], *, only_keys: bool = False) -> list[Item]:
        """Read rows by key, a hundred to a call, in no order."""
        # What was written a moment ago may be missing; whoever relies on it writes it again.
        found = await asyncio.gather(
            *(self._read(batch, only_keys=only_keys) for batch in _slices(keys, _MOST_READS))
        )
        return [item for items in found for item in items]

    async def query(self, **arguments: Any) -> list[Item]:
        """Read all pages of a query."""
        items: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            async with reaching_the_store():
                page = await self._client.query(TableName=self._name, **arguments, **start)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def page(self, **arguments: Any) -> list[Item]:
        """Read the first page of a query, which its `Limit` bounds."""
        async with reaching_the_store():
            answer = await self._client.query(TableName=self._name, **arguments)
        items: list[Item] = answer["Items"]
        return items

    async def get(self, key: Key) -> Item | None:
        """Read one row consistently."""
        async with reaching_the_store():
            answer = await self._client.get_item(
                TableName=self._name, Key=key_item(key), ConsistentRead=True
            )
        item: Item | None = answer.get("Item")
        return item

    async def update(self, key: Key, **arguments: Any) -> None:
        """Update a row; botocore's error when a condition does not hold."""
        async with reaching_the_store():
            await self._client.update_item(TableName=self._name, Key=key_item(key), **arguments)

    async def put(self, item: Item, **arguments: Any) -> None:
        """Put a row; botocore's error when a condition does not hold."""
        async with reaching_the_store():
            await self._client.put_item(TableName=self._name, Item=item, **arguments)

    async def delete(self, key: Key) -> None:
        """Delete a row, if it is there."""
        async with reaching_the_store():
            await self._client.delete_item(TableName=self._name, Key=key_item(key))

    async def _write(self, rows: Sequence[Item]) -> None:
        left: Any = {self._name: [{"PutRequest": {"Item": row}} for row in rows]}
        for attempt in range(_ATTEMPTS):
            async with reaching_the_store():
                answer = await self._client.batch_write_item(RequestItems=left)
            left = answer.get("UnprocessedItems")
            if not left:
                return
            await asyncio.sleep(_FIRST_PAUSE * 2**attempt)
        raise StoreUnavailable

    async def _read(self, keys: Sequence[Key], *, only_keys: bool) -> list[Item]:
        projection = {"ProjectionExpression": "pk, sk"} if only_keys else {}
        left: Any = {self._name: {"Keys": [key_item(key) for key in keys], **projection}}
        found: list[Item] = []
        for attempt in range(_ATTEMPTS):
            async with reaching_the_store():
                answer = await self._client.batch_get_item(RequestItems=left)
            found += answer["Responses"].get(self._name, ())
            left = answer.get("UnprocessedKeys")
            if not left:
                return found
            await asyncio.sleep(_FIRST_PAUSE * 2**attempt)
        raise StoreUnavailable


def keys_in(items: Sequence[Item]) -> list[Key]:
    """Give the keys of rows."""
    return [key_in(item) for item in items]


def _slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
