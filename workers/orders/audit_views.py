"""The JSON that an audit reads of orders: no names, no keys of customers."""

import hashlib
from collections import Counter
from typing import Self

from pydantic import BaseModel

from workers.orders.claims import Claim
from workers.orders.doors import cursor_of
from workers.orders.model import Order
from workers.orders.ports import Audited


class AuditOrderView(BaseModel):
    """What the invariants are about; amounts are reais as text.

    `units` is what the lines take of each product, parts of combos included;
    `has_code` says that there was something to pay by.
    """

    id: str
    status: str
    total: str
    refunded: str
    paid_by: str | None
    history: list[str]
    version: int
    units: dict[str, int]
    has_code: bool

    @classmethod
    def of(cls, order: Order) -> Self:
        """Show an order."""
        return cls(
            id=order.id,
            status=order.status.value,
            total=str(order.total),
            refunded=str(order.refunded),
            paid_by=order.paid_by,
            history=[passage.status.value for passage in order.history],
            version=order.version,
            units=_units(order),
            has_code=order.pix is not None,
        )


def _units(order: Order) -> dict[str, int]:
    units = Counter[str]()
    for line in order.lines:
        parts = (option.product_id for option in line.options if option.product_id is not None)
        for product_id in (line.product_id, *parts):
            units[product_id] += line.quantity
    return dict(units)


class AuditClaimView(BaseModel):
    """Which order an idempotency key made; the key itself is the customer's and is only hashed."""

    key: str
    order_id: str
    is_answered: bool

    @classmethod
    def of(cls, claim: Claim) -> Self:
        """Show a claim."""
        name = f"{claim.key.owner}/{claim.key.key}"
        return cls(
            key=hashlib.sha256(name.encode()).hexdigest()[:16],
            order_id=claim.order_id,
            is_answered=claim.answer is not None,
        )


class AuditView(BaseModel):
    """A page of the orders and claims of a shop; `next` is what to ask the following one `after`.

    Both come as the store keeps them, so a page may have orders alone, or claims.
    """

    orders: list[AuditOrderView]
    claims: list[AuditClaimView]
    next: str | None

    @classmethod
    def of(cls, page: Audited) -> Self:
        """Show both."""
        return cls(
            orders=[AuditOrderView.of(order) for order in page.orders],
            claims=[AuditClaimView.of(claim) for claim in page.claims],
            next=cursor_of(page.last) if page.last is not None else None,
        )
