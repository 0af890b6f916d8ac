"""The JSON that the catalog's API shows."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from workers.catalog.model import Product, RefusedTransition, StockLevel


class ProductView(BaseModel):
    """One product of the menu; the price is reais as text."""

    id: str
    name: str
    category: str
    price: str
    is_available: bool
    version: int

    @classmethod
    def of(cls, product: Product) -> Self:
        """Show a product."""
        return cls(
            id=product.id,
            name=product.name,
            category=product.category.value,
            price=str(product.price),
            is_available=product.is_available,
            version=product.version,
        )


class MenuView(BaseModel):
    """What a shop sells."""

    products: list[ProductView]


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
    """The stock of a product beside what its deliveries and reservations add up to."""

    product_id: str
    received: int
    held: int
    sold: int
    delivered: int
    reserved: int
    bought: int


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
