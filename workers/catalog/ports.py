"""What the handlers and the API of the catalog ask of a store."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from comanda.envelope import Envelope
from comanda.events import Event
from comanda.ids import OrderId, ProductId, ShopId
from workers.catalog.model import (
    Delivery,
    Offer,
    Product,
    RefusedTransition,
    Reservation,
    StockAudit,
    StockLevel,
)


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

    async def hold(self, shop_id: ShopId, quantities: Mapping[ProductId, int]) -> bool:
        """Hold all quantities in one conditional step, or none; tell which."""

    async def sell(self, shop_id: ShopId, quantities: Mapping[ProductId, int]) -> None:
        """Turn held into sold; raise `StockCorrupted` if so much is not held."""

    async def release(self, shop_id: ShopId, quantities: Mapping[ProductId, int]) -> None:
        """Turn held into left; raise `StockCorrupted` if so much is not held."""

    async def record_refusal(self, refusal: RefusedTransition) -> None:
        """Write down a step that was refused."""

    async def product(self, shop_id: ShopId, product_id: ProductId) -> Product | None:
        """Read and lock a product, also one that was removed."""

    async def save_product(self, product: Product) -> None:
        """Insert or update a product; a new one has an empty stock."""

    async def receive(self, delivery: Delivery) -> bool:
        """Add a delivery to the stock; tell `False` if it was counted before."""


class Catalog(Protocol):
    """The store in which handlers work."""

    def begin(self, cause: Envelope | None = None) -> AbstractAsyncContextManager[CatalogUnit]:
        """Open a unit of work; raise `AlreadyHandled` when the effect of `cause` is committed."""


class CatalogReader(Protocol):
    """What the API shows."""

    async def menu(self, shop_id: ShopId) -> list[Product]:
        """List the products that were not removed, by category and name."""

    async def levels(self, shop_id: ShopId) -> list[StockLevel]:
        """List the stock of every product, in the order of product ids."""

    async def audit(self, shop_id: ShopId) -> list[StockAudit]:
        """Compare the stock of every product with its deliveries and reservations."""

    async def refusals(self, shop_id: ShopId, *, limit: int) -> list[RefusedTransition]:
        """List refused transitions, newest first."""

    async def ping(self) -> None:
        """Reach the store, or raise."""
