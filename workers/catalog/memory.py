"""The catalog in memory, with the promises of the real store: units in turn, all or nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from comanda.envelope import Envelope, seal
from comanda.events import Event
from comanda.ids import OrderId, ProductId, ShopId
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
from workers.runtime.errors import AlreadyHandled

_Key = tuple[ShopId, ProductId]
_SHELVES = list(Category)


@dataclass(kw_only=True, slots=True)
class _State:
    """Everything that is committed; a unit works on a copy."""

    products: dict[_Key, Product] = field(default_factory=dict)
    levels: dict[_Key, StockLevel] = field(default_factory=dict)
    deliveries: set[tuple[ShopId, str, ProductId]] = field(default_factory=set)
    reservations: dict[tuple[ShopId, OrderId], Reservation] = field(default_factory=dict)
    refusals: dict[str, RefusedTransition] = field(default_factory=dict)
    inbox: set[str] = field(default_factory=set)

    def copy(self) -> Self:
        """Copy the containers; what they hold is frozen."""
        return type(self)(
            products=dict(self.products),
            levels=dict(self.levels),
            deliveries=set(self.deliveries),
            reservations=dict(self.reservations),
            refusals=dict(self.refusals),
            inbox=set(self.inbox),
        )


class InMemoryCatalogUnit:
    """One unit of work on a copy of the state."""

    def __init__(self, state: _State, *, now: datetime, cause: Envelope | None) -> None:
        self._state = state
        self._cause = cause
        self.now = now
        self.sealed: list[Envelope] = []

    def emit(self, event: Event) -> None:
        """Keep an outgoing event until the unit ends well."""
        self.sealed.append(seal(event, now=self.now, cause=self._cause))

    async def claim(self, reservation: Reservation) -> Reservation | None:
        """Keep the reservation unless its order has one; give the one that was there first."""
        key = (reservation.shop_id, reservation.order_id)
        earlier = self._state.reservations.get(key)
        if earlier is None:
            self._state.reservations[key] = reservation
        return earlier

    async def reservation(self, shop_id: ShopId, order_id: OrderId) -> Reservation | None:
        """Find the reservation of an order."""
        return self._state.reservations.get((shop_id, order_id))

    async def save_reservation(self, reservation: Reservation) -> None:
        """Replace a reservation."""
        self._state.reservations[reservation.shop_id, reservation.order_id] = reservation

    async def offers(
        self, shop_id: ShopId, product_ids: Sequence[ProductId]
    ) -> dict[ProductId, Offer]:
        """Find products with their stock."""
        known = [i for i in sorted(product_ids) if (shop_id, i) in self._state.products]
        return {
            i: Offer(product=self._state.products[shop_id, i], level=self._state.levels[shop_id, i])
            for i in known
        }

    async def hold(self, shop_id: ShopId, quantities: Mapping[ProductId, int]) -> bool:
        """Hold all quantities, or none."""
        try:
            self._move(StockLevel.hold, shop_id=shop_id, quantities=quantities)
        except StockCorrupted:
            return False
        return True

    async def sell(self, shop_id: ShopId, quantities: Mapping[ProductId, int]) -> None:
        """Turn held into sold."""
        self._move(StockLevel.sell, shop_id=shop_id, quantities=quantities)

    async def release(self, shop_id: ShopId, quantities: Mapping[ProductId, int]) -> None:
        """Turn held into left."""
        self._move(StockLevel.release, shop_id=shop_id, quantities=quantities)

    async def record_refusal(self, refusal: RefusedTransition) -> None:
        """Keep a step that was refused."""
        self._state.refusals.setdefault(refusal.event_id, refusal)

    async def product(self, shop_id: ShopId, product_id: ProductId) -> Product | None:
        """Find a product."""
        return self._state.products.get((shop_id, product_id))

    async def save_product(self, product: Product) -> None:
        """Keep a product; a new one has an empty stock."""
        key = (product.shop_id, product.id)
        self._state.products[key] = product
        self._state.levels.setdefault(key, StockLevel(product_id=product.id))

    async def receive(self, delivery: Delivery) -> bool:
        """Add a delivery unless it was counted before."""
        mark = (delivery.shop_id, delivery.id, delivery.product_id)
        if mark in self._state.deliveries:
            return False
        key = (delivery.shop_id, delivery.product_id)
        self._state.deliveries.add(mark)
        self._state.levels[key] = self._state.levels[key].receive(delivery.quantity)
        return True

    def _move(
        self,
        change: Callable[[StockLevel, int], StockLevel],
        *,
        shop_id: ShopId,
        quantities: Mapping[ProductId, int],
    ) -> None:
        try:
            moved = {
                (shop_id, product_id): change(self._state.levels[shop_id, product_id], quantity)
                for product_id, quantity in quantities.items()
            }
        except KeyError as exc:
            raise StockCorrupted(f"no stock of {exc.args[0]}") from exc
        self._state.levels.update(moved)


class InMemoryCatalog:
    """Store, reader and topic in one; `published` holds what went out, in order."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._state = _State()
        self._turn = asyncio.Lock()
        self.published: list[Envelope] = []

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[InMemoryCatalogUnit]:
        """Open a unit of work; raise `AlreadyHandled` when the effect of `cause` is committed."""
        async with self._turn:
            state = self._state.copy()
            if cause is not None:
                if cause.id in state.inbox:
                    raise AlreadyHandled(cause.id)
                state.inbox.add(cause.id)
            unit = InMemoryCatalogUnit(state, now=self._clock(), cause=cause)
            yield unit
            self._state = state
            self.published.extend(unit.sealed)

    async def menu(self, shop_id: ShopId) -> list[Product]:
        """List the products that were not removed, by category and name."""
        shown = [
            p for p in self._state.products.values() if p.shop_id == shop_id and not p.is_removed
        ]
        return sorted(shown, key=lambda p: (_SHELVES.index(p.category), p.name, p.id))

    async def levels(self, shop_id: ShopId) -> list[StockLevel]:
        """List the stock of every product, in the order of product ids."""
        levels = [level for (shop, _), level in self._state.levels.items() if shop == shop_id]
        return sorted(levels, key=lambda level: level.product_id)

    async def audit(self, shop_id: ShopId) -> list[StockAudit]:
        """Compare the stock of every product with its reservations."""
        return [
            StockAudit(
                product_id=level.product_id,
                received=level.received,
                held=level.held,
                sold=level.sold,
                delivered=level.received,
                reserved=self._reserved(shop_id, level.product_id, ReservationStatus.HELD),
                bought=self._reserved(shop_id, level.product_id, ReservationStatus.SOLD),
            )
            for level in await self.levels(shop_id)
        ]

    def _reserved(self, shop_id: ShopId, product_id: ProductId, status: ReservationStatus) -> int:
        return sum(
            reservation.quantities.get(product_id, 0)
            for reservation in self._state.reservations.values()
            if reservation.shop_id == shop_id and reservation.status is status
        )

    async def refusals(self, shop_id: ShopId, *, limit: int) -> list[RefusedTransition]:
        """List refused transitions, newest first."""
        refusals = [r for r in self._state.refusals.values() if r.shop_id == shop_id]
        return sorted(refusals, key=lambda r: (r.at, r.event_id), reverse=True)[:limit]

    async def ping(self) -> None:
        """Memory is always in reach."""
