"""The JSON in which a day of the shop is closed: no names, no notes, no keys of customers."""

from datetime import date, datetime
from typing import Self

from pydantic import BaseModel

from workers.orders.model import Order, OrderStatus


class SoldLineView(BaseModel):
    """So many of a product at one price, its options included."""

    product_id: str
    name: str
    quantity: int
    unit_price: str


class ClosedOrderView(BaseModel):
    """What an order adds to its day; amounts are reais as text."""

    id: str
    call_number: int
    status: OrderStatus
    total: str
    refunded: str
    placed_at: datetime
    paid_at: datetime | None
    lines: list[SoldLineView]

    @classmethod
    def of(cls, order: Order) -> Self:
        """Show an order."""
        return cls(
            id=order.id,
            call_number=order.call_number,
            status=order.status,
            total=str(order.total),
            refunded=str(order.refunded),
            placed_at=order.placed_at,
            paid_at=order.paid_at,
            lines=[
                SoldLineView(
                    product_id=line.product_id,
                    name=line.name,
                    quantity=line.quantity,
                    unit_price=str(line.unit_price),
                )
                for line in order.lines
            ],
        )


class ClosingView(BaseModel):
    """A page of a shop's day by call number; with a `cursor` there may be more.

    The day is that in which call numbers count; it begins and ends by today's rule of the shop.
    """

    day: date
    begins_at: datetime
    ends_at: datetime
    orders: list[ClosedOrderView]
    cursor: str | None
