"""Read what is sent to the Orders API as strictly as the provider does."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from comanda.money import ZERO, InvalidMoney, Money
from local.mercadopago import known_fields
from local.mercadopago.errors import Refused
from local.mercadopago.json_values import (
    LONGEST,
    SHORTEST,
    TEST_DOMAIN,
    NotJSON,
    is_email,
    is_public_address,
    read_duration,
    read_instant,
    read_object,
    text_of,
)
from local.mercadopago.opening import Wanted
from local.mercadopago.sales import Api
from local.mercadopago.settings import Switches

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,9})\.[0-9]{2}", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_CAPTURES = ("automatic", "manual", "automatic_async")
_STORE_EXPIRY = timedelta(minutes=15)
_MOST_ITEMS = 100


def read_order(raw: bytes, *, switches: Switches, is_test: bool, now: datetime) -> Wanted:
    """Check everything; raise `Refused` with the provider's code."""
    body = _body(raw)
    _only(body, known_fields.ORDER, "")
    is_store = body.get("type") == "qr"
    _needed(body, "type", "external_reference", "total_amount", "transactions")
    if not is_store:
        _needed(body, "payer")
    if body["type"] not in ("online", "qr"):
        raise Refused(400, "invalid_order_type")
    _check_modes(body)
    _check_items(body.get("items", []))
    payer = _payer(body.get("payer", {}), is_test=is_test, is_needed=not is_store)
    payment = _payment(body["transactions"], is_store=is_store)
    total, amount = _amount(body["total_amount"]), _amount(payment.get("amount"))
    if total != amount:
        raise Refused(400, "invalid_total_amount")
    return Wanted(
        api=Api.ORDERS,
        kind="qr" if is_store else "online",
        amount=amount,
        reference=_reference(body["external_reference"]),
        expiry=_expiry(body, payment, is_store=is_store, switches=switches, now=now),
        payer_email=text_of(payer, "email"),
        first_name=text_of(payer, "first_name"),
        description=_description(body.get("description", "")),
        notification_url=_notification_url(body.get("config", {}), switches=switches),
        processing_mode=body.get("processing_mode", "automatic"),
    )


def read_refund(raw: bytes) -> tuple[str, Money] | None:
    """Read a refund: `None` is total, otherwise the transaction and the amount."""
    if not raw.strip():
        return None
    body = _body(raw)
    _only(body, frozenset({"transactions"}), "")
    if not body:
        return None
    transactions = body["transactions"]
    if not isinstance(transactions, list):
        raise Refused(400, "property_type", "transactions must be an array")
    if len(transactions) != 1:
        raise Refused(400, "maximum_items" if transactions else "minimum_items")
    wanted = _object(transactions[0], "transactions[0]")
    _only(wanted, frozenset({"id", "amount"}), "transactions[0].")
    _needed(wanted, "id", "amount")
    if not isinstance(wanted["id"], str):
        raise Refused(400, "property_type", "transactions[0].id must be a string")
    return wanted["id"], _amount(wanted["amount"])


def _body(raw: bytes) -> dict[str, Any]:
    try:
        return read_object(raw)
    except NotJSON as exc:
        code = "property_type" if str(exc) == "not an object" else "json_syntax_error"
        raise Refused(400, code, str(exc)) from exc


def _check_modes(body: Mapping[str, Any]) -> None:
    for name, allowed in (
        ("processing_mode", ("automatic", "manual")),
        ("capture_mode", _CAPTURES),
    ):
        if name in body and body[name] not in allowed:
            raise Refused(400, "property_value", f"{name}: one of {', '.join(allowed)}")


def _check_items(items: Any) -> None:
    if not isinstance(items, list):
        raise Refused(400, "property_type", "items must be an array")
    if len(items) > _MOST_ITEMS:
        raise Refused(400, "maximum_items", f"items: at most {_MOST_ITEMS}")
    for item in items:
        _only(_object(item, "items[]"), known_fields.ORDER_ITEM, "items[].")
        _needed(item, "title", "unit_price", "quantity")
        if not isinstance(item["title"], str) or not 1 <= len(item["title"]) <= 150:
            raise Refused(400, "property_value", "items[].title: 1 to 150 characters")
        if type(item["quantity"]) is not int or item["quantity"] < 1:
            raise Refused(400, "property_type", "items[].quantity: a whole number from 1")
        if len(text_of(item, "description")) > 100:
            raise Refused(400, "property_value", "items[].description: at most 100 characters")
        _amount(item["unit_price"])


