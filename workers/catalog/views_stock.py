"""The JSON that the catalog shows of its stock."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from workers.catalog.model import RefusedTransition, Reservation, StockAudit, StockLevel


class CountedView(BaseModel):
    """Whether a delivery or a correction was new; an old one changed nothing."""

    is_new: bool


class MoveView(BaseModel):
    """A line of the stock ledger; `key` names the delivery, the correction or the order."""

    sequence: int
    product_id: str
    kind: str
    quantity: int
    key: str
    author: str
    reason: str
    at: datetime


class MovesView(BaseModel):
    """Lines of a product's stock ledger, oldest first."""

    moves: list[MoveView]


class LevelView(BaseModel):
    """Where the stock of one product is: held + sold + left = received."""

    product_id: str
    received: int
    held: int
    sold: int
    left: int

    @classmethod
    def of(cls, level: StockLevel) -> Self:
        """Show a level."""
        return cls(
            product_id=level.product_id,
            received=level.received,
            held=level.held,
            sold=level.sold,
            left=level.left,
        )


class StockAuditView(BaseModel):
    """The stock of a product beside what deliveries, corrections and reservations make of it."""

    product_id: str
    received: int
    held: int
    sold: int
    delivered: int
    reserved: int
    bought: int

    @classmethod
    def of(cls, audit: StockAudit) -> Self:
        """Show a product to an auditor."""
        return cls(
            product_id=audit.product_id,
            received=audit.received,
            held=audit.held,
            sold=audit.sold,
            delivered=audit.delivered,
            reserved=audit.reserved,
            bought=audit.bought,
        )


class ReservationView(BaseModel):
    """What is set aside for an order, in units by product; a released one has returned them."""

    order_id: str
    status: str
    units: dict[str, int]

    @classmethod
    def of(cls, reservation: Reservation) -> Self:
        """Show a reservation to an auditor."""
        return cls(
            order_id=reservation.order_id,
            status=reservation.status.value,
            units={str(i): quantity for i, quantity in reservation.quantities.items()},
        )


class ReservationsView(BaseModel):
    """A page of a shop's reservations; `next` is what to ask the following one `after`."""

    reservations: list[ReservationView]
    next: str | None


class RecomputedView(BaseModel):
    """The stock of a product beside what its ledger makes of it."""

    product_id: str
    received: int
    held: int
    sold: int
    ledger_received: int
    ledger_held: int
    ledger_sold: int
    agrees: bool

    @classmethod
    def of(cls, audit: StockAudit) -> Self:
        """Show a product to an auditor."""
        return cls(
            product_id=audit.product_id,
            received=audit.received,
            held=audit.held,
            sold=audit.sold,
            ledger_received=audit.ledger_received,
            ledger_held=audit.ledger_held,
            ledger_sold=audit.ledger_sold,
            agrees=audit.agrees_with_ledger,
        )


class RecomputationView(BaseModel):
    """Every product of a shop beside its ledger."""

    levels: list[RecomputedView]


class StockAuditsView(BaseModel):
    """Every product of a shop."""

    levels: list[StockAuditView]


class StockView(BaseModel):
    """The stock of a shop."""

    levels: list[LevelView]


class RefusalView(BaseModel):
    """A step that an event asked of a reservation, and that was refused."""

    event_id: str
    event_type: str
    order_id: str
    current: str | None
    asked: str
    at: datetime

    @classmethod
    def of(cls, refusal: RefusedTransition) -> Self:
        """Show a refusal."""
        return cls(
            event_id=refusal.event_id,
            event_type=refusal.event_type,
            order_id=refusal.order_id,
            current=refusal.current.value if refusal.current else None,
            asked=refusal.asked.value,
            at=refusal.at,
        )


class RefusalsView(BaseModel):
    """The newest refused steps of a shop."""

    refused_transitions: list[RefusalView]
