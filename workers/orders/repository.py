"""Orders, their feed and our copy of the menu on one DynamoDB table."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime

from comanda.envelope import Envelope
from comanda.ids import OrderId, ShopId
from workers.orders.feed import BEGINNING, FeedEntry, Totals, TotalsAt, settled_until
from workers.orders.feed_items import (
    entry_of,
    feed_partition,
    reader_key,
    totals_item,
    totals_key,
    totals_of,
)
from workers.orders.items import (
    audited_key,
    board_partition,
    claim_of,
    claim_prefix,
    day_partition,
    order_key,
    order_of,
    order_prefix,
    owner_partition,
    status_partition,
)
from workers.orders.line_items import menu_of, menu_partition
from workers.orders.lines import Menu
from workers.orders.model import Order, OrderStatus
from workers.orders.ports import Audited, Page
from workers.orders.table import NEW, DynamoTable, reaching_the_store
from workers.orders.unit import DynamoOrdersUnit
from workers.runtime.dynamodb import DynamoUnits, to_item

# Whatever an index key may hold sorts below this.
_END = "~"
_UNPAID_OR_TO_MAKE = (
    OrderStatus.PENDING_PAYMENT,
    OrderStatus.RECEIVED,
    OrderStatus.IN_PREPARATION,
)


class DynamoOrderRepository:
    """The store of orders; units go through the runtime, reads go straight to the table."""

    def __init__(self, table: DynamoTable, *, units: DynamoUnits) -> None:
        self._table = table
        self._units = units

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[DynamoOrdersUnit]:
        """Open a unit of work; raise `AlreadyHandled`, `Conflict` or `StoreUnavailable`."""
        async with reaching_the_store(), self._units.begin(cause) as unit:
            yield DynamoOrdersUnit(unit)

    async def get(self, shop_id: ShopId, order_id: OrderId) -> Order | None:
        """Read an order consistently."""
        item = await self._table.get(order_key(shop_id, order_id))
        return order_of(item) if item else None

    async def many(self, keys: Sequence[tuple[ShopId, OrderId]]) -> list[Order]:
        """Read up to a hundred orders in one call."""
        items = await self._table.get_many([order_key(shop, order) for shop, order in keys])
        return [order_of(item) for item in items]

    async def board(self, shop_id: ShopId) -> list[Order]:
        """Read the `board` index, whose sort key is the order of the board."""
        items = await self._table.query(
            IndexName="board",
            KeyConditionExpression="board_pk = :board",
            ExpressionAttributeValues=to_item({":board": board_partition(shop_id)}),
        )
        return [order_of(item) for item in items]

    async def of_owner(self, shop_id: ShopId, owner: str, *, page: Page) -> list[Order]:
        """Read a page of the `owners` index backwards."""
        values = {":owner": owner_partition(shop_id, owner), ":after": page.after or _END}
        items = await self._table.page(
            IndexName="owners",
            KeyConditionExpression="owner_pk = :owner AND owner_sk < :after",
            ExpressionAttributeValues=to_item(values),
            ScanIndexForward=False,
            Limit=page.limit,
        )
        return [order_of(item) for item in items]

    async def of_day(
        self, shop_id: ShopId, day: date, *, page: Page, status: OrderStatus | None = None
    ) -> list[Order]:
        """Read a page of the `days` index, or of `statuses` for one status."""
        index, key = ("statuses", "status_pk") if status else ("days", "day_pk")
        partition = (
            status_partition(shop_id, day, status) if status else day_partition(shop_id, day)
        )
        items = await self._table.page(
            IndexName=index,
            KeyConditionExpression=f"{key} = :day AND day_sk > :after",
            ExpressionAttributeValues=to_item({":day": partition, ":after": page.after or "0"}),
            Limit=page.limit,
        )
        return [order_of(item) for item in items]

    async def called(self, shop_id: ShopId, day: date, *, number: int) -> list[Order]:
        """Read the one order of a call number by the `days` index."""
        values = {":day": day_partition(shop_id, day), ":number": f"{number:06d}#"}
        items = await self._table.page(
            IndexName="days",
            KeyConditionExpression="day_pk = :day AND begins_with(day_sk, :number)",
            ExpressionAttributeValues=to_item(values),
            Limit=1,
        )
        return [order_of(item) for item in items]

    async def in_flight(self, shop_id: ShopId, day: date) -> int:
        """Count by the `statuses` index, status by status."""
        count = 0
        for status in _UNPAID_OR_TO_MAKE:
            count += await self._table.count(
                IndexName="statuses",
                KeyConditionExpression="status_pk = :status",
                ExpressionAttributeValues=to_item(
                    {":status": status_partition(shop_id, day, status)}
                ),
            )
        return count

    async def totals(self, shop_id: ShopId, *, now: datetime) -> Totals:
        """Fold what the feed got since the last time into the totals, and keep what is settled."""
        known = totals_of(await self._table.get(totals_key(shop_id)))
        entries = await self._entries(shop_id, after=known.position, before=_END)
        until = settled_until(now)
        settled = [entry for entry in entries if entry.position < until]
        totals = known.totals.fold(settled)
        if settled:
            await self._keep(shop_id, totals, known=known, position=settled[-1].position)
        return totals.fold(entry for entry in entries if entry.position >= until)

    async def feed(
        self, shop_id: ShopId, *, after: str, before: str, limit: int
    ) -> list[FeedEntry]:
        """Read a page of the feed consistently."""
        if after >= before:
            # Who asks from the future on gets nothing; DynamoDB refuses a range with no inside.
            return []
        values = {":feed": feed_partition(shop_id), ":after": after, ":before": before}
        items = await self._table.page(
            KeyConditionExpression="pk = :feed AND sk BETWEEN :after AND :before",
            ExpressionAttributeValues=to_item(values),
            ConsistentRead=True,
            # The one at `after` was seen already, and a range of keys includes its ends.
            Limit=limit + 1,
        )
        return [entry_of(item) for item in items if item["sk"] != after][:limit]

    async def acknowledged(self, shop_id: ShopId, reader: str) -> str:
        """Read what a reader acknowledged."""
        item = await self._table.get(reader_key(shop_id, reader))
        return str(item["position"]) if item else BEGINNING

    async def acknowledge(self, shop_id: ShopId, reader: str, *, position: str) -> None:
        """Put a reader's position unless it is further on."""
        await self._table.put(
            Item=to_item({**reader_key(shop_id, reader), "position": position}),
            ConditionExpression=f"{NEW} OR #position < :position",
            ExpressionAttributeNames={"#position": "position"},
            ExpressionAttributeValues=to_item({":position": position}),
        )

    async def audit(self, shop_id: ShopId, *, page: Page) -> Audited:
        """Scan for orders and claims of a shop, consistently; auditors ask for this seldom."""
        prefixes = {":orders": order_prefix(shop_id), ":claims": claim_prefix(shop_id)}
        items = await self._table.scan_page(
            Limit=page.limit + 1,
            after=audited_key(shop_id, page.after) if page.after else None,
            FilterExpression="begins_with(pk, :orders) OR begins_with(pk, :claims)",
            ExpressionAttributeValues=to_item(prefixes),
            ConsistentRead=True,
        )
        shown = items[: page.limit]
        return Audited(
            orders=tuple(order_of(item) for item in shown if item["sk"] == "ORDER"),
            claims=tuple(claim_of(item) for item in shown if item["sk"] == "KEY"),
            last=str(shown[-1]["pk"]) if len(items) > page.limit else None,
        )

    async def ping(self) -> None:
        """Read a key that never is, or raise."""
        await self._table.get({"pk": "PING", "sk": "PING"})

    async def menu(self, shop_id: ShopId) -> Menu:
        """Read the partition of a shop's menu and rules."""
        items = await self._table.query(
            KeyConditionExpression="pk = :menu",
            ExpressionAttributeValues=to_item({":menu": menu_partition(shop_id)}),
        )
        return menu_of(shop_id, items)

    async def _entries(self, shop_id: ShopId, *, after: str, before: str) -> list[FeedEntry]:
        values = {":feed": feed_partition(shop_id), ":after": after, ":before": before}
        items = await self._table.query(
            KeyConditionExpression="pk = :feed AND sk BETWEEN :after AND :before",
            ExpressionAttributeValues=to_item(values),
            ConsistentRead=True,
        )
        return [entry_of(item) for item in items if item["sk"] != after]

    async def _keep(
        self, shop_id: ShopId, totals: Totals, *, known: TotalsAt, position: str
    ) -> None:
        kept = TotalsAt(totals=replace(totals), position=position)
        # Whoever adds up at the same time reads the same entries, so either of us may win.
        await self._table.put(
            Item=to_item(totals_item(shop_id, kept)),
            ConditionExpression=f"{NEW} OR #position = :known",
            ExpressionAttributeNames={"#position": "position"},
            ExpressionAttributeValues=to_item({":known": known.position}),
        )
