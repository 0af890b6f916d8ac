"""The mail that is owed to customers, on the table of orders."""

from datetime import datetime

from comanda.ids import CustomerId, ShopId
from workers.orders.feed_items import MAIL_PARTITION, contact_key, contact_of, mail_key, mail_of
from workers.orders.mail import LEASE, Contact, Mail
from workers.orders.table import THERE, DynamoTable
from workers.runtime.dynamodb import to_item


class DynamoLetterbox:
    """What the postman works with."""

    def __init__(self, table: DynamoTable) -> None:
        self._table = table

    async def owed(self, *, limit: int) -> list[Mail]:
        """Read the oldest mail that is owed."""
        items = await self._table.page(
            KeyConditionExpression="pk = :mail",
            ExpressionAttributeValues=to_item({":mail": MAIL_PARTITION}),
            ConsistentRead=True,
            Limit=limit,
        )
        return [mail_of(item) for item in items]

    async def take(self, mail: Mail, *, now: datetime) -> bool:
        """Write the end of our lease on a mail whose lease is over."""
        until = int((now + LEASE).timestamp())
        return await self._table.update(
            Key=to_item(mail_key(mail)),
            UpdateExpression="SET leased_until = :until",
            ConditionExpression=(
                f"{THERE} AND (attribute_not_exists(leased_until) OR leased_until <= :now)"
            ),
            ExpressionAttributeValues=to_item({":until": until, ":now": int(now.timestamp())}),
        )

    async def sent(self, mail: Mail) -> None:
        """Delete a mail."""
        await self._table.delete(Key=to_item(mail_key(mail)), ConditionExpression=THERE)

    async def contact(self, shop_id: ShopId, customer_id: CustomerId) -> Contact | None:
        """Read a customer's address."""
        item = await self._table.get(contact_key(shop_id, customer_id))
        if item is None:
            return None
        return contact_of(item, shop_id, customer_id)
