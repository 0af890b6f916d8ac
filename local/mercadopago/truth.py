"""Everything the provider holds about a shop, for `comanda audit` and the property tests."""

from collections.abc import Iterable
from typing import Any

from comanda.money import ZERO
from local.mercadopago.clock import utc_text
from local.mercadopago.disputes import disputed
from local.mercadopago.sales import Api, Sale
from local.mercadopago.store import Store

MOST_CHARGES = 10_000


def truth_of(store: Store, shop: str, *, after: str, limit: int | None) -> dict[str, Any]:
    """Give the sales of a shop from after one on, and the totals of these."""
    size = MOST_CHARGES if limit is None else limit
    found = store.select(
        "shop = ? AND seq > ?", (shop, store.position(after)), order="seq", limit=size + 1
    )
    sales = [sale for sale, _ in found[:size]]
    return {
        "shop": shop,
        "charges": [show(sale) for sale in sales],
        "totals": totals_of(sales),
        "next": sales[-1].id if len(found) > size else None,
    }


def totals_of(sales: Iterable[Sale]) -> dict[str, Any]:
    """Sum up what arrived, went back and is disputed."""
    count, paid, refunded, held = 0, ZERO, ZERO, ZERO
    for sale in sales:
        count += 1
        paid, refunded, held = paid + sale.paid, refunded + sale.refunded, held + disputed(sale)
    return {"charges": count, "paid": str(paid), "refunded": str(refunded), "disputed": str(held)}


def demo_totals(store: Store, shop: str) -> dict[str, Any]:
    """Sum up for the books of the demonstration: how many were paid, and what came and went."""
    count, paid_count, paid = store.sums_of(shop)
    back = (sale.refunded for sale in store.refunded_sales_of(shop))
    return {
        "orders": count,
        "paid": paid_count,
        "paid_total": str(paid),
        "refunded_total": str(sum(back, ZERO)),
    }


def show(sale: Sale) -> dict[str, Any]:
    """Show all that the provider holds about a sale."""
    status, detail = sale.order_words if sale.api is Api.ORDERS else sale.payment_words
    return {
        "id": sale.id,
        "api": sale.api.value,
        "kind": sale.kind,
        "payment_id": sale.payment_id,
        "number": sale.number,
        "reference": sale.reference,
        "state": sale.state.value,
        "status": status,
        "status_detail": detail,
        "amount": str(sale.amount),
        "currency": sale.currency,
        "receiver": sale.receiver,
        "paid": str(sale.paid),
        "refunded": str(sale.refunded),
        "disputed": str(disputed(sale)),
        "fee": str(sale.fee),
        "created_at": utc_text(sale.created_at),
        "updated_at": utc_text(sale.updated_at),
        "paid_at": None if sale.paid_at is None else utc_text(sale.paid_at),
        "expires_at": utc_text(sale.expires_at),
        "refunds": [
            {"id": r.id, "amount": str(r.amount), "status": r.status} for r in sale.refunds
        ],
        "disputes": [{"id": d.id, "kind": d.kind, "stage": d.stage} for d in sale.disputes],
    }
