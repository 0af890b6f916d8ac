"""Payloads of the Payments API (`/v1/payments`), read into the same values as the Orders API's.

Amounts are JSON numbers here. They are written digit by digit from the exact decimal, for a float
on the way could not promise the cents.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from comanda.mercadopago.reading import (
    Content,
    UnreadablePayload,
    amount,
    instant,
    mapping,
    objects,
    optional_instant,
    optional_text,
    read_any,
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

_STANDINGS = {
    "pending": Standing.WAITING,
    "in_process": Standing.PROCESSING,
    "authorized": Standing.PROCESSING,
    "rejected": Standing.REJECTED,
    "cancelled": Standing.CANCELLED,
    "refunded": Standing.REFUNDED,
    "in_mediation": Standing.DISPUTED,
}
_DETAILED = {
    ("cancelled", "expired"): Standing.EXPIRED,
    ("approved", "accredited"): Standing.PAID,
    ("approved", "partially_refunded"): Standing.PARTIALLY_REFUNDED,
    ("charged_back", "in_process"): Standing.DISPUTED,
    ("charged_back", "settled"): Standing.CHARGED_BACK,
    # The bank decided for the shop, and the money is the shop's again.
    ("charged_back", "reimbursed"): Standing.PAID,
}
_REFUNDS = {
    "approved": RefundState.DONE,
    "rejected": RefundState.FAILED,
    "cancelled": RefundState.FAILED,
}
_MONEY_CAME = frozenset({"approved", "refunded", "in_mediation", "charged_back"})
CANCEL_REQUEST = b'{"status":"cancelled"}'


def pix_payment_request(
    *, reference: str, amount: Decimal, payer_email: str, expires_at: datetime
) -> bytes:
    """Write the body that creates a Pix payment; these very bytes are stored and sent again."""
    body = {
        "payment_method_id": "pix",
        "external_reference": reference,
        "date_of_expiration": _instant_text(expires_at),
        "payer": {"email": payer_email},
    }
    return _with_number(body, name="transaction_amount", value=amount)


def payment_refund_request(*, amount: Decimal | None) -> bytes:
    """Write the body of a refund; `None` means all that is left."""
    return b"{}" if amount is None else _with_number({}, name="amount", value=amount)


def read_payment(body: bytes, *, request_id: str = "") -> ProviderOrder:
    """Read an answer with one payment; raise `UnreadablePayload`."""
    return payment_from(read_json(body), request_id=request_id)


def payment_from(payment: Content, *, request_id: str = "") -> ProviderOrder:
    """Turn the JSON of a payment into a value."""
    data = mapping(mapping(payment, "point_of_interaction"), "transaction_data")
    own_id, total = text(payment, "id"), amount(payment.get("transaction_amount"))
    refunded = amount(payment.get("transaction_amount_refunded", 0))
    paid = _paid(payment, total=total)
    return ProviderOrder(
        id=own_id,
        flavour=Flavour.PAYMENTS,
        external_reference=optional_text(payment, "external_reference"),
        user_id=optional_text(payment, "collector_id"),
        currency=optional_text(payment, "currency_id"),
        standing=_standing(payment, refunded=refunded),
        status_detail=optional_text(payment, "status_detail"),
        total_amount=total,
        paid_amount=paid,
        refunded_amount=refunded,
        fee=_fee(payment),
        last_updated_at=instant(payment.get("date_last_updated"), "date_last_updated"),
        payment_method=optional_text(payment, "payment_method_id"),
        pix_code=optional_text(data, "qr_code") or None,
        expires_at=optional_instant(payment.get("date_of_expiration"), "date_of_expiration"),
        payments=(
            ProviderPayment(
                id=own_id,
                reference_id=own_id,
                is_paid=optional_text(payment, "status") in _MONEY_CAME,
                paid=paid,
                refunded=refunded,
            ),
        ),
        refunds=tuple(_refund(each) for each in objects(payment, "refunds")),
        order_id=optional_text(mapping(payment, "order"), "id") or None,
        request_id=request_id,
    )


def read_payment_refund(body: bytes) -> Sequence[ProviderRefund]:
    """Read the answer to `POST /v1/payments/{id}/refunds`."""
    return [_refund(read_json(body))]


def read_payment_refunds(body: bytes) -> Sequence[ProviderRefund]:
    """Read a list of refunds; some servers give the one refund as an object."""
    content = read_any(body)
    found = content if isinstance(content, list) else [content]
    if not all(isinstance(each, dict) for each in found):
        raise UnreadablePayload("refunds: objects are needed")
    return [_refund(each) for each in found if each]


def _standing(payment: Content, *, refunded: Decimal | None) -> Standing:
    status, detail = text(payment, "status"), optional_text(payment, "status_detail")
    found = _DETAILED.get((status, detail)) or _STANDINGS.get(status, Standing.UNRECOGNISED)
    # The status alone cannot tell that a part went back.
    return Standing.PARTIALLY_REFUNDED if found is Standing.PAID and refunded else found


def _paid(payment: Content, *, total: Decimal | None) -> Decimal | None:
    if optional_text(payment, "status") not in _MONEY_CAME:
        return Decimal(0)
    told = mapping(payment, "transaction_details").get("total_paid_amount")
    return total if told is None else amount(told)


def _fee(payment: Content) -> Decimal | None:
    fees = [amount(fee.get("amount")) for fee in objects(payment, "fee_details")]
    return sum((fee for fee in fees if fee is not None), Decimal(0)) if fees else None


def _refund(refund: Content) -> ProviderRefund:
    return ProviderRefund(
        id=text(refund, "id"),
        amount=amount(refund.get("amount")),
        state=_REFUNDS.get(optional_text(refund, "status"), RefundState.IN_PROCESS),
    )


def _with_number(body: Mapping[str, object], *, name: str, value: Decimal) -> bytes:
    rest = json.dumps(body, separators=(",", ":"))[1:]
    comma = "," if body else ""
    return f'{{"{name}":{value:.2f}{comma}{rest}'.encode()


def _instant_text(at: datetime) -> str:
    # `2026-03-04T12:30:00.000-03:00`: the one form that the provider takes (code 23 otherwise).
    if at.utcoffset() is None:
        raise ValueError("an expiry needs its time zone")
    return at.isoformat(timespec="milliseconds")
