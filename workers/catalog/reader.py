"""What the catalog's API shows, read from PostgreSQL without locks."""

from collections.abc import Mapping, Sequence
from typing import Any

from comanda.ids import OrderId, ProductId, ShopId
from comanda.menu import Category
from workers.catalog.model import (
    RefusedTransition,
    Reservation,
    StockAudit,
    StockLevel,
    StockMove,
)
from workers.catalog.pictures import Picture
from workers.catalog.products import Price, Product
from workers.catalog.rows import (
    level_of,
    move_of,
    picture_of_row,
    price_of,
    product_of,
    refusal_of,
    reservation_of,
    rules_of,
)
from workers.catalog.shop import ShopRules
from workers.catalog.sql import AUDIT, LEVELS, MOVES, REFUSALS, RESERVATIONS
from workers.catalog.sql_menu import (
    ALL_PRODUCTS,
    FIND_PRODUCT,
    MENU,
    PICTURE,
    PRICES,
    RULES,
    SEARCH,
)
from workers.runtime.postgres_pool import Pool

_Values = tuple[object, ...] | Mapping[str, object]


class PostgresCatalogReader:
    """What the API shows."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def menu(self, shop_id: ShopId) -> list[Product]:
        """List the products that were not removed, by category, position and name."""
        return [product_of(row) for row in await self._rows(MENU, (shop_id,))]

    async def search(
        self, shop_id: ShopId, *, words: Sequence[str], category: Category | None
    ) -> list[Product]:
        """List the products of the menu that hold all words, in folded name or description."""
        values = {
            "shop_id": shop_id,
            "category": category.value if category else None,
            "patterns": [f"%{_literally(word)}%" for word in words],
        }
        return [product_of(row) for row in await self._rows(SEARCH, values)]

    async def all_products(self, shop_id: ShopId) -> list[Product]:
        """List all products, also those that were removed, in the order of the menu."""
        return [product_of(row) for row in await self._rows(ALL_PRODUCTS, (shop_id,))]

    async def find_product(self, shop_id: ShopId, product_id: ProductId) -> Product | None:
        """Find a product, also one that was removed."""
        rows = await self._rows(FIND_PRODUCT, (shop_id, product_id))
        return product_of(rows[0]) if rows else None

    async def prices(self, shop_id: ShopId, product_id: ProductId) -> list[Price]:
        """List what a product cost, newest first, the last 200."""
        return [price_of(row) for row in await self._rows(PRICES, (shop_id, product_id))]

    async def picture(self, shop_id: ShopId, digest: str) -> Picture | None:
        """Find a picture."""
        rows = await self._rows(PICTURE, (shop_id, digest))
        return picture_of_row(rows[0]) if rows else None

    async def rules(self, shop_id: ShopId) -> ShopRules:
        """Read what a shop decided; version 0 if nothing."""
        rows = await self._rows(RULES, (shop_id,))
        return rules_of(rows[0] if rows else None, shop_id=shop_id)

    async def levels(self, shop_id: ShopId) -> list[StockLevel]:
        """List the stock of every product, in the order of product ids."""
        return [level_of(row) for row in await self._rows(LEVELS, (shop_id,))]

    async def audit(self, shop_id: ShopId) -> list[StockAudit]:
        """Compare stock, deliveries, reservations and ledger, all of one snapshot."""
        return [StockAudit(**row) for row in await self._rows(AUDIT, {"shop_id": shop_id})]

    async def reservations(
        self, shop_id: ShopId, *, after: OrderId | None, limit: int
    ) -> list[Reservation]:
        """List reservations in the order of their orders' ids, behind the one of `after`."""
        rows = await self._rows(RESERVATIONS, (shop_id, after or "", limit))
        return [reservation_of(row) for row in rows]

    async def moves(
        self, shop_id: ShopId, product_id: ProductId, *, after: int, limit: int
    ) -> list[StockMove]:
        """List lines of a product's stock ledger, oldest first, behind the one numbered `after`."""
        rows = await self._rows(MOVES, (shop_id, product_id, after, limit))
        return [move_of(row) for row in rows]

    async def refusals(self, shop_id: ShopId, *, limit: int) -> list[RefusedTransition]:
        """List refused transitions, newest first."""
        return [refusal_of(row) for row in await self._rows(REFUSALS, (shop_id, limit))]

    async def ping(self) -> None:
        """Reach the store, or raise."""
        await self._rows("SELECT 1", ())

    async def _rows(self, query: str, values: _Values) -> list[dict[str, Any]]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall()


def _literally(word: str) -> str:
    """Take the signs that mean something to LIKE for themselves."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
