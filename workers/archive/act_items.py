"""Acts on the archive's table: a row for the beginning, a row for the end, and no row changes.

| row | pk | sk |
|---|---|---|
| beginning | `ACTS#SHOP` | the act's id, which sorts by time |
| end | `ACTS-ENDED#SHOP` | the act's id |
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from comanda.codec import read_instant, write_instant
from comanda.ids import ShopId
from workers.archive.acts import Act, ActUnknown, What
from workers.archive.items import Item, Key
from workers.archive.table import ArchiveTable
from workers.runtime.dynamodb import from_item, to_item

_IS_NEW = "attribute_not_exists(pk)"


class DynamoActBook:
    """Rows that are only ever added."""

    def __init__(self, table: ArchiveTable) -> None:
        self._table = table

    async def begin(self, act: Act) -> None:
        """Note what is about to be done."""
        await self._table.put(_item_of(act), ConditionExpression=_IS_NEW)

    async def end(
        self, shop_id: ShopId, act_id: str, *, who: str, after: Mapping[str, Any], now: datetime
    ) -> None:
        """Note what came of it, once."""
        began = await self._table.get(_began(shop_id, act_id))
        if began is None or from_item(began)["who"] != who:
            raise ActUnknown(act_id)
        pk, sk = _ended(shop_id, act_id)
        row = {"pk": pk, "sk": sk, "done_at": write_instant(now), "after": json.dumps(after)}
        try:
            await self._table.put(to_item(row), ConditionExpression=_IS_NEW)
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise ActUnknown(act_id) from exc

    async def acts(self, shop_id: ShopId, *, limit: int) -> list[Act]:
        """Give the newest acts of a shop, the newest first."""
        began = await self._newest(_began(shop_id, "")[0], limit=limit)
        ended = await self._newest(_ended(shop_id, "")[0], limit=limit)
        ends = {it["sk"]: it for it in map(from_item, ended)}
        return [
            _act_of(shop_id, values, ends.get(values["sk"], {})) for values in map(from_item, began)
        ]

    async def _newest(self, partition: str, *, limit: int) -> list[Item]:
        return await self._table.page(
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": partition}),
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
        )


def _began(shop_id: ShopId, act_id: str) -> Key:
    return f"ACTS#{shop_id}", act_id


def _ended(shop_id: ShopId, act_id: str) -> Key:
    return f"ACTS-ENDED#{shop_id}", act_id


def _item_of(act: Act) -> Item:
    pk, sk = _began(act.shop_id, act.id)
    item: Item = to_item(
        {
            "pk": pk,
            "sk": sk,
            "acted_at": write_instant(act.at),
            "who": act.who,
            "by": act.operator,
            "what": act.what.value,
            "whom": act.whom,
            "why": act.why,
            "before": json.dumps(act.before),
        }
    )
    return item


def _act_of(shop_id: ShopId, values: Mapping[str, Any], end: Mapping[str, Any]) -> Act:
    return Act(
        id=values["sk"],
        shop_id=shop_id,
        at=read_instant(values["acted_at"]),
        who=values["who"],
        operator=values["by"],
        what=What(values["what"]),
        whom=values["whom"],
        why=values["why"],
        before=json.loads(values["before"]),
        done_at=read_instant(end["done_at"]) if end else None,
        after=json.loads(end["after"]) if end else {},
    )
