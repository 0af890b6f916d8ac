"""The JSON that an audit reads of orders: no names, no lines, no keys of customers."""

import hashlib
from typing import Self

from pydantic import BaseModel

from workers.orders.claims import Claim
from workers.orders.model import Order


class AuditOrderView(BaseModel):
    """What the invariants are about; amounts are reais as text."""

    id: str
    status: str
    total: str
    refunded: str
    paid_by: str | None
    history: list[str]
    version: int

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
        )


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
    """All orders and claims of a shop."""

    orders: list[AuditOrderView]
    claims: list[AuditClaimView]

    @classmethod
    def of(cls, found: tuple[list[Order], list[Claim]]) -> Self:
        """Show both."""
        orders, claims = found
        return cls(
            orders=[AuditOrderView.of(order) for order in orders],
            claims=[AuditClaimView.of(claim) for claim in claims],
        )
