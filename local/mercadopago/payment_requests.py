"""Read what is sent to the Payments API; its refusals have numbers."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from math import isfinite
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
    read_object,
    text_of,
)
from local.mercadopago.opening import Wanted
from local.mercadopago.sales import Api
from local.mercadopago.settings import Switches

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", re.ASCII)
_DIGITS = {"CPF": 11, "CNPJ": 14}
_DAY = timedelta(days=1)
_DEEPEST = 20


def read_payment(raw: bytes, *, switches: Switches, is_test: bool, now: datetime) -> Wanted:
    """Check everything; raise `Refused` with the provider's number."""
    body = _body(raw)
    unknown = sorted(set(body) - known_fields.PAYMENT)
    if unknown:
        raise Refused(400, 8, f"the name of these parameters is wrong: {', '.join(unknown)[:200]}")
    amount = _amount(body.get("transaction_amount"), missing=4002, wrong_type=4003)
    _check_method(body.get("payment_method_id"))
    payer = _payer(body.get("payer"), is_test=is_test)
    return Wanted(
        api=Api.PAYMENTS,
        kind="online",
        amount=amount,
        reference=_reference(body.get("external_reference")),
        expiry=_expiry(body.get("date_of_expiration"), switches=switches, now=now),
        payer_email=text_of(payer, "email"),
        first_name=text_of(payer, "first_name"),
        description=text_of(body, "description")[:600],
        notification_url=_notification_url(body.get("notification_url"), switches=switches),
        metadata=_metadata(body.get("metadata")),
    )


def read_refund(raw: bytes) -> Money | None:
    """Read a refund: `None` is total."""
    body = _body(raw) if raw.strip() else {}
    unknown = sorted(set(body) - {"amount", "reason", "metadata"})
    if unknown:
        raise Refused(400, 8, f"the name of these parameters is wrong: {', '.join(unknown)[:200]}")
    if body.get("amount") is None:
        return None
    return _amount(body["amount"], missing=4023, wrong_type=4024)


def read_cancellation(raw: bytes) -> None:
    """Read an update, of which cancelling is the only one for Pix."""
    body = _body(raw)
    if set(body) - {"status"}:
        raise Refused(400, 8, "only status can be changed")
    if body.get("status") != "cancelled":
        raise Refused(400, 1, "status can only become cancelled")


def _body(raw: bytes) -> dict[str, Any]:
    try:
        return read_object(raw)
    except NotJSON as exc:
        raise Refused(400, 1, "params error: " + str(exc)) from exc


def _amount(value: Any, *, missing: int, wrong_type: int) -> Money:
    if value is None:
        raise Refused(400, missing, "the amount cannot be null")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Refused(400, wrong_type, "the amount must be numeric")
    try:
        amount = Money.from_decimal(Decimal(value))
    except InvalidMoney as exc:
        raise Refused(400, 4037, "invalid amount: above zero, at most two decimals") from exc
    if amount == ZERO:
        raise Refused(400, 4037, "invalid amount: above zero, at most two decimals")
    return amount


def _check_method(value: Any) -> None:
    if value is None:
        raise Refused(400, 4001, "payment_method_id cannot be null")
    if value != "pix":
        raise Refused(400, 3028, "invalid payment_method_id: only pix is played here")


def _payer(value: Any, *, is_test: bool) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Refused(400, 4006, "payer is malformed")
    email = value.get("email")
    if isinstance(email, str) and len(email) >= 254:
        raise Refused(400, 4051, "payer.email must be shorter than 254 characters")
    if not is_email(email):
        raise Refused(400, 4050, "payer.email must be a valid email")
    if is_test and not value["email"].endswith(TEST_DOMAIN):
        raise Refused(400, 2198, "invalid test user email")
    _check_identification(value.get("identification"))
    return value


def _check_identification(value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        raise Refused(400, 4006, "payer.identification is malformed")
    number = re.sub(r"[./-]", "", text_of(value, "number"))
    length = _DIGITS.get(text_of(value, "type"))
    is_fine = number.isascii() and (number.isdigit() or (length == 14 and number.isalnum()))
    if length is None or len(number) != length or not is_fine:
        raise Refused(400, 2067, "invalid user identification number")


def _reference(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 256:
        raise Refused(400, 1, "external_reference: text of at most 256 characters")
    return value


def _expiry(value: Any, *, switches: Switches, now: datetime) -> timedelta:
    if value is None:
        return _DAY
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise Refused(400, 23, "date_of_expiration: yyyy-MM-dd'T'HH:mm:ss.SSS+HH:MM")
    try:
        expiry = datetime.fromisoformat(value) - now
    except (ValueError, OverflowError) as exc:
        raise Refused(400, 23, "date_of_expiration is no date") from exc
    # The shop's clock and the trip of the request may cost a few seconds.
    grace = timedelta(seconds=5)
    is_fine = SHORTEST - grace <= expiry <= LONGEST + grace
    if not is_fine and not (switches.any_expiry and timedelta() < expiry <= 12 * LONGEST):
        raise Refused(400, 7523, "date_of_expiration: 30 minutes to 30 days ahead")
    return expiry


def _notification_url(value: Any, *, switches: Switches) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(400, 4020, "notification_url must be a url")
    if len(value) >= 500:
        raise Refused(400, 4021, "notification_url must be shorter than 500 characters")
    if not switches.any_notification_url and not is_public_address(value):
        raise Refused(400, 4020, "notification_url must be a public https url")
    return value


def _metadata(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(400, 4022, "metadata must be an object")
    return {_snake(name): _plain(content, depth=1) for name, content in value.items()}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _plain(content: Any, *, depth: int) -> Any:
    if depth > _DEEPEST or (isinstance(content, Decimal) and not isfinite(float(content))):
        raise Refused(400, 4022, "metadata must be plain")
    if isinstance(content, Decimal):
        return float(content)
    if isinstance(content, list):
        return [_plain(part, depth=depth + 1) for part in content]
    if isinstance(content, dict):
        return {name: _plain(part, depth=depth + 1) for name, part in content.items()}
    return content


def read_store_order(raw: bytes) -> tuple[Money, str]:
    """Read a legacy in-store order: its amount and our reference."""
    body = _body(raw)
    amount = _amount(body.get("total_amount"), missing=4023, wrong_type=4024)
    items = body.get("items")
    if not isinstance(items, list) or not items:
        raise Refused(400, 1, "items are required")
    for name in ("title", "description"):
        if not text_of(body, name):
            raise Refused(400, 1, f"{name} is required")
    return amount, _reference(body.get("external_reference"))
