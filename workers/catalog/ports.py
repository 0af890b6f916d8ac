"""What the handlers and the API of the catalog ask of a store."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from comanda.envelope import Envelope
from comanda.events import Event
from comanda.ids import OrderId, ProductId, ShopId
from comanda.menu import Category
from workers.catalog.model import (
    Correction,
    Delivery,
    Offer,
    RefusedTransition,
    Reservation,
    StockAudit,
    StockLevel,
    StockMove,
)
from workers.catalog.pictures import Picture
from workers.catalog.products import Price, Product
from workers.catalog.shop import ShopRules


class CatalogUnit(Protocol):
    """One unit of work: all that is done through it happens, or none of it."""

    @property
    def now(self) -> datetime:
        """Give the instant at which the unit began."""

    def emit(self, event: Event) -> None:
        """Save an outgoing event with the state that it tells of."""

    async def claim(self, reservation: Reservation) -> Reservation | None:
        """Write the reservation unless its order has one; give the one that was there first.

        Of two concurrent claims for one order, the second waits for the end of the first.
        """

    async def reservation(self, shop_id: ShopId, order_id: OrderId) -> Reservation | None:
        """Read and lock the reservation of an order."""

    async def save_reservation(self, reservation: Reservation) -> None:
        """Write status, reason and quantities of a reservation that was claimed or read."""

    async def offers(
        self, shop_id: ShopId, product_ids: Sequence[ProductId]
    ) -> dict[ProductId, Offer]:
        """Read products with their stock and lock the stock, always in the order of product ids."""

    async def hold(self, reservation: Reservation) -> bool:
        """Hold all quantities in one conditional step, or none; tell which."""

    async def sell(self, reservation: Reservation) -> None:
        """Turn held into sold; raise `StockCorrupted` if so much is not held."""

    async def release(self, reservation: Reservation) -> None:
        """Turn held into left; raise `StockCorrupted` if so much is not held."""

    async def record_refusal(self, refusal: RefusedTransition) -> None:
        """Write down a step that was refused."""

    async def lock_menu(self, shop_id: ShopId) -> None:
        """Wait until no other unit edits the menu of this shop, and keep others waiting."""

    async def product(self, shop_id: ShopId, product_id: ProductId) -> Product | None:
        """Read and lock a product, also one that was removed."""

    async def products(self, shop_id: ShopId) -> list[Product]:
        """Read all products of a shop, also those that were removed."""

    async def save_product(self, product: Product) -> None:
        """Insert or update a product; a new one has an empty stock."""

    async def record_price(self, product: Product, *, author: str) -> None:
        """Add to the price history what a product costs from now on."""

    async def save_picture(self, picture: Picture) -> None:
        """Keep a picture; keeping it twice is keeping it once."""

    async def drop_picture(self, shop_id: ShopId, digest: str) -> None:
        """Forget a picture that no product of the shop shows."""

    async def shop_rules(self, shop_id: ShopId) -> ShopRules:
        """Read and lock what a shop decided; version 0 if nothing."""

    async def save_shop_rules(self, rules: ShopRules) -> None:
        """Write down what a shop decided."""

    async def receive(self, delivery: Delivery) -> bool:
        """Add a delivery to the stock; tell `False` if another unit counted it first."""

    async def counted(self, goods: Delivery | Correction) -> int | None:
        """Lock the stock; tell how much was counted before under this id, if anything."""

    async def correct(self, correction: Correction) -> bool:
        """Change what came in; tell `False` if less would be left than nothing."""


class Catalog(Protocol):
    """The store in which handlers work."""

    def begin(self, cause: Envelope | None = None) -> AbstractAsyncContextManager[CatalogUnit]:
        """Open a unit of work; raise `AlreadyHandled` when the effect of `cause` is committed."""


class CatalogReader(Protocol):
    """What the API shows."""

    async def menu(self, shop_id: ShopId) -> list[Product]:
        """List the products that were not removed, by category, position and name."""

    async def search(
        self, shop_id: ShopId, *, words: Sequence[str], category: Category | None
    ) -> list[Product]:
        """List the products of the menu that hold all words, in folded name or description."""

    async def all_products(self, shop_id: ShopId) -> list[Product]:
        """List all products, also those that were removed, in the order of the menu."""

    async def find_product(self, shop_id: ShopId, product_id: ProductId) -> Product | None:
        """Find a product, also one that was removed."""

    async def prices(self, shop_id: ShopId, product_id: ProductId) -> list[Price]:
        """List what a product cost, newest first."""

    async def picture(self, shop_id: ShopId, digest: str) -> Picture | None:
        """Find a picture."""

    async def rules(self, shop_id: ShopId) -> ShopRules:
        """Read what a shop decided; version 0 if nothing."""

    async def moves(
        self, shop_id: ShopId, product_id: ProductId, *, after: int, limit: int
    ) -> list[StockMove]:
        """List lines of a product's stock ledger, oldest first, behind the one numbered `after`."""

    async def levels(self, shop_id: ShopId) -> list[StockLevel]:
        """List the stock of every product, in the order of product ids."""

    async def audit(self, shop_id: ShopId) -> list[StockAudit]:
        """Compare the stock of every product with its deliveries and reservations."""

    async def reservations(
        self, shop_id: ShopId, *, after: OrderId | None, limit: int
    ) -> list[Reservation]:
        """List reservations in the order of their orders' ids, behind the one of `after`."""

    async def refusals(self, shop_id: ShopId, *, limit: int) -> list[RefusedTransition]:
        """List refused transitions, newest first."""

    async def ping(self) -> None:
        """Reach the store, or raise."""
