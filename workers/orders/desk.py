"""Idempotency keys and call numbers on one DynamoDB table: single conditional writes."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from comanda.ids import ShopId
from workers.orders.claims import Claim
from workers.orders.items import claim_item, claim_key, claim_of, number_key
from workers.orders.table import HELD, NEW, DynamoTable
from workers.runtime.dynamodb import to_item

_COUNTER_DAYS = 3


class DynamoDesk:
    """What is written before an order is: its claim and its call number."""

    def __init__(self, table: DynamoTable) -> None:
        self._table = table

    async def claim(self, wanted: Claim, *, now: datetime) -> Claim:
        """Put the claim unless its key is taken; then read whose it is."""
        is_ours = await self._table.put(
            Item=to_item(claim_item(wanted)),
            ConditionExpression=f"{NEW} OR expires_at <= :now",
            ExpressionAttributeValues=to_item({":now": int(now.timestamp())}),
        )
        if is_ours:
            return wanted
        item = await self._table.get(claim_key(wanted.key))
        # A claim that was released in between is free, and the next try will have it.
        return claim_of(item) if item else replace(wanted, holder="")

    async def take_over(self, claim: Claim, *, of: str) -> bool:
        """Put a claim's new holder over `of`, unless there is an answer by now."""
        return await self._table.put(
            Item=to_item(claim_item(claim)),
            ConditionExpression=HELD,
            ExpressionAttributeValues=to_item({":holder": of}),
        )

    async def release(self, claim: Claim) -> None:
        """Delete a claim that is still held and has no answer."""
        await self._table.delete(
            Key=to_item(claim_key(claim.key)),
            ConditionExpression=HELD,
            ExpressionAttributeValues=to_item({":holder": claim.holder}),
        )

    async def amend(self, claim: Claim, *, answer: str) -> None:
        """Replace the answer of a claim that has one."""
        await self._table.update(
            Key=to_item(claim_key(claim.key)),
            UpdateExpression="SET answer = :answer",
            ConditionExpression="holder = :holder AND attribute_exists(answer)",
            ExpressionAttributeValues=to_item({":answer": answer, ":holder": claim.holder}),
        )

    async def next_number(self, shop_id: ShopId, *, day: date) -> int:
        """Count up in one step, so that no two orders of a day are called alike."""
        gone = datetime.combine(day, time(), UTC) + timedelta(days=_COUNTER_DAYS)
        return await self._table.count_up(
            number_key(shop_id, day), expires_at=int(gone.timestamp())
        )
