"""The catalog on PostgreSQL: a unit of work is a transaction, stock moves by one statement."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from comanda.envelope import Envelope
from comanda.ids import EventId, OrderId, ProductId, ReservationId, ShopId
from comanda.money import Money
from workers.catalog.model import (
    Category,
    Delivery,
    Offer,
    Product,
    RefusedTransition,
    Reservation,
    ReservationStatus,
    StockAudit,
    StockCorrupted,
    StockLevel,
)
from workers.catalog.sql import (
    AUDIT,
    CLAIM,
    COUNT_DELIVERY,
    HOLD,
    LEVELS,
    LOCK_STOCK,
    MENU,
    NEW_STOCK,
    OFFERS,
    PRODUCT,
    RECEIVE,
    RECORD_REFUSAL,
    REFUSALS,
    RELEASE,
    RESERVATION,
    SAVE_LINES,
    SAVE_PRODUCT,
    SAVE_RESERVATION,
    SELL,
)
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import Pool
from workers.runtime.postgres_unit import PostgresUnit

_Row = Mapping[str, Any]


class PostgresCatalogUnit:
    """One transaction of the catalog."""

    def __init__(self, unit: PostgresUnit) -> None:
        self._connection = unit.connection
        self.now = unit.now
        self.emit = unit.emit

    async def claim(self, reservation: Reservation) -> Reservation | None:
        """Insert unless the order has a reservation; a concurrent twin waits on the key."""
        cursor = await self._connection.execute(
            CLAIM, {**_reservation_values(reservation), "now": self.now}
        )
        if cursor.rowcount == 1:
            return None
        return await self.reservation(reservation.shop_id, reservation.order_id)

    async def reservation(self, shop_id: ShopId, order_id: OrderId) -> Reservation | None:
        """Read and lock the reservation of an order."""
        cursor = await self._connection.execute(RESERVATION, (shop_id, order_id))
        row = await cursor.fetchone()
        return None if row is None else _reservation(row)

    async def save_reservation(self, reservation: Reservation) -> None:
        """Write status, reason and, while it is held, the quantities."""
        values = {**_reservation_values(reservation), "now": self.now}
        await self._connection.execute(SAVE_RESERVATION, values)
        if reservation.status is ReservationStatus.HELD:
            lines = _columns(reservation.quantities)
            await self._connection.execute(SAVE_LINES, {**values, **lines})

    async def offers(
        self, shop_id: ShopId, product_ids: Sequence[ProductId]
    ) -> dict[ProductId, Offer]:
        """Read products with their stock; the lock makes the next statement see the last commit."""
        cursor = await self._connection.execute(OFFERS, (shop_id, list(product_ids)))
        rows = await cursor.fetchall()
        offers = [Offer(product=_product(row), level=_level(row)) for row in rows]
        return {offer.product.id: offer for offer in offers}

    async def hold(self, shop_id: ShopId, quantities: Mapping[ProductId, int]) -> bool:
        """Hold all quantities in one conditional statement, or none; tell which."""
        return await self._move(HOLD, shop_id=shop_id, quantities=quantities)

    async def sell(self, shop_id: ShopId, quantities: Mapping[ProductId, int]) -> None:
        """Turn held into sold, all or nothing."""
        await self._settle(SELL, shop_id=shop_id, quantities=quantities)

    async def release(self, shop_id: ShopId, quantities: Mapping[ProductId, int]) -> None:
        """Turn held into left, all or nothing."""
        await self._settle(RELEASE, shop_id=shop_id, quantities=quantities)

    async def record_refusal(self, refusal: RefusedTransition) -> None:
        """Write down a step that was refused."""
        await self._connection.execute(
            RECORD_REFUSAL,
            (
                refusal.event_id,
                refusal.event_type,
                refusal.shop_id,
                refusal.order_id,
                refusal.current,
                refusal.asked,
                refusal.at,
            ),
        )

    async def product(self, shop_id: ShopId, product_id: ProductId) -> Product | None:
        """Read and lock a product."""
        cursor = await self._connection.execute(PRODUCT, (shop_id, product_id))
        row = await cursor.fetchone()
        return None if row is None else _product(row)

    async def save_product(self, product: Product) -> None:
        """Insert or update a product; a new one has an empty stock."""
        values = {
            "shop_id": product.shop_id,
            "product_id": product.id,
            "version": product.version,
            "name": product.name,
            "category": product.category.value,
            "price": product.price.to_decimal(),
            "is_available": product.is_available,
            "is_removed": product.is_removed,
            "now": self.now,
        }
        await self._connection.execute(SAVE_PRODUCT, values)
        await self._connection.execute(NEW_STOCK, values)

    async def receive(self, delivery: Delivery) -> bool:
        """Add a delivery to the stock unless it was counted before."""
        values = {
            "delivery_id": delivery.id,
            "shop_id": delivery.shop_id,
            "product_id": delivery.product_id,
            "quantity": delivery.quantity,
            "now": self.now,
        }
        cursor = await self._connection.execute(COUNT_DELIVERY, values)
        if cursor.rowcount == 0:
            return False
        await self._connection.execute(RECEIVE, values)
        return True

    async def _settle(
        self, statement: str, *, shop_id: ShopId, quantities: Mapping[ProductId, int]
    ) -> None:
        await self._connection.execute(LOCK_STOCK, (shop_id, list(quantities)))
        if not await self._move(statement, shop_id=shop_id, quantities=quantities):
            raise StockCorrupted(f"less is held in {shop_id} than its reservations say")

    async def _move(
        self, statement: str, *, shop_id: ShopId, quantities: Mapping[ProductId, int]
    ) -> bool:
        values = {"shop_id": shop_id, **_columns(quantities)}
        cursor = await self._connection.execute(statement, values)
        return cursor.rowcount == len(quantities)


class PostgresCatalog:
    """The store in which handlers work."""

    def __init__(self, units: PostgresUnits) -> None:
        self._units = units

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[PostgresCatalogUnit]:
        """Open a transaction; raise `AlreadyHandled` when the effect of `cause` is committed."""
        async with self._units.begin(cause) as unit:
            yield PostgresCatalogUnit(unit)


class PostgresCatalogReader:
    """What the API shows, read without locks."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def menu(self, shop_id: ShopId) -> list[Product]:
        """List the products that were not removed, by category and name."""
        return [_product(row) for row in await self._rows(MENU, (shop_id,))]

    async def levels(self, shop_id: ShopId) -> list[StockLevel]:
        """List the stock of every product, in the order of product ids."""
        return [_level(row) for row in await self._rows(LEVELS, (shop_id,))]

    async def audit(self, shop_id: ShopId) -> list[StockAudit]:
        """Compare stock, deliveries and reservations, in one statement and so in one snapshot."""
        return [StockAudit(**row) for row in await self._rows(AUDIT, (shop_id,))]

    async def refusals(self, shop_id: ShopId, *, limit: int) -> list[RefusedTransition]:
        """List refused transitions, newest first."""
        return [_refusal(row) for row in await self._rows(REFUSALS, (shop_id, limit))]

    async def ping(self) -> None:
        """Reach the store, or raise."""
        await self._rows("SELECT 1", ())

    async def _rows(self, query: str, values: tuple[object, ...]) -> list[dict[str, Any]]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall()


