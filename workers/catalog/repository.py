"""The catalog on PostgreSQL: a unit of work is a transaction, stock moves by one statement."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict

from comanda.envelope import Envelope
from comanda.ids import OrderId, ProductId, ShopId
from workers.catalog.model import (
    Correction,
    Delivery,
    Offer,
    RefusedTransition,
    Reservation,
    ReservationStatus,
    StockCorrupted,
)
from workers.catalog.repository_menu import PostgresMenuUnit
from workers.catalog.rows import level_of, product_of, reservation_of, reservation_values
from workers.catalog.sql import (
    CLAIM,
    CORRECT,
    COUNT_DELIVERY,
    COUNTED,
    HOLD,
    LOCK_STOCK,
    OFFERS,
    RECEIVE,
    RECORD_REFUSAL,
    RELEASE,
    RESERVATION,
    SAVE_LINES,
    SAVE_RESERVATION,
    SELL,
)
from workers.runtime.postgres import PostgresUnits


class PostgresCatalogUnit(PostgresMenuUnit):
    """One transaction of the catalog."""

    async def claim(self, reservation: Reservation) -> Reservation | None:
        """Insert unless the order has a reservation; a concurrent twin waits on the key."""
        cursor = await self._connection.execute(
            CLAIM, {**reservation_values(reservation), "now": self.now}
        )
        if cursor.rowcount == 1:
            return None
        return await self.reservation(reservation.shop_id, reservation.order_id)

    async def reservation(self, shop_id: ShopId, order_id: OrderId) -> Reservation | None:
        """Read and lock the reservation of an order."""
        cursor = await self._connection.execute(RESERVATION, (shop_id, order_id))
        row = await cursor.fetchone()
        return None if row is None else reservation_of(row)

    async def save_reservation(self, reservation: Reservation) -> None:
        """Write status, reason and, while it is held, the quantities."""
        values = {**reservation_values(reservation), "now": self.now}
        await self._connection.execute(SAVE_RESERVATION, values)
        if reservation.status is ReservationStatus.HELD and reservation.quantities:
            await self._connection.execute(SAVE_LINES, values)

    async def offers(
        self, shop_id: ShopId, product_ids: Sequence[ProductId]
    ) -> dict[ProductId, Offer]:
        """Read products with their stock; the lock makes the next statement see the last commit."""
        cursor = await self._connection.execute(OFFERS, (shop_id, list(product_ids)))
        rows = await cursor.fetchall()
        offers = [Offer(product=product_of(row), level=level_of(row)) for row in rows]
        return {offer.product.id: offer for offer in offers}

    async def hold(self, reservation: Reservation) -> bool:
        """Hold all quantities in one conditional statement, or none; tell which."""
        return await self._move(HOLD, reservation)

    async def sell(self, reservation: Reservation) -> None:
        """Turn held into sold, all or nothing."""
        await self._settle(SELL, reservation)

    async def release(self, reservation: Reservation) -> None:
        """Turn held into left, all or nothing."""
        await self._settle(RELEASE, reservation)

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

    async def receive(self, delivery: Delivery) -> bool:
        """Add a delivery to the stock unless it was counted before."""
        values = {**asdict(delivery), "delivery_id": delivery.id, "now": self.now}
        cursor = await self._connection.execute(COUNT_DELIVERY, values)
        if cursor.rowcount == 0:
            return False
        await self._connection.execute(RECEIVE, values)
        return True

    async def counted(self, goods: Delivery | Correction) -> int | None:
        """Lock the stock; tell how much was counted before under this id, if anything."""
        await self._connection.execute(LOCK_STOCK, (goods.shop_id, [goods.product_id]))
        key = (goods.shop_id, goods.id, goods.product_id, goods.kind.value)
        cursor = await self._connection.execute(COUNTED, key)
        row = await cursor.fetchone()
        return None if row is None else int(row["quantity"])

    async def correct(self, correction: Correction) -> bool:
        """Change what came in, unless less would be left than nothing."""
        cursor = await self._connection.execute(CORRECT, {**asdict(correction), "now": self.now})
        return cursor.rowcount == 1

    async def _settle(self, statement: str, reservation: Reservation) -> None:
        if not reservation.quantities:
            return  # Nothing of the order is counted.
        ids = list(reservation.quantities)
        await self._connection.execute(LOCK_STOCK, (reservation.shop_id, ids))
        if not await self._move(statement, reservation):
            raise StockCorrupted(f"less is held in {reservation.shop_id} than is reserved")

    async def _move(self, statement: str, reservation: Reservation) -> bool:
        if not reservation.quantities:
            return True
        values = {**reservation_values(reservation), "now": self.now}
        cursor = await self._connection.execute(statement, values)
        return cursor.rowcount == len(reservation.quantities)


class PostgresCatalog:
    """The store in which handlers work."""

    def __init__(self, units: PostgresUnits) -> None:
        self._units = units

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[PostgresCatalogUnit]:
        """Open a transaction; raise `AlreadyHandled` when the effect of `cause` is committed."""
        async with self._units.begin(cause) as unit:
            yield PostgresCatalogUnit(unit)
