"""Webhooks and their deliveries on the table of orders."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from comanda.ids import ShopId
from workers.orders.hooks import LEASE, LOG_KEPT, MOST_HOOKS, Delivery, Hook, TooManyHooks
from workers.orders.instants import instant_of, instant_text
from workers.orders.table import NEW, THERE, DynamoTable
from workers.runtime.dynamodb import to_item

Item = Mapping[str, Any]


class DynamoHooks:
    """Webhooks of a shop are one partition, the tries of each another."""

    def __init__(self, table: DynamoTable) -> None:
        self._table = table

    async def add(self, hook: Hook) -> None:
        """Put a webhook; two owners at once may end with one too many, which harms nobody."""
        if len(await self.all(hook.shop_id)) >= MOST_HOOKS:
            raise TooManyHooks
        await self._table.put(Item=to_item(_hook_item(hook)), ConditionExpression=NEW)

    async def all(self, shop_id: ShopId) -> list[Hook]:
        """Read the partition of a shop's webhooks."""
        items = await self._table.query(
            KeyConditionExpression="pk = :hooks",
            ExpressionAttributeValues=to_item({":hooks": _partition(shop_id)}),
            ConsistentRead=True,
        )
        return [_hook_of(item) for item in items]

    async def hold(self, hook: Hook, *, now: datetime) -> bool:
        """Write the end of our lease on a webhook that nobody holds and nobody moved on."""
        until = int((now + LEASE).timestamp())
        values = {
            ":until": until,
            ":now": int(now.timestamp()),
            ":position": hook.position,
            ":failures": hook.failures,
        }
        return await self._table.update(
            Key=to_item(_key(hook.shop_id, hook.id)),
            UpdateExpression="SET leased_until = :until",
            ConditionExpression=(
                f"{THERE} AND #position = :position AND failures = :failures"
                " AND (attribute_not_exists(leased_until) OR leased_until <= :now)"
            ),
            ExpressionAttributeNames={"#position": "position"},
            ExpressionAttributeValues=to_item(values),
        )

    async def save(self, hook: Hook) -> None:
        """Put a webhook over itself, without a lease."""
        await self._table.put(Item=to_item(_hook_item(hook)), ConditionExpression=THERE)

    async def remove(self, shop_id: ShopId, hook_id: str) -> bool:
        """Delete a webhook."""
        key = to_item(_key(shop_id, hook_id))
        return await self._table.delete(Key=key, ConditionExpression=THERE)

    async def log(self, delivery: Delivery) -> None:
        """Put a try; it expires by itself."""
        await self._table.put(Item=to_item(_delivery_item(delivery)))

    async def deliveries(self, shop_id: ShopId, hook_id: str, *, limit: int) -> list[Delivery]:
        """Read the tries backwards."""
        items = await self._table.page(
            KeyConditionExpression="pk = :log",
            ExpressionAttributeValues=to_item({":log": _log_partition(shop_id, hook_id)}),
            ScanIndexForward=False,
            Limit=limit,
        )
        return [_delivery_of(item) for item in items]


def _partition(shop_id: ShopId) -> str:
    return f"{shop_id}#HOOKS"


def _log_partition(shop_id: ShopId, hook_id: str) -> str:
    return f"{shop_id}#HOOKLOG#{hook_id}"


def _key(shop_id: ShopId, hook_id: str) -> dict[str, str]:
    return {"pk": _partition(shop_id), "sk": f"HOOK#{hook_id}"}


def _hook_item(hook: Hook) -> dict[str, Any]:
    return {
        **_key(hook.shop_id, hook.id),
        "shop_id": str(hook.shop_id),
        "id": hook.id,
        "url": hook.url,
        "secret": hook.secret,
        "created_at": instant_text(hook.created_at),
        "position": hook.position,
        "is_enabled": hook.is_enabled,
        "failures": hook.failures,
        "failing_since": instant_text(hook.failing_since) if hook.failing_since else None,
        "next_try_at": instant_text(hook.next_try_at) if hook.next_try_at else None,
    }


def _hook_of(item: Item) -> Hook:
    since, next_try = item.get("failing_since"), item.get("next_try_at")
    return Hook(
        shop_id=ShopId(item["shop_id"]),
        id=item["id"],
        url=item["url"],
        secret=item["secret"],
        created_at=instant_of(item["created_at"]),
        position=item["position"],
        is_enabled=item["is_enabled"],
        failures=int(item["failures"]),
        failing_since=instant_of(since) if since else None,
        next_try_at=instant_of(next_try) if next_try else None,
    )


def _delivery_item(delivery: Delivery) -> dict[str, Any]:
    return {
        "pk": _log_partition(delivery.shop_id, delivery.hook_id),
        "sk": f"{instant_text(delivery.at)}#{delivery.entry_id}",
        "shop_id": str(delivery.shop_id),
        "hook_id": delivery.hook_id,
        "entry_id": delivery.entry_id,
        "at": instant_text(delivery.at),
        "attempt": delivery.attempt,
        "status": delivery.status,
        "fault": delivery.fault,
        "milliseconds": delivery.milliseconds,
        "expires_at": int((delivery.at + LOG_KEPT).timestamp()),
    }


def _delivery_of(item: Item) -> Delivery:
    status = item.get("status")
    return Delivery(
        shop_id=ShopId(item["shop_id"]),
        hook_id=item["hook_id"],
        entry_id=item["entry_id"],
        at=instant_of(item["at"]),
        attempt=int(item["attempt"]),
        status=None if status is None else int(status),
        fault=item["fault"],
        milliseconds=int(item["milliseconds"]),
    )
