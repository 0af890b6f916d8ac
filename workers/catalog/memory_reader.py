"""What the catalog in memory holds, and how it is read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from comanda.ids import OrderId, ProductId, ShopId
from comanda.menu import Category
from workers.catalog.model import (
    MoveKind,
    RefusedTransition,
    Reservation,
    ReservationStatus,
    StockAudit,
    StockLevel,
    StockMove,
)
from workers.catalog.pictures import Picture
from workers.catalog.products import Price, Product, folded
from workers.catalog.shop import ShopRules

Key = tuple[ShopId, ProductId]
_SHELVES = list(Category)


@dataclass(kw_only=True, slots=True)
class State:
    """Everything that is committed; a unit works on a copy."""

    products: dict[Key, Product] = field(default_factory=dict)
    prices: dict[Key, tuple[Price, ...]] = field(default_factory=dict)
    pictures: dict[tuple[ShopId, str], Picture] = field(default_factory=dict)
    rules: dict[ShopId, ShopRules] = field(default_factory=dict)
    levels: dict[Key, StockLevel] = field(default_factory=dict)
    deliveries: set[tuple[ShopId, str, ProductId]] = field(default_factory=set)
    ledger: list[tuple[ShopId, StockMove]] = field(default_factory=list)
    reservations: dict[tuple[ShopId, OrderId], Reservation] = field(default_factory=dict)
    refusals: dict[str, RefusedTransition] = field(default_factory=dict)
    inbox: set[str] = field(default_factory=set)

    def copy(self) -> Self:
        """Copy the containers; what they hold is frozen."""
        return type(self)(
            products=dict(self.products),
            prices=dict(self.prices),
            pictures=dict(self.pictures),
            rules=dict(self.rules),
            levels=dict(self.levels),
            deliveries=set(self.deliveries),
            ledger=list(self.ledger),
            reservations=dict(self.reservations),
            refusals=dict(self.refusals),
            inbox=set(self.inbox),
        )


def in_menu_order(products: Sequence[Product]) -> list[Product]:
    """Sort by category, position, name and id."""
    return sorted(products, key=lambda p: (_SHELVES.index(p.category), p.position, p.name, p.id))


class InMemoryCatalogReader:
    """What the API shows."""

    _state: State

    async def menu(self, shop_id: ShopId) -> list[Product]:
        """List the products that were not removed, by category, position and name."""
        return [p for p in await self.all_products(shop_id) if not p.is_removed]

    async def search(
        self, shop_id: ShopId, *, words: Sequence[str], category: Category | None
    ) -> list[Product]:
        """List the products of the menu that hold all words, in folded name or description."""
        return [
            p
            for p in await self.menu(shop_id)
            if category in (None, p.category)
            and all(word in folded(f"{p.name} {p.description}") for word in words)
        ]

    async def all_products(self, shop_id: ShopId) -> list[Product]:
        """List all products, also those that were removed, in the order of the menu."""
        return in_menu_order([p for p in self._state.products.values() if p.shop_id == shop_id])

    async def find_product(self, shop_id: ShopId, product_id: ProductId) -> Product | None:
        """Find a product, also one that was removed."""
        return self._state.products.get((shop_id, product_id))

    async def prices(self, shop_id: ShopId, product_id: ProductId) -> list[Price]:
        """List what a product cost, newest first."""
        return list(reversed(self._state.prices.get((shop_id, product_id), ())))

    async def picture(self, shop_id: ShopId, digest: str) -> Picture | None:
        """Find a picture."""
        return self._state.pictures.get((shop_id, digest))

    async def rules(self, shop_id: ShopId) -> ShopRules:
        """Read what a shop decided; version 0 if nothing."""
        return self._state.rules.get(shop_id, ShopRules(shop_id=shop_id))

    async def levels(self, shop_id: ShopId) -> list[StockLevel]:
        """List the stock of every product, in the order of product ids."""
        levels = [level for (shop, _), level in self._state.levels.items() if shop == shop_id]
        return sorted(levels, key=lambda level: level.product_id)

    async def audit(self, shop_id: ShopId) -> list[StockAudit]:
        """Compare the stock of every product with its reservations and its ledger."""
        return [self._audit(shop_id, level) for level in await self.levels(shop_id)]

    async def reservations(
        self, shop_id: ShopId, *, after: OrderId | None, limit: int
    ) -> list[Reservation]:
        """List reservations in the order of their orders' ids, behind the one of `after`."""
        found = [
            reservation
            for (shop, order_id), reservation in self._state.reservations.items()
            if shop == shop_id and order_id > (after or "")
        ]
        return sorted(found, key=lambda reservation: reservation.order_id)[:limit]

    async def moves(
        self, shop_id: ShopId, product_id: ProductId, *, after: int, limit: int
    ) -> list[StockMove]:
        """List lines of a product's stock ledger, oldest first, behind the one numbered `after`."""
        moves = self._moves(shop_id, product_id)
        return [move for move in moves if move.sequence > after][:limit]

    async def refusals(self, shop_id: ShopId, *, limit: int) -> list[RefusedTransition]:
        """List refused transitions, newest first."""
        refusals = [r for r in self._state.refusals.values() if r.shop_id == shop_id]
        return sorted(refusals, key=lambda r: (r.at, r.event_id), reverse=True)[:limit]

    async def ping(self) -> None:
        """Memory is always in reach."""

    def _moves(self, shop_id: ShopId, product_id: ProductId) -> list[StockMove]:
        return [
            move
            for shop, move in self._state.ledger
            if shop == shop_id and move.product_id == product_id
        ]

    def _audit(self, shop_id: ShopId, level: StockLevel) -> StockAudit:
        moves = self._moves(shop_id, level.product_id)
        kinds = (MoveKind.RECEIVED, MoveKind.CORRECTED)
        told = StockLevel(product_id=level.product_id)
        for move in moves:
            told = told.follow(move)
        return StockAudit(
            product_id=level.product_id,
            received=level.received,
            held=level.held,
            sold=level.sold,
            delivered=sum(move.quantity for move in moves if move.kind in kinds),
            reserved=self._reserved(shop_id, level.product_id, ReservationStatus.HELD),
            bought=self._reserved(shop_id, level.product_id, ReservationStatus.SOLD),
            ledger_received=told.received,
            ledger_held=told.held,
            ledger_sold=told.sold,
        )

    def _reserved(self, shop_id: ShopId, product_id: ProductId, status: ReservationStatus) -> int:
        return sum(
            reservation.quantities.get(product_id, 0)
            for reservation in self._state.reservations.values()
            if reservation.shop_id == shop_id and reservation.status is status
        )
