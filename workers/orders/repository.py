"""Orders and our copy of the menu on one DynamoDB table."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from comanda.envelope import Envelope
from comanda.events import Event
from comanda.ids import OrderId, ProductId, ShopId
from comanda.money import Money
from workers.orders.claims import Claim
from workers.orders.items import (
    board_partition,
    claim_key,
    claim_of,
    claim_prefix,
    menu_item,
    menu_item_of,
    menu_key,
    menu_partition,
    order_item,
    order_key,
    order_of,
    order_prefix,
)
from workers.orders.lines import MenuItem
from workers.orders.model import Order, OrderStatus
from workers.orders.ports import Totals
from workers.orders.table import HELD, NEW, DynamoTable, reaching_the_store
from workers.runtime.dynamodb import DynamoUnit, DynamoUnits, to_item


class DynamoOrdersUnit:
    """One `TransactWriteItems` in the making."""

    def __init__(self, unit: DynamoUnit) -> None:
        self._unit = unit

    @property
    def now(self) -> datetime:
        """Give the instant at which the unit began."""
        return self._unit.now

    def emit(self, event: Event) -> None:
        """Save an outgoing event in the outbox."""
        self._unit.emit(event)

    async def order(self, shop_id: ShopId, order_id: OrderId) -> Order | None:
        """Read an order consistently."""
        item = await self._unit.get(**order_key(shop_id, order_id))
        return order_of(item) if item else None

    def add(self, order: Order) -> None:
        """Put a new order."""
        self._unit.write({"Put": {"Item": to_item(order_item(order)), "ConditionExpression": NEW}})

    def save(self, order: Order) -> Order:
        """Put the next version over the one that was read; leaving the board is leaving it out."""
        saved = replace(order, version=order.version + 1)
        put = {
            "Item": to_item(order_item(saved)),
            "ConditionExpression": "version = :read",
            "ExpressionAttributeValues": to_item({":read": order.version}),
        }
        self._unit.write({"Put": put})
        return saved

    def complete(self, claim: Claim, *, answer: str) -> None:
        """Set the answer of a claim that is still held."""
        update = {
            "Key": to_item(claim_key(claim.key)),
            "UpdateExpression": "SET answer = :answer",
            "ConditionExpression": HELD,
            "ExpressionAttributeValues": to_item({":answer": answer, ":holder": claim.holder}),
        }
        self._unit.write({"Update": update})

    async def menu_item(self, shop_id: ShopId, product_id: ProductId) -> MenuItem | None:
        """Read our copy of a product consistently."""
        item = await self._unit.get(**menu_key(shop_id, product_id))
        return menu_item_of(item) if item else None

    def save_menu_item(self, item: MenuItem) -> None:
        """Put our copy over an older one."""
        put = {
            "Item": to_item(menu_item(item)),
            "ConditionExpression": f"{NEW} OR version < :version",
            "ExpressionAttributeValues": to_item({":version": item.version}),
        }
        self._unit.write({"Put": put})


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

    async def totals(self, shop_id: ShopId) -> Totals:
        """Scan the shop's orders; staff ask for this seldom."""
        items = await self._table.scan(
            FilterExpression="begins_with(pk, :orders)",
            ProjectionExpression="#status, total_cents, refusals",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=to_item({":orders": order_prefix(shop_id)}),
            ConsistentRead=True,
        )
        totals = Totals()
        for item in items:
            total = Money(int(item["total_cents"]))
            status = OrderStatus(item["status"])
            totals.count(status, total=total, refusals=len(item["refusals"]))
        return totals

    async def audit(self, shop_id: ShopId) -> tuple[list[Order], list[Claim]]:
        """Scan all orders and claims of a shop, consistently; auditors ask for this seldom."""
        prefixes = {":orders": order_prefix(shop_id), ":claims": claim_prefix(shop_id)}
        items = await self._table.scan(
            FilterExpression="begins_with(pk, :orders) OR begins_with(pk, :claims)",
            ExpressionAttributeValues=to_item(prefixes),
            ConsistentRead=True,
        )
        orders = [order_of(item) for item in items if item["sk"] == "ORDER"]
        return orders, [claim_of(item) for item in items if item["sk"] == "KEY"]

    async def ping(self) -> None:
        """Read a key that never is, or raise."""
        await self._table.get({"pk": "PING", "sk": "PING"})

    async def menu(self, shop_id: ShopId) -> Mapping[ProductId, MenuItem]:
        """Read the partition of a shop's menu."""
        items = await self._table.query(
            KeyConditionExpression="pk = :menu",
            ExpressionAttributeValues=to_item({":menu": menu_partition(shop_id)}),
        )
        found = [menu_item_of(item) for item in items]
        return {item.product_id: item for item in found}
