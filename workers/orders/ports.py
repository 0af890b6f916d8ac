"""What the handlers and the API of orders ask of a store."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from comanda.envelope import Envelope
from comanda.events import Event
from comanda.ids import OrderId, ProductId, ShopId
from comanda.money import ZERO, Money
from workers.orders.claims import Claim
from workers.orders.lines import MenuItem
from workers.orders.model import PAID, Order, OrderStatus


@dataclass(kw_only=True, slots=True)
class Totals:
    """What the orders of a shop add up to."""

    by_status: dict[OrderStatus, int] = field(default_factory=dict)
    paid_total: Money = ZERO
    refused_transitions: int = 0

    def count(self, status: OrderStatus, *, total: Money, refusals: int) -> None:
        """Add one order."""
        self.by_status[status] = self.by_status.get(status, 0) + 1
        self.refused_transitions += refusals
        if status in PAID:
            self.paid_total += total


class OrdersUnit(Protocol):
    """One unit of work: all that is done through it happens, or none of it."""

    @property
    def now(self) -> datetime:
        """Give the instant at which the unit began."""

    def emit(self, event: Event) -> None:
        """Save an outgoing event with the state that it tells of."""

    async def order(self, shop_id: ShopId, order_id: OrderId) -> Order | None:
        """Read an order as it is now."""

    def add(self, order: Order) -> None:
        """Write a new order; the unit ends in `Conflict` if there is one of that id."""

    def save(self, order: Order) -> Order:
        """Write a changed order and give it with its next version.

        The unit ends in `Conflict` if another writer was first.
        """

    def complete(self, claim: Claim, *, answer: str) -> None:
        """Give a claim its answer; the unit ends in `Conflict` unless its holder still holds it."""

    async def menu_item(self, shop_id: ShopId, product_id: ProductId) -> MenuItem | None:
        """Read our copy of a product, also one that was removed."""

    def save_menu_item(self, item: MenuItem) -> None:
        """Write our copy; the unit ends in `Conflict` if a newer version is there."""


class Orders(Protocol):
    """The store in which handlers work."""

    def begin(self, cause: Envelope | None = None) -> AbstractAsyncContextManager[OrdersUnit]:
        """Open a unit of work; raise `AlreadyHandled` when the effect of `cause` is committed."""


class OrderReader(Protocol):
    """What the API shows."""

    async def get(self, shop_id: ShopId, order_id: OrderId) -> Order | None:
        """Read an order as it is now."""

    async def many(self, keys: Sequence[tuple[ShopId, OrderId]]) -> list[Order]:
        """Read up to a hundred orders at once; those not found are left out."""

    async def board(self, shop_id: ShopId) -> list[Order]:
        """List READY, then IN_PREPARATION, then RECEIVED, oldest first; nothing else."""

    async def totals(self, shop_id: ShopId) -> Totals:
        """Add up all orders of a shop."""

    async def audit(self, shop_id: ShopId) -> tuple[list[Order], list[Claim]]:
        """List all orders and all claims of a shop."""

    async def ping(self) -> None:
        """Reach the store, or raise."""


class Menus(Protocol):
    """Our copies of the menus."""

    async def menu(self, shop_id: ShopId) -> Mapping[ProductId, MenuItem]:
        """Read all products of a shop, also removed ones."""


class Claims(Protocol):
    """The idempotency keys in use."""

    async def claim(self, wanted: Claim, *, now: datetime) -> Claim:
        """Store the claim, or give the one that holds its key."""

    async def take_over(self, claim: Claim, *, of: str) -> bool:
        """Store a claim's new holder if `of` still holds it without an answer; tell whether."""

    async def release(self, claim: Claim) -> None:
        """Forget a claim without an answer, if its holder still holds it."""

    async def amend(self, claim: Claim, *, answer: str) -> None:
        """Replace the answer of a claim that has one."""


class Desk(Claims, Protocol):
    """What is written before an order is: its claim and its call number."""

    async def next_number(self, shop_id: ShopId, *, day: date) -> int:
        """Give the next number of a shop's day, from 1; no number is given twice."""
