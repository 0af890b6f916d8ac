"""Payloads of the Orders API: exact request bytes out, answers in, as frozen values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

SHORTEST_EXPIRY = timedelta(minutes=30)


class UnreadablePayload(ValueError):
    """The provider's answer is not what its contract says; the message names the field."""


class Meaning(StrEnum):
    """What a provider's order means to us (Mercado Pago, "Order status")."""

    WAITING = "waiting"
    PAID = "paid"
    FAILED = "failed"
    CLOSED = "closed"
    RETURNED = "returned"
    DISPUTED = "disputed"
    UNKNOWN = "unknown"


_MEANINGS = {
    "created": Meaning.WAITING,
    "processing": Meaning.WAITING,
    "in_review": Meaning.WAITING,
    "action_required": Meaning.WAITING,
    "failed": Meaning.FAILED,
    "canceled": Meaning.CLOSED,
    "cancelled": Meaning.CLOSED,
    "expired": Meaning.CLOSED,
    "refunded": Meaning.RETURNED,
    "in_mediation": Meaning.DISPUTED,
    "charged_back": Meaning.DISPUTED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderOrder:
    """An order of the Orders API with its one payment; amounts are exact, `None` if unreadable."""

    id: str
    external_reference: str
    user_id: str
    currency: str
    status: str
    status_detail: str
    total_amount: Decimal | None
    paid_amount: Decimal | None
    refunded_amount: Decimal | None
    last_updated_at: datetime
    payment_id: str | None
    payment_method: str
    pix_code: str | None
    expires_at: datetime | None

    @property
    def meaning(self) -> Meaning:
        """Translate status and detail; what we do not know is never "paid"."""
        if self.status == "processed":
            if self.status_detail in ("accredited", "processed", "partially_refunded"):
                return Meaning.PAID
            return Meaning.RETURNED if self.status_detail == "refunded" else Meaning.UNKNOWN
        return _MEANINGS.get(self.status, Meaning.UNKNOWN)


def pix_request(
    *, reference: str, amount: Decimal, payer_email: str, expiry: timedelta = SHORTEST_EXPIRY
) -> bytes:
    """Write the body that creates a Pix order; these very bytes are stored and sent again.

    Amounts are text with two decimals; the expiry is at least 30 minutes (both provider's rules).
    """
    text = f"{amount:.2f}"
    payment = {
        "amount": text,
        "expiration_time": f"PT{int(expiry.total_seconds() // 60)}M",
        "payment_method": {"id": "pix", "type": "bank_transfer"},
    }
    body = {
        "type": "online",
        "processing_mode": "automatic",
        "external_reference": reference,
        "total_amount": text,
        "payer": {"email": payer_email},
        "transactions": {"payments": [payment]},
    }
    return json.dumps(body, separators=(",", ":")).encode()


def read_order(body: bytes) -> ProviderOrder:
    """Read an answer with one order; raise `UnreadablePayload`."""
    return order_from(read_json(body))


def order_from(order: Mapping[str, Any]) -> ProviderOrder:
    """Turn the JSON of an order into a value."""
    payments = _mapping(order, "transactions").get("payments")
    payment = payments[0] if isinstance(payments, list) and payments else {}
    if not isinstance(payment, dict):
        raise UnreadablePayload("transactions.payments: objects are needed")
    method = payment.get("payment_method")
    method = method if isinstance(method, dict) else {}
    return ProviderOrder(
        id=_text(order, "id"),
        external_reference=str(order.get("external_reference") or ""),
        user_id=str(order.get("user_id") or ""),
        # The Orders API of Brazil knows one currency and often leaves it out.
        currency=str(order.get("currency") or order.get("currency_id") or "BRL"),
        status=_text(order, "status"),
        status_detail=str(order.get("status_detail") or ""),
        total_amount=_amount(order.get("total_amount")),
        paid_amount=_amount(payment.get("paid_amount", order.get("total_paid_amount"))),
        refunded_amount=_amount(payment.get("refunded_amount", "0")),
        last_updated_at=_instant(order.get("last_updated_date"), "last_updated_date"),
        payment_id=payment.get("id"),
        payment_method=str(method.get("id") or ""),
        pix_code=method.get("qr_code") or None,
        expires_at=_optional_instant(payment.get("date_of_expiration")),
    )


def error_code(body: bytes) -> str:
    """Read the code of a refusal from either of the provider's error envelopes."""
    try:
        content = read_json(body)
    except UnreadablePayload:
        return "unreadable"
    for name in ("errors", "cause"):
        causes = content.get(name)
        if isinstance(causes, list) and causes and isinstance(causes[0], dict):
            code = causes[0].get("code")
            if code is not None:
                return str(code)[:64]
    return str(content.get("error") or content.get("code") or "unknown")[:64]


def read_json(body: bytes) -> dict[str, Any]:
    """Read a JSON object with exact decimals; raise `UnreadablePayload`."""
    try:
        content = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as exc:
        raise UnreadablePayload("the answer is not JSON") from exc
    if not isinstance(content, dict):
        raise UnreadablePayload("the answer is not a JSON object")
    return content


def _mapping(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = content.get(name)
    return value if isinstance(value, dict) else {}


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise UnreadablePayload(f"{name}: text is needed")
    return value


def _amount(value: object) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _instant(value: object, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError as exc:
        raise UnreadablePayload(f"{name}: an instant is needed") from exc
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _optional_instant(value: object) -> datetime | None:
    return None if not value else _instant(value, "date_of_expiration")
