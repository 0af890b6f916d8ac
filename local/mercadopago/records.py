"""Turn a sale into the text that the store keeps, and back."""

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

from comanda.money import Money
from local.mercadopago.sales import Api, Dispute, Refund, Sale, State

_NAMES = tuple(field.name for field in fields(Sale))


def write_sale(sale: Sale) -> str:
    """Write all facts of a sale as JSON."""
    return json.dumps(
        {name: getattr(sale, name) for name in _NAMES}, default=_plain, separators=(",", ":")
    )


def read_sale(text: str) -> Sale:
    """Read what `write_sale` wrote."""
    facts = json.loads(text)
    paid_at = facts["paid_at"]
    facts.update(
        api=Api(facts["api"]),
        state=State(facts["state"]),
        amount=Money(facts["amount"]),
        paid=Money(facts["paid"]),
        paid_at=datetime.fromisoformat(paid_at) if paid_at else None,
        refunds=tuple(_refund(refund) for refund in facts["refunds"]),
        disputes=tuple(_dispute(dispute) for dispute in facts["disputes"]),
    )
    for name in ("created_at", "updated_at", "expires_at"):
        facts[name] = datetime.fromisoformat(facts[name])
    return Sale(**facts)


def _refund(facts: dict[str, Any]) -> Refund:
    return Refund(
        id=facts["id"],
        amount=Money(facts["amount"]),
        status=facts["status"],
        created_at=datetime.fromisoformat(facts["created_at"]),
    )


def _dispute(facts: dict[str, Any]) -> Dispute:
    return Dispute(**{**facts, "created_at": datetime.fromisoformat(facts["created_at"])})


def _plain(value: object) -> Any:
    if isinstance(value, Money):
        return value.cents
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Refund | Dispute):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(type(value).__name__)
