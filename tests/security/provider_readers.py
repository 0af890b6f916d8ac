"""What Mercado Pago answers, or whoever claims to be it, read and judged by the rules of money."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from comanda.mercadopago import payloads, payment_payloads
from comanda.mercadopago.reading import UnreadablePayload, error_code
from comanda.mercadopago.values import ProviderOrder
from tests.payments_builders import CHARGE_ID, NOW, PROVIDER_ID, waiting
from tests.security.readers import Reader
from workers.payments.facts import apply_fact
from workers.payments.model import ChargeStatus
from workers.payments.readings import fact_of, refund_of
from workers.payments.strays import doubt_second_payment

_ORDER = {
    "id": PROVIDER_ID,
    "type": "online",
    "external_reference": CHARGE_ID,
    "total_amount": "58.80",
    "total_paid_amount": "58.80",
    "currency": "BRL",
    "user_id": "seller-1",
    "status": "processed",
    "status_detail": "accredited",
    "last_updated_date": "2026-11-21T12:01:00.000Z",
    "transactions": {
        "payments": [
            {
                "id": "PAY01",
                "reference_id": "123456789",
                "amount": "58.80",
                "paid_amount": "58.80",
                "refunded_amount": "0.00",
                "status": "processed",
                "date_of_expiration": "2026-11-21T12:30:00.000Z",
                "payment_method": {"id": "pix", "type": "bank_transfer", "qr_code": "000201"},
            }
        ],
        "refunds": [{"id": "REF1", "amount": "1.00", "status": "processed"}],
    },
}
_PAYMENT = {
    "id": 123456789,
    "date_last_updated": "2026-11-21T09:01:00.000-03:00",
    "date_of_expiration": "2026-11-21T09:30:00.000-03:00",
    "payment_method_id": "pix",
    "status": "approved",
    "status_detail": "accredited",
    "currency_id": "BRL",
    "collector_id": "seller-1",
    "external_reference": CHARGE_ID,
    "transaction_amount": 58.8,
    "transaction_amount_refunded": 0,
    "transaction_details": {"total_paid_amount": 58.8},
    "fee_details": [{"amount": 0.58, "type": "mercadopago_fee"}],
    "refunds": [{"id": 1, "amount": 1.5, "status": "approved"}],
    "order": {"id": "ORD1", "type": "mercadopago"},
    "point_of_interaction": {"transaction_data": {"qr_code": "000201"}},
}
_TWO = {**_ORDER, "transactions": {"payments": _ORDER["transactions"]["payments"] * 2}}  # type: ignore[index]
_STATES = (ChargeStatus.WAITING, ChargeStatus.EXPIRED, ChargeStatus.PAID, ChargeStatus.REVIEW)


def _judged(read: Callable[[bytes], ProviderOrder]) -> Callable[[str], None]:
    def judge(text: str) -> None:
        order = read(text.encode("utf-8", "surrogatepass"))
        _check_texts(order)
        fact = fact_of(order, asked_at=NOW)
        for status in _STATES:
            outcome = apply_fact(waiting(status=status), fact=fact, now=NOW)
            doubt_second_payment(outcome.charge, fact=fact, now=NOW)
            if outcome.charge.status is ChargeStatus.PAID and status is ChargeStatus.WAITING:
                assert order.paid_amount is not None
                assert Decimal("58.80") <= order.paid_amount + (order.refunded_amount or 0)

    return judge


def _refunds(text: str) -> None:
    body = text.encode("utf-8", "surrogatepass")
    assert len(error_code(body)) <= 64
    for refund in (*payloads.read_refunds(body), *payment_payloads.read_payment_refunds(body)):
        refund_of(refund)


def _check_texts(value: Any) -> None:
    """Hold every text to what PostgreSQL, SNS and a QR code can take."""
    if isinstance(value, str):
        assert "\0" not in value
        assert len(value.encode()) <= 16_384
    elif isinstance(value, tuple):
        for each in value:
            _check_texts(each)
    elif is_dataclass(value):
        for field in fields(value):
            _check_texts(getattr(value, field.name))


PROVIDER_READERS: tuple[Reader, ...] = (
    Reader(
        name="provider's order",
        seeds=(json.dumps(_ORDER), json.dumps(_TWO)),
        read=_judged(payloads.read_order),
        refuses=(UnreadablePayload,),
    ),
    Reader(
        name="provider's payment",
        seeds=(json.dumps(_PAYMENT),),
        read=_judged(payment_payloads.read_payment),
        refuses=(UnreadablePayload,),
    ),
    Reader(
        name="provider's refunds and refusals",
        seeds=(
            json.dumps(_ORDER),
            json.dumps([{"id": 1, "amount": 1.5, "status": "approved"}]),
            json.dumps({"errors": [{"code": "idempotency_key_already_used"}]}),
            json.dumps({"error": "bad_request", "cause": [{"code": 2131}]}),
        ),
        read=_refunds,
        refuses=(UnreadablePayload,),
    ),
)