def _columns(quantities: Mapping[ProductId, int]) -> dict[str, list[Any]]:
    return {"product_ids": list(quantities), "quantities": list(quantities.values())}


def _reservation_values(reservation: Reservation) -> dict[str, Any]:
    return {
        "id": reservation.id,
        "shop_id": reservation.shop_id,
        "order_id": reservation.order_id,
        "status": reservation.status.value,
        "reason": reservation.reason,
    }


def _reservation(row: _Row) -> Reservation:
    pairs = zip(row["product_ids"], row["quantities"], strict=True)
    return Reservation(
        id=ReservationId(row["reservation_id"]),
        shop_id=ShopId(row["shop_id"]),
        order_id=OrderId(row["order_id"]),
        status=ReservationStatus(row["status"]),
        reason=row["reason"],
        quantities={ProductId(product_id): quantity for product_id, quantity in pairs},
    )


def _product(row: _Row) -> Product:
    return Product(
        id=ProductId(row["product_id"]),
        shop_id=ShopId(row["shop_id"]),
        version=row["version"],
        name=row["name"],
        category=Category(row["category"]),
        price=Money.from_decimal(row["price"]),
        is_available=row["is_available"],
        is_removed=row["is_removed"],
    )


def _level(row: _Row) -> StockLevel:
    return StockLevel(
        product_id=ProductId(row["product_id"]),
        received=row["received"],
        held=row["held"],
        sold=row["sold"],
    )


def _refusal(row: _Row) -> RefusedTransition:
    return RefusedTransition(
        event_id=EventId(row["event_id"]),
        event_type=row["event_type"],
        shop_id=ShopId(row["shop_id"]),
        order_id=OrderId(row["order_id"]),
        current=ReservationStatus(row["current"]) if row["current"] else None,
        asked=ReservationStatus(row["asked"]),
        at=row["at"],
    )