def _payer(value: Any, *, is_test: bool, is_needed: bool) -> Mapping[str, Any]:
    payer = _object(value, "payer")
    _only(payer, known_fields.ORDER_PAYER, "payer.")
    email = payer.get("email")
    if email is None and not is_needed:
        return payer
    if email is None:
        raise Refused(400, "required_properties", "payer.email is required")
    if not is_email(email):
        raise Refused(400, "property_value", "payer.email is not an address")
    if is_test and not email.endswith(TEST_DOMAIN):
        raise Refused(400, "invalid_email_for_sandbox")
    return payer


def _payment(transactions: Any, *, is_store: bool) -> Mapping[str, Any]:
    content = _object(transactions, "transactions")
    _only(content, frozenset({"payments"}), "transactions.")
    payments = content.get("payments")
    if payments is not None and not isinstance(payments, list):
        raise Refused(400, "property_type", "transactions.payments must be an array")
    if not payments:
        raise Refused(400, "order_builder_without_transactions")
    if len(payments) > 1:
        raise Refused(400, "exceeded_number_of_transactions")
    payment = _object(payments[0], "transactions.payments[0]")
    _only(payment, known_fields.ORDER_TRANSACTION, "transactions.payments[0].")
    if is_store and "payment_method" not in payment:
        return payment
    _needed(payment, "amount", "payment_method")
    method = _object(payment["payment_method"], "payment_method")
    _only(method, frozenset({"id", "type"}), "payment_method.")
    if (method.get("id"), method.get("type")) != ("pix", "bank_transfer"):
        raise Refused(400, "property_value", "payment_method: only pix is played here")
    return payment


def _reference(value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(400, "property_type", "external_reference must be a string")
    if not _REFERENCE.fullmatch(value):
        raise Refused(400, "property_value", "external_reference: 1 to 64 of A-Z a-z 0-9 _ -")
    return value


def _amount(value: Any) -> Money:
    if not isinstance(value, str):
        raise Refused(400, "property_type", "amounts are text with exactly two decimals")
    if not _AMOUNT.fullmatch(value):
        raise Refused(400, "property_value", "amounts are text with exactly two decimals")
    try:
        amount = Money.parse(value)
    except InvalidMoney as exc:
        raise Refused(400, "property_value", "the amount is out of range") from exc
    if amount == ZERO:
        raise Refused(400, "property_value", "the amount is above zero")
    return amount


def _expiry(
    body: Mapping[str, Any],
    payment: Mapping[str, Any],
    *,
    is_store: bool,
    switches: Switches,
    now: datetime,
) -> timedelta:
    if "date_of_expiration" in payment:
        at = read_instant(payment["date_of_expiration"])
        expiry = None if at is None else at - now
    elif is_store:
        expiry = read_duration(body.get("expiration_time", "PT15M"))
    else:
        expiry = read_duration(payment.get("expiration_time", "P1D"))
    if expiry is None:
        raise Refused(400, "property_value", "expiration_time is not an ISO 8601 duration")
    shortest = min(_STORE_EXPIRY, SHORTEST) if is_store else SHORTEST
    is_fine = shortest <= expiry <= LONGEST or (switches.any_expiry and timedelta() < expiry)
    if not is_fine or expiry > 12 * LONGEST:
        raise Refused(400, "property_value", "expiration_time is PT30M to P30D")
    return expiry


def _description(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 150:
        raise Refused(400, "property_value", "description: text of at most 150 characters")
    return value


def _notification_url(config: Any, *, switches: Switches) -> str:
    url = _object(config, "config").get("notification_url", "")
    if not isinstance(url, str) or len(url) >= 500:
        raise Refused(400, "property_value", "config.notification_url: under 500 characters")
    if url and not switches.any_notification_url and not is_public_address(url):
        raise Refused(400, "property_value", "config.notification_url: a public https address")
    return url


def _needed(content: Mapping[str, Any], *names: str) -> None:
    missing = [name for name in names if name not in content]
    if missing:
        raise Refused(400, "required_properties", f"{', '.join(missing)}: required")


def _only(content: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(content) - known)
    if unknown:
        names = ", ".join(where + name for name in unknown)
        raise Refused(400, "unsupported_properties", f"unsupported: {names[:200]}")


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Refused(400, "property_type", f"{name} must be an object")
    return value
