"""What the handlers and the API of orders ask of a store."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from comanda.envelope import Envelope
from comanda.events import Event
from comanda.ids import CustomerId, OrderId, ProductId, ReservationId, ShopId
from comanda.money import Money
from workers.orders.claims import Claim
from workers.orders.feed import FeedEntry, Totals
from workers.orders.lines import Menu, MenuItem
from workers.orders.mail import Contact, Mail
from workers.orders.model import Order, OrderStatus, Pix
from workers.orders.shop_rules import ShopRules

__all__ = ["Totals"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Which part of a list: at most `limit` after the position of the last one seen.

    A list of orders has at most 100, the list of an audit at most 1000.
    """

    limit: int = 50
    after: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Audited:
    """A page of orders and claims in the store's own order, and the position of the last one.

    `last` is `None` when nothing is behind this page.
    """

    orders: tuple[Order, ...]
    claims: tuple[Claim, ...]
    last: str | None


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

    def note_reservation(
        self, shop_id: ShopId, order_id: OrderId, *, reservation_id: ReservationId
    ) -> None:
        """Write it without reading; `Conflict` unless there is such an order without one."""

    def note_pix(self, shop_id: ShopId, order_id: OrderId, *, pix: Pix, total: Money) -> None:
        """Write the code without reading; `Conflict` unless the order has this total and none."""

    def enter(self, entry: FeedEntry) -> None:
        """Write an entry of the feed."""

    def post(self, mail: Mail) -> None:
        """Owe a customer a mail."""

    def complete(self, claim: Claim, *, answer: str) -> None:
        """Give a claim its answer; the unit ends in `Conflict` unless its holder still holds it."""

    async def menu_item(self, shop_id: ShopId, product_id: ProductId) -> MenuItem | None:
        """Read our copy of a product, also one that was removed."""

    def save_menu_item(self, item: MenuItem) -> None:
        """Write our copy; the unit ends in `Conflict` if a newer version is there."""

    async def rules(self, shop_id: ShopId) -> ShopRules:
        """Read when a shop takes orders."""

    def save_rules(self, rules: ShopRules) -> None:
        """Write when a shop takes orders; `Conflict` if a newer version is there."""

    async def contact(self, shop_id: ShopId, customer_id: CustomerId) -> Contact | None:
        """Read where a customer can be reached."""

    def save_contact(self, contact: Contact) -> None:
        """Write where a customer can be reached; `Conflict` if something newer is there."""

    def forget_contact(self, shop_id: ShopId, customer_id: CustomerId) -> None:
        """Forget where a customer can be reached."""


class Orders(Protocol):
    """The store in which handlers work."""

    def begin(self, cause: Envelope | None = None) -> AbstractAsyncContextManager[OrdersUnit]:
        """Open a unit of work; raise `AlreadyHandled` when the effect of `cause` is committed."""

    async def of_owner(self, shop_id: ShopId, owner: str, *, page: Page) -> list[Order]:
        """List what one customer ordered, newest first."""


class OrderReader(Protocol):
    """What the API shows; each read costs what it shows, however many orders there are."""

    async def get(self, shop_id: ShopId, order_id: OrderId) -> Order | None:
        """Read an order as it is now."""

    async def many(self, keys: Sequence[tuple[ShopId, OrderId]]) -> list[Order]:
        """Read up to a hundred orders at once; those not found are left out."""

    async def board(self, shop_id: ShopId) -> list[Order]:
        """List READY, then IN_PREPARATION, then RECEIVED, oldest first; nothing else."""

    async def of_owner(self, shop_id: ShopId, owner: str, *, page: Page) -> list[Order]:
        """List what one customer ordered, newest first."""

    async def of_day(
        self, shop_id: ShopId, day: date, *, page: Page, status: OrderStatus | None = None
    ) -> list[Order]:
        """List a shop's day by call number, of one status or of all."""

    async def called(self, shop_id: ShopId, day: date, *, number: int) -> list[Order]:
        """Find the order of a call number; at most one."""

    async def in_flight(self, shop_id: ShopId, day: date) -> int:
        """Count the orders of a day that wait for their payment or are to be made."""

    async def totals(self, shop_id: ShopId, *, now: datetime) -> Totals:
        """Add up all orders of a shop: what was added up before, and what came since."""

    async def feed(
        self, shop_id: ShopId, *, after: str, before: str, limit: int
    ) -> list[FeedEntry]:
        """List entries of the feed between two positions, oldest first."""

    async def acknowledged(self, shop_id: ShopId, reader: str) -> str:
        """Give the position that a reader of the feed acknowledged last."""

    async def acknowledge(self, shop_id: ShopId, reader: str, *, position: str) -> None:
        """Move a reader on; never back."""

    async def audit(self, shop_id: ShopId, *, page: Page) -> Audited:
        """List all orders and all claims of a shop, page by page."""

    async def ping(self) -> None:
        """Reach the store, or raise."""


class Menus(Protocol):
    """Our copies of the menus."""

    async def menu(self, shop_id: ShopId) -> Menu:
        """Read all products of a shop, also removed ones, and when it takes orders."""


class Letterbox(Protocol):
    """The mail that is owed."""

    async def owed(self, *, limit: int) -> list[Mail]:
        """List what is to be sent, oldest first."""

    async def take(self, mail: Mail, *, now: datetime) -> bool:
        """Take a mail for the time of its lease; tell whether it is ours."""

    async def sent(self, mail: Mail) -> None:
        """Forget a mail that was sent, or that nobody waits for."""

    async def contact(self, shop_id: ShopId, customer_id: CustomerId) -> Contact | None:
        """Find where a customer can be reached."""


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
