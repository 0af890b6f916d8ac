"""The menu and the shop's rules on PostgreSQL, as a unit of work edits them."""

from comanda.ids import ProductId, ShopId
from workers.catalog.pictures import Picture
from workers.catalog.products import Product
from workers.catalog.rows import product_of, product_values, rules_of, rules_values
from workers.catalog.shop import ShopRules
from workers.catalog.sql import NEW_STOCK
from workers.catalog.sql_menu import (
    ALL_PRODUCTS,
    DROP_PICTURE,
    LOCK_MENU,
    PRODUCT,
    RECORD_PRICE,
    RULES,
    SAVE_PICTURE,
    SAVE_PRODUCT,
    SAVE_RULES,
)
from workers.runtime.postgres_unit import PostgresUnit


class PostgresMenuUnit:
    """The part of one transaction that edits the menu."""

    def __init__(self, unit: PostgresUnit) -> None:
        self._connection = unit.connection
        self.now = unit.now
        self.emit = unit.emit

    async def lock_menu(self, shop_id: ShopId) -> None:
        """Take the advisory lock of this shop's menu until the end of the transaction."""
        await self._connection.execute(LOCK_MENU, (f"menu:{shop_id}",))

    async def product(self, shop_id: ShopId, product_id: ProductId) -> Product | None:
        """Read and lock a product."""
        cursor = await self._connection.execute(PRODUCT, (shop_id, product_id))
        row = await cursor.fetchone()
        return None if row is None else product_of(row)

    async def products(self, shop_id: ShopId) -> list[Product]:
        """Read all products of a shop."""
        cursor = await self._connection.execute(ALL_PRODUCTS, (shop_id,))
        return [product_of(row) for row in await cursor.fetchall()]

    async def save_product(self, product: Product) -> None:
        """Insert or update a product; a new one has an empty stock."""
        values = {**product_values(product), "now": self.now}
        await self._connection.execute(SAVE_PRODUCT, values)
        await self._connection.execute(NEW_STOCK, values)

    async def record_price(self, product: Product, *, author: str) -> None:
        """Add to the price history what a product costs from now on."""
        values = {**product_values(product), "author": author, "now": self.now}
        await self._connection.execute(RECORD_PRICE, values)

    async def save_picture(self, picture: Picture) -> None:
        """Keep a picture; keeping it twice is keeping it once."""
        values = (picture.shop_id, picture.digest, picture.media_type, picture.content, self.now)
        await self._connection.execute(SAVE_PICTURE, values)

    async def drop_picture(self, shop_id: ShopId, digest: str) -> None:
        """Forget a picture that no product of the shop shows."""
        await self._connection.execute(DROP_PICTURE, {"shop_id": shop_id, "digest": digest})

    async def shop_rules(self, shop_id: ShopId) -> ShopRules:
        """Read what a shop decided; the lock of the menu stands for a row that is not there yet."""
        await self.lock_menu(shop_id)
        cursor = await self._connection.execute(RULES, (shop_id,))
        return rules_of(await cursor.fetchone(), shop_id=shop_id)

    async def save_shop_rules(self, rules: ShopRules) -> None:
        """Write down what a shop decided."""
        await self._connection.execute(SAVE_RULES, {**rules_values(rules), "now": self.now})
