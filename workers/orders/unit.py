"""One unit of work of orders on DynamoDB: one `TransactWriteItems` in the making."""

from dataclasses import replace
from datetime import datetime

from comanda.events import Event
from comanda.ids import CustomerId, OrderId, ProductId, ReservationId, ShopId
from comanda.money import Money
from workers.orders.claims import Claim
from workers.orders.feed import FeedEntry
from workers.orders.feed_items import contact_item, contact_key, contact_of, entry_item, mail_item
from workers.orders.items import claim_key, order_item, order_key, order_of, pix_item
from workers.orders.line_items import (
    menu_item,
    menu_item_of,
    menu_key,
    rules_item,
    rules_key,
    rules_of,
)
from workers.orders.lines import MenuItem
from workers.orders.mail import Contact, Mail
from workers.orders.model import Order, Pix
from workers.orders.shop_rules import ShopRules
from workers.orders.table import HELD, NEW, THERE
from workers.runtime.dynamodb import DynamoUnit, to_item

_NEWER = f"{NEW} OR version < :version"


class DynamoOrdersUnit:
    """What handlers write through; nothing is written before the end."""

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

    def note_reservation(
        self, shop_id: ShopId, order_id: OrderId, *, reservation_id: ReservationId
    ) -> None:
        """Set the reservation of an order that has none."""
        update = {
            "Key": to_item(order_key(shop_id, order_id)),
            "UpdateExpression": "SET reservation_id = :reservation ADD version :one",
            "ConditionExpression": f"{THERE} AND attribute_not_exists(reservation_id)",
            "ExpressionAttributeValues": to_item({":reservation": reservation_id, ":one": 1}),
        }
        self._unit.write({"Update": update})

    def note_pix(self, shop_id: ShopId, order_id: OrderId, *, pix: Pix, total: Money) -> None:
        """Set the Pix code of an order that has none, and costs this much."""
        values = {":pix": pix_item(pix), ":total": total.cents, ":one": 1}
        update = {
            "Key": to_item(order_key(shop_id, order_id)),
            "UpdateExpression": "SET pix = :pix ADD version :one",
            "ConditionExpression": (
                f"{THERE} AND attribute_not_exists(pix) AND total_cents = :total"
            ),
            "ExpressionAttributeValues": to_item(values),
        }
        self._unit.write({"Update": update})

    def enter(self, entry: FeedEntry) -> None:
        """Put an entry of the feed."""
        self._unit.write({"Put": {"Item": to_item(entry_item(entry))}})

    def post(self, mail: Mail) -> None:
        """Put a mail that is owed."""
        self._unit.write({"Put": {"Item": to_item(mail_item(mail))}})

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
            "ConditionExpression": _NEWER,
            "ExpressionAttributeValues": to_item({":version": item.version}),
        }
        self._unit.write({"Put": put})

    async def rules(self, shop_id: ShopId) -> ShopRules:
        """Read a shop's rules consistently."""
        return rules_of(shop_id, await self._unit.get(**rules_key(shop_id)))

    def save_rules(self, rules: ShopRules) -> None:
        """Put a shop's rules over older ones."""
        put = {
            "Item": to_item(rules_item(rules)),
            "ConditionExpression": _NEWER,
            "ExpressionAttributeValues": to_item({":version": rules.version}),
        }
        self._unit.write({"Put": put})

    async def contact(self, shop_id: ShopId, customer_id: CustomerId) -> Contact | None:
        """Read a customer's address consistently."""
        item = await self._unit.get(**contact_key(shop_id, customer_id))
        return contact_of(item, shop_id, customer_id) if item else None

    def save_contact(self, contact: Contact) -> None:
        """Put a customer's address over one that was told before it."""
        item = contact_item(contact)
        put = {
            "Item": to_item(item),
            "ConditionExpression": "attribute_not_exists(told_at) OR told_at <= :told",
            "ExpressionAttributeValues": to_item({":told": item["told_at"]}),
        }
        self._unit.write({"Put": put})

    def forget_contact(self, shop_id: ShopId, customer_id: CustomerId) -> None:
        """Delete a customer's address."""
        self._unit.write({"Delete": {"Key": to_item(contact_key(shop_id, customer_id))}})
