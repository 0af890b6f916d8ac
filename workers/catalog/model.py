"""Products, stock and reservations: what may be sold, and what may still change its mind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from comanda.events import Line, Shortage
from comanda.ids import EventId, OrderId, ProductId, ReservationId, ShopId
from comanda.money import ZERO, Money

# Far above what a counter sells at once, and far below where a column of the store overflows.
LARGEST_QUANTITY = 1_000_000


class InvalidLines(ValueError):
    """No shop can have meant these lines: none at all, an impossible quantity, a wrong total."""


class StockCorrupted(Exception):
    """Stock and reservations contradict each other; nothing was changed."""


class Category(StrEnum):
    """The four shelves of a menu."""

    MEAL = "MEAL"
    SIDE = "SIDE"
    DRINK = "DRINK"
    DESSERT = "DESSERT"


class ReservationStatus(StrEnum):
    """Where a reservation stands."""

    HELD = "HELD"
    SOLD = "SOLD"
    RELEASED = "RELEASED"


TRANSITIONS: Mapping[ReservationStatus, frozenset[ReservationStatus]] = {
    ReservationStatus.HELD: frozenset({ReservationStatus.SOLD, ReservationStatus.RELEASED}),
    ReservationStatus.SOLD: frozenset(),
    ReservationStatus.RELEASED: frozenset(),
}


class RejectionReason(StrEnum):
    """Why an order's lines are not held."""

    UNKNOWN_PRODUCT = "unknown_product"
    PRICE_CHANGED = "price_changed"
    UNAVAILABLE = "unavailable"
    OUT_OF_STOCK = "out_of_stock"
    ORDER_CANCELLED = "order_cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """What the menu says of one product; a higher version is newer."""

    id: ProductId
    shop_id: ShopId
    version: int
    name: str
    category: Category
    price: Money
    is_available: bool
    is_removed: bool = False

    def differs_from(self, other: "Product") -> bool:
        """Tell whether the two say different things, whatever their versions."""
        return replace(self, version=other.version) != other


@dataclass(frozen=True, kw_only=True, slots=True)
class StockAudit:
    """The stock of a product beside what its deliveries and reservations add up to."""

    product_id: ProductId
    received: int
    held: int
    sold: int
    delivered: int
    reserved: int
    bought: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StockLevel:
    """What came in of one product, and where it is: held + sold + left = received."""

    product_id: ProductId
    received: int = 0
    held: int = 0
    sold: int = 0

    def __post_init__(self) -> None:
        if self.held < 0 or self.sold < 0 or self.received < self.held + self.sold:
            raise StockCorrupted(f"impossible stock of {self.product_id}: {self!r}")

    @property
    def left(self) -> int:
        """Count what can still be held."""
        return self.received - self.held - self.sold

    def receive(self, quantity: int) -> Self:
        """Add a delivery."""
        return replace(self, received=self.received + quantity)

    def hold(self, quantity: int) -> Self:
        """Set aside for one order."""
        return replace(self, held=self.held + quantity)

    def sell(self, quantity: int) -> Self:
        """Turn held into sold."""
        return replace(self, held=self.held - quantity, sold=self.sold + quantity)

    def release(self, quantity: int) -> Self:
        """Give back what was held."""
        return replace(self, held=self.held - quantity)


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A product together with its stock, as one order meets it."""

    product: Product
    level: StockLevel


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """Goods that came in; the same delivery counts once."""

    id: str
    shop_id: ShopId
    product_id: ProductId
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """The one answer to an order; without quantities it is the mark of one that holds nothing."""

    id: ReservationId
    shop_id: ShopId
    order_id: OrderId
    status: ReservationStatus
    quantities: Mapping[ProductId, int]
    reason: str | None = None

    def can_become(self, status: ReservationStatus) -> bool:
        """Tell whether the table of transitions allows this step."""
        return status in TRANSITIONS[self.status]


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedTransition:
    """A step that an event asked for and that the reservation refused."""

    event_id: EventId
    event_type: str
    shop_id: ShopId
    order_id: OrderId
    current: ReservationStatus | None
    asked: ReservationStatus
    at: datetime


def quantities_of(lines: Sequence[Line], *, total: Money) -> dict[ProductId, int]:
    """Merge lines of one product, in the order of product ids; raise `InvalidLines`."""
    if not lines:
        raise InvalidLines("an order has at least one line")
    merged: dict[ProductId, int] = {}
    for line in sorted(lines, key=lambda line: line.product_id):
        if not 1 <= line.quantity <= LARGEST_QUANTITY:
            raise InvalidLines(f"impossible quantity: {line.quantity}")
        merged[line.product_id] = merged.get(line.product_id, 0) + line.quantity
    if sum((line.unit_price * line.quantity for line in lines), ZERO) != total:
        raise InvalidLines(f"the lines do not add up to {total}")
    return merged


def objection_to(
    lines: Sequence[Line], *, offers: Mapping[ProductId, Offer]
) -> RejectionReason | None:
    """Name the first thing that the menu holds against these lines, or nothing."""
    if any(line.product_id not in offers for line in lines):
        return RejectionReason.UNKNOWN_PRODUCT
    products = [(line, offers[line.product_id].product) for line in lines]
    if any(product.is_removed for _, product in products):
        return RejectionReason.UNKNOWN_PRODUCT
    if any(not product.is_available for _, product in products):
        return RejectionReason.UNAVAILABLE
    if any(line.unit_price != product.price for line, product in products):
        return RejectionReason.PRICE_CHANGED
    return None


def shortages_of(
    quantities: Mapping[ProductId, int], *, offers: Mapping[ProductId, Offer]
) -> tuple[Shortage, ...]:
    """List the products of which less is left than is asked for."""
    return tuple(
        Shortage(product_id=product_id, requested=quantity, available=offers[product_id].level.left)
        for product_id, quantity in quantities.items()
        if offers[product_id].level.left < quantity
    )
