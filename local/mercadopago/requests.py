"""Read the body of `POST /v1/orders` as strictly as the provider does."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.mercadopago.errors import Refused

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,9})\.[0-9]{2}", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}\.[a-zA-Z]{2,24}")
_DURATION = re.compile(r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?")
_SHORTEST, _LONGEST = timedelta(minutes=30), timedelta(days=30)
_ROOT = frozenset(
    {
        "type",
        "processing_mode",
        "capture_mode",
        "external_reference",
        "total_amount",
        "payer",
        "transactions",
        "items",
        "description",
        "config",
        "integration_data",
        "additional_info",
    }
)
_PAYMENT = frozenset({"amount", "expiration_time", "date_of_expiration", "payment_method"})


@dataclass(frozen=True, kw_only=True, slots=True)
class PixRequest:
    """A valid request: the amount is text with two decimals."""

    amount: str
    reference: str
    expiry: timedelta


def read(body: Mapping[str, Any]) -> PixRequest:
    """Check everything; raise `Refused` with the provider's code."""
    _only(body, _ROOT)
    for name in ("type", "external_reference", "total_amount", "payer", "transactions"):
        if name not in body:
            raise Refused(400, "required_properties", f"{name} is required")
    if body["type"] != "online":
        raise Refused(400, "invalid_order_type")
    reference = body["external_reference"]
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        raise Refused(400, "property_value", "external_reference: 1 to 64 of A-Z a-z 0-9 _ -")
    email = _object(body["payer"], "payer").get("email")
    if not isinstance(email, str) or not _EMAIL.fullmatch(email):
        raise Refused(400, "property_value", "payer.email is not an address")
    payment = _payment(body["transactions"])
    total, amount = _amount(body["total_amount"]), _amount(payment.get("amount"))
    if total != amount:
        raise Refused(400, "invalid_total_amount")
    expiry = _expiry(payment.get("expiration_time", "P1D"))
    return PixRequest(amount=amount, reference=reference, expiry=expiry)


def _payment(transactions: Any) -> Mapping[str, Any]:
    payments = _object(transactions, "transactions").get("payments")
    if not isinstance(payments, list) or not payments:
        raise Refused(400, "order_builder_without_transactions")
    if len(payments) > 1:
        raise Refused(400, "exceeded_number_of_transactions")
    payment = _object(payments[0], "transactions.payments[0]")
    _only(payment, _PAYMENT)
    method = _object(payment.get("payment_method"), "payment_method")
    _only(method, frozenset({"id", "type"}))
    if (method.get("id"), method.get("type")) != ("pix", "bank_transfer"):
        raise Refused(400, "property_value", "payment_method: only pix is played here")
    return payment


def _only(content: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(content) - known)
    if unknown:
        raise Refused(400, "unsupported_properties", f"unsupported: {', '.join(unknown)[:200]}")


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Refused(400, "property_type", f"{name} must be an object")
    return value


def _amount(value: Any) -> str:
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value) or value == "0.00":
        raise Refused(400, "property_value", "amounts are text with exactly two decimals")
    return value


def _expiry(value: Any) -> timedelta:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Refused(400, "property_value", "expiration_time is not an ISO 8601 duration")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    expiry = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not _SHORTEST <= expiry <= _LONGEST:
        raise Refused(400, "property_value", "expiration_time is PT30M to P30D")
    return expiry
