"""Stock and reservations: what may be sold, and what may still change its mind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Self

from comanda.events import Line, Shortage
from comanda.ids import EventId, OrderId, ProductId, ReservationId, ShopId
from comanda.menu import Choice, InvalidChoices, chosen, unit_price
from comanda.money import ZERO, InvalidMoney, Money
from workers.catalog.products import Product

# Far above what a counter sells at once, and far below where a column of the store overflows.
LARGEST_QUANTITY = 1_000_000


class InvalidLines(ValueError):
    """No shop can have meant these lines: none at all, an impossible quantity, a wrong total."""


class StockCorrupted(Exception):
    """Stock and reservations contradict each other; nothing was changed."""


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
    OPTIONS_CHANGED = "options_changed"
    OUT_OF_STOCK = "out_of_stock"
    ORDER_CANCELLED = "order_cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class StockAudit:
    """The stock of a product beside what its deliveries (and corrections) and reservations add up
    to, and beside what its ledger does.
    """

    product_id: ProductId
    received: int
    held: int
    sold: int
    delivered: int
    reserved: int
    bought: int
    ledger_received: int
    ledger_held: int
    ledger_sold: int

    @property
    def agrees_with_ledger(self) -> bool:
        """Tell whether the level is what its ledger makes of it."""
        told = (self.ledger_received, self.ledger_held, self.ledger_sold)
        return told == (self.received, self.held, self.sold)


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

    def follow(self, move: "StockMove") -> Self:
        """Take one line of the ledger; from the first to the last they make the level."""
        return {
            MoveKind.RECEIVED: self.receive,
            MoveKind.CORRECTED: self.receive,
            MoveKind.HELD: self.hold,
            MoveKind.SOLD: self.sell,
            MoveKind.RELEASED: self.release,
        }[move.kind](move.quantity)


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A product together with its stock, as one order meets it."""

    product: Product
    level: StockLevel


class MoveKind(StrEnum):
    """What can happen to the stock of a product."""

    RECEIVED = "RECEIVED"
    CORRECTED = "CORRECTED"
    HELD = "HELD"
    SOLD = "SOLD"
    RELEASED = "RELEASED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """Goods that came in; the same delivery counts once."""

    id: str
    shop_id: ShopId
    product_id: ProductId
    quantity: int
    author: str = ""
    kind: ClassVar[MoveKind] = MoveKind.RECEIVED


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """So much more (or less) was found than the books say; the same correction counts once."""

    id: str
    shop_id: ShopId
    product_id: ProductId
    change: int
    author: str
    reason: str
    kind: ClassVar[MoveKind] = MoveKind.CORRECTED


@dataclass(frozen=True, kw_only=True, slots=True)
class StockMove:
    """A line of the stock ledger; `key` names the delivery, the correction or the order.

    Only the quantity of a correction can be below zero.
    """

    product_id: ProductId
    kind: MoveKind
    quantity: int
    key: str
    at: datetime
    author: str = ""
    reason: str = ""
    sequence: int = 0


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
    """Merge all that leaves the store-room, combos' parts too, in the order of product ids.

    Raises `InvalidLines`.
    """
    if not lines:
        raise InvalidLines("an order has at least one line")
    merged: dict[ProductId, int] = {}
    for line in lines:
        if not 1 <= line.quantity <= LARGEST_QUANTITY:
            raise InvalidLines(f"impossible quantity: {line.quantity}")
        parts = [option.product_id for option in line.options if option.product_id is not None]
        for product_id in (line.product_id, *parts):
            merged[product_id] = merged.get(product_id, 0) + line.quantity
    if sum((line.unit_price * line.quantity for line in lines), ZERO) != total:
        raise InvalidLines(f"the lines do not add up to {total}")
    return dict(sorted(merged.items()))


def counted_of(
    quantities: Mapping[ProductId, int], *, offers: Mapping[ProductId, Offer]
) -> dict[ProductId, int]:
    """Keep only the products of which there are so many and no more."""
    return {i: quantity for i, quantity in quantities.items() if offers[i].product.is_stocked}


def objection_to(
    lines: Sequence[Line],
    *,
    quantities: Mapping[ProductId, int],
    offers: Mapping[ProductId, Offer],
) -> RejectionReason | None:
    """Name the first thing that the menu holds against these lines, or nothing."""
    if any(i not in offers or offers[i].product.is_removed for i in quantities):
        return RejectionReason.UNKNOWN_PRODUCT
    if any(not offers[i].product.is_available for i in quantities):
        return RejectionReason.UNAVAILABLE
    objections = (_objection(line, offers=offers) for line in lines)
    return next((objection for objection in objections if objection is not None), None)


def _objection(line: Line, *, offers: Mapping[ProductId, Offer]) -> RejectionReason | None:
    product = offers[line.product_id].product
    choices = [Choice(group_id=o.group_id, option_id=o.option_id) for o in line.options]
    # The parts were found to be available above, so only their place in the combo is left to see.
    names = {i: offer.product.name for i, offer in offers.items()} if product.slots else {}
    try:
        options = chosen(choices, groups=product.option_groups, slots=product.slots, names=names)
        price = unit_price(product.price, options)
    except (InvalidChoices, InvalidMoney):
        return RejectionReason.OPTIONS_CHANGED
    if {(o.group_id, o.product_id) for o in options} != _parts_of(line):
        # A slot's product that the line does not name as such would leave no trace in the stock.
        return RejectionReason.OPTIONS_CHANGED
    return None if price == line.unit_price else RejectionReason.PRICE_CHANGED


def _parts_of(line: Line) -> set[tuple[str, ProductId | None]]:
    return {(option.group_id, option.product_id) for option in line.options}


def shortages_of(
    quantities: Mapping[ProductId, int], *, offers: Mapping[ProductId, Offer]
) -> tuple[Shortage, ...]:
    """List the products of which less is left than is asked for."""
    return tuple(
        Shortage(product_id=product_id, requested=quantity, available=offers[product_id].level.left)
        for product_id, quantity in quantities.items()
        if offers[product_id].level.left < quantity
    )
