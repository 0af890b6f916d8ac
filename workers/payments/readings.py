"""Put what the provider says into our words; what is not an amount of reais becomes `None`."""

from datetime import datetime
from decimal import Decimal

from comanda.mercadopago.values import Flavour, ProviderOrder, ProviderRefund
from comanda.money import InvalidMoney, Money
from workers.payments.model import ProviderFact, RefundFact


def fact_of(order: ProviderOrder, *, asked_at: datetime) -> ProviderFact:
    """Read an order of the Orders API, or a payment of the Payments API."""
    is_order = order.flavour is Flavour.ORDERS
    numbers = {n for p in order.payments for n in (p.id, p.reference_id) if n}
    return ProviderFact(
        provider_id=order.id,
        reference=order.external_reference,
        receiver=order.user_id,
        currency=order.currency,
        method=order.payment_method,
        status=order.standing,
        amount=_money(order.total_amount),
        paid=_money(order.paid_amount),
        refunded=_money(order.refunded_amount),
        fee=_money(order.fee),
        updated_at=order.last_updated_at,
        asked_at=asked_at,
        detail=order.status_detail,
        pix_code=order.pix_code,
        expires_at=order.expires_at,
        flavour=order.flavour,
        payment_id=order.payments[0].id if is_order and order.payments else None,
        numbers=frozenset(numbers) if is_order else frozenset(),
        parent_id=order.order_id,
        refunds=tuple(refund_of(refund) for refund in order.refunds),
        request_id=order.request_id,
    )


def refund_of(refund: ProviderRefund) -> RefundFact:
    """Read one refund of the provider's list."""
    return RefundFact(id=refund.id, amount=_money(refund.amount), state=refund.state)


def _money(amount: Decimal | None) -> Money | None:
    try:
        return None if amount is None else Money.from_decimal(amount)
    except InvalidMoney:
        return None
