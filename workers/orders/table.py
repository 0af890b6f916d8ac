"""One DynamoDB table as orders use it: consistent reads, pages, conditions, and outages by name."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from workers.orders.items import Key
from workers.runtime.dynamodb import from_item, to_item
from workers.runtime.errors import StoreUnavailable

# A customer stands at the counter: better a 503 now than an answer when nobody waits any more.
DEADLINE = timedelta(seconds=4)
_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
NEW = "attribute_not_exists(pk)"
THERE = "attribute_exists(pk)"
HELD = "holder = :holder AND attribute_not_exists(answer)"


@asynccontextmanager
async def reaching_the_store() -> AsyncIterator[None]:
    """Turn what an outage looks like into `StoreUnavailable`; other faults stay what they are."""
    try:
        async with asyncio.timeout(DEADLINE.total_seconds()):
            yield
    except (BotoConnectionError, HTTPClientError, ResponseParserError) as exc:
        raise StoreUnavailable from exc
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise StoreUnavailable from exc
    except ClientError as exc:
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status < 500 and exc.response["Error"]["Code"] not in _THROTTLED:
            raise
        raise StoreUnavailable from exc


class DynamoTable:
    """Calls on one table; `client` is aiobotocore's."""

    def __init__(self, client: Any, *, name: str) -> None:
        self._client = client
        self._name = name

    async def get(self, key: Key) -> dict[str, Any] | None:
        """Read one item consistently."""
        async with reaching_the_store():
            answer = await self._client.get_item(
                TableName=self._name, Key=to_item(key), ConsistentRead=True
            )
        item = answer.get("Item")
        return from_item(item) if item else None

    async def get_many(self, keys: list[Key]) -> list[dict[str, Any]]:
        """Read up to a hundred items in one call; what a busy store leaves out is left out."""
        wanted = {self._name: {"Keys": [to_item(key) for key in keys]}}
        async with reaching_the_store():
            answer = await self._client.batch_get_item(RequestItems=wanted)
        return [from_item(item) for item in answer["Responses"].get(self._name, [])]

    async def query(self, **arguments: Any) -> list[dict[str, Any]]:
        """Read all pages of a query."""
        return await self._pages(self._client.query, arguments)

    async def page(self, *, Limit: int, **arguments: Any) -> list[dict[str, Any]]:  # noqa: N803  # As the service spells it.
        """Read `Limit` items of a query; a page that ends early, at a megabyte, is gone on with."""
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            left = {"Limit": Limit - len(items)}
            async with reaching_the_store():
                page = await self._client.query(TableName=self._name, **arguments, **left, **start)
            items += [from_item(item) for item in page["Items"]]
            if len(items) >= Limit or "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def count(self, **arguments: Any) -> int:
        """Count what a query would read."""
        count = 0
        start: dict[str, Any] = {}
        while True:
            async with reaching_the_store():
                page = await self._client.query(
                    TableName=self._name, Select="COUNT", **arguments, **start
                )
            count += int(page["Count"])
            if "LastEvaluatedKey" not in page:
                return count
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def scan_page(
        self,
        *,
        Limit: int,  # noqa: N803  # As in `page`.
        after: Key | None,
        **arguments: Any,
    ) -> list[dict[str, Any]]:
        """Read `Limit` items that a scan lets through, from behind the key of one of them on."""
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {"ExclusiveStartKey": to_item(after)} if after else {}
        while True:
            async with reaching_the_store():
                # Its `Limit` would count what it looks at; it stops at a megabyte by itself.
                page = await self._client.scan(TableName=self._name, **arguments, **start)
            items += [from_item(item) for item in page["Items"]]
            if len(items) >= Limit or "LastEvaluatedKey" not in page:
                return items[:Limit]
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def put(self, **arguments: Any) -> bool:
        """Put an item under a condition; tell whether it held."""
        return await _held(self._client.put_item(TableName=self._name, **arguments))

    async def update(self, **arguments: Any) -> bool:
        """Update an item under a condition; tell whether it held."""
        return await _held(self._client.update_item(TableName=self._name, **arguments))

    async def delete(self, **arguments: Any) -> bool:
        """Delete an item under a condition; tell whether it held."""
        return await _held(self._client.delete_item(TableName=self._name, **arguments))

    async def count_up(self, key: Key, *, expires_at: int) -> int:
        """Add one to the counter of this key and give its new value."""
        async with reaching_the_store():
            answer = await self._client.update_item(
                TableName=self._name,
                Key=to_item(key),
                UpdateExpression="SET expires_at = :expires_at ADD last_number :one",
                ExpressionAttributeValues=to_item({":one": 1, ":expires_at": expires_at}),
                ReturnValues="UPDATED_NEW",
            )
        return int(from_item(answer["Attributes"])["last_number"])

    async def _pages(self, call: Any, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            async with reaching_the_store():
                page = await call(TableName=self._name, **arguments, **start)
            items += [from_item(item) for item in page["Items"]]
            # A page may be empty although more follow; only the key tells the end.
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


async def _held(call: Awaitable[Any]) -> bool:
    try:
        async with reaching_the_store():
            await call
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
