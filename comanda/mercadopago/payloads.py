"""Payloads of the Orders API: exact request bytes out, answers in, as frozen values."""

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from comanda.mercadopago.reading import (
    Content,
    amount,
    instant,
    mapping,
    objects,
    optional_instant,
    optional_text,
    read_json,
    text,
)
from comanda.mercadopago.values import (
    Flavour,
    ProviderOrder,
    ProviderPayment,
    ProviderRefund,
    RefundState,
    Standing,
)

SHORTEST_EXPIRY = timedelta(minutes=30)

# Mercado Pago, "Order status" and "Transaction status".
_STANDINGS = {
    "created": Standing.PROCESSING,
    "processing": Standing.PROCESSING,
    "in_review": Standing.PROCESSING,
    "action_required": Standing.WAITING,
    "failed": Standing.REJECTED,
    "canceled": Standing.CANCELLED,
    "cancelled": Standing.CANCELLED,
    "expired": Standing.EXPIRED,
    "refunded": Standing.REFUNDED,
    "in_mediation": Standing.DISPUTED,
    "charged_back": Standing.CHARGED_BACK,
}
_PROCESSED = {
    "accredited": Standing.PAID,
    "processed": Standing.PAID,
    "partially_refunded": Standing.PARTIALLY_REFUNDED,
    "refunded": Standing.REFUNDED,
    "in_mediation": Standing.DISPUTED,
    "charged_back": Standing.CHARGED_BACK,
}
_REFUNDS = {"processed": RefundState.DONE, "failed": RefundState.FAILED}
_MONEY_CAME = frozenset({"processed", "refunded", "in_mediation", "charged_back"})


def pix_request(
    *, reference: str, amount: Decimal, payer_email: str, expiry: timedelta = SHORTEST_EXPIRY
) -> bytes:
    """Write the body that creates a Pix order; these very bytes are stored and sent again.

    Amounts are text with two decimals; the expiry is at least 30 minutes (both provider's rules).
    """
    total = f"{amount:.2f}"
    payment = {
        "amount": total,
        "expiration_time": f"PT{int(expiry.total_seconds() // 60)}M",
        "payment_method": {"id": "pix", "type": "bank_transfer"},
    }
    body = {
        "type": "online",
        "processing_mode": "automatic",
        "external_reference": reference,
        "total_amount": total,
        "payer": {"email": payer_email},
        "transactions": {"payments": [payment]},
    }
    return json.dumps(body, separators=(",", ":")).encode()


def with_payer(request: bytes, *, email: str) -> bytes:
    """Put another payer into the body of a creation, of either API."""
    # A number may lose a trailing zero by this, and is the same number.
    body = {**json.loads(request), "payer": {"email": email}}
    return json.dumps(body, separators=(",", ":")).encode()


def refund_request(*, payment_id: str | None, amount: Decimal) -> bytes:
    """Write the body of a refund; without a payment's id it is empty, which means all of it."""
    if payment_id is None:
        return b""
    body = {"transactions": [{"id": payment_id, "amount": f"{amount:.2f}"}]}
    return json.dumps(body, separators=(",", ":")).encode()


def read_order(body: bytes, *, request_id: str = "") -> ProviderOrder:
    """Read an answer with one order; raise `UnreadablePayload`."""
    return order_from(read_json(body), request_id=request_id)


def order_from(order: Content, *, request_id: str = "") -> ProviderOrder:
    """Turn the JSON of an order into a value."""
    transactions = mapping(order, "transactions")
    payments = objects(transactions, "payments")
    payment: Content = payments[0] if payments else {}
    method = mapping(payment, "payment_method")
    return ProviderOrder(
        id=text(order, "id"),
        flavour=Flavour.ORDERS,
        external_reference=optional_text(order, "external_reference"),
        user_id=optional_text(order, "user_id"),
        # The Orders API of Brazil knows one currency and often leaves it out.
        currency=optional_text(order, "currency") or optional_text(order, "currency_id") or "BRL",
        standing=_standing(order),
        status_detail=optional_text(order, "status_detail"),
        total_amount=amount(order.get("total_amount")),
        paid_amount=_paid(order, payments),
        refunded_amount=amount(payment.get("refunded_amount", "0")),
        fee=None,
        last_updated_at=instant(order.get("last_updated_date"), "last_updated_date"),
        payment_method=optional_text(method, "id"),
        pix_code=optional_text(method, "qr_code") or None,
        expires_at=optional_instant(payment.get("date_of_expiration"), "date_of_expiration"),
        payments=tuple(_payment(each) for each in payments),
        refunds=tuple(_refund(each) for each in objects(transactions, "refunds")),
        request_id=request_id,
    )


def read_refunds(body: bytes) -> Sequence[ProviderRefund]:
    """Read the refunds of an answer to `POST /v1/orders/{id}/refund`, or of an order."""
    content = read_json(body)
    text(content, "id")
    return [_refund(each) for each in objects(mapping(content, "transactions"), "refunds")]


def _standing(order: Content) -> Standing:
    status = text(order, "status")
    table, key = _STANDINGS, status
    if status == "processed":
        table, key = _PROCESSED, optional_text(order, "status_detail")
    return table.get(key, Standing.UNRECOGNISED)


def _paid(order: Content, payments: Sequence[Content]) -> Decimal | None:
    # More than one payment in an order is more money than was asked for, and must be seen.
    told = [amount(payment.get("paid_amount")) for payment in payments]
    if len(told) < 2:
        return told[0] if told and told[0] is not None else amount(order.get("total_paid_amount"))
    exact = [each for each in told if each is not None]
    return sum(exact, Decimal(0)) if len(exact) == len(told) else None


def _payment(payment: Content) -> ProviderPayment:
    return ProviderPayment(
        id=optional_text(payment, "id"),
        reference_id=optional_text(payment, "reference_id"),
        is_paid=optional_text(payment, "status") in _MONEY_CAME,
        paid=amount(payment.get("paid_amount")),
        refunded=amount(payment.get("refunded_amount", "0")),
    )


def _refund(refund: Content) -> ProviderRefund:
    return ProviderRefund(
        id=text(refund, "id"),
        amount=amount(refund.get("amount")),
        state=_REFUNDS.get(optional_text(refund, "status"), RefundState.IN_PROCESS),
    )
