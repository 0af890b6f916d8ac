"""Read the provider's JSON field by field: exact decimals, aware instants, named faults."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Content = Mapping[str, Any]
# A Pix code has 512 characters at most; beyond this no store and no page has use for a text.
_LONGEST_TEXT = 4096
# Wider than any money, and far from where sums of decimals overflow.
_LARGEST_EXPONENT = 15


class UnreadablePayload(ValueError):
    """The provider's answer is not what its contract says; the message names the field."""


def read_json(body: bytes) -> dict[str, Any]:
    """Read a JSON object with exact decimals; raise `UnreadablePayload`."""
    content = read_any(body)
    if not isinstance(content, dict):
        raise UnreadablePayload("the answer is not a JSON object")
    return content


def read_any(body: bytes) -> Any:
    """Read JSON of any kind; raise `UnreadablePayload`."""
    try:
        return json.loads(body, parse_float=Decimal)
    # `1e9999999999999999999` is JSON, and no `Decimal`.
    except (ValueError, RecursionError, InvalidOperation) as exc:
        raise UnreadablePayload("the answer is not JSON") from exc


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
                return _short(code)
    return _short(content.get("error") or content.get("code") or "unknown")


def _short(code: object) -> str:
    # It goes into logs, cases and rows.
    return str(code)[:64].encode("ascii", "replace").decode().replace("\0", "?")


def mapping(content: Content, name: str) -> Content:
    """Give an inner object, or an empty one."""
    value = content.get(name)
    return value if isinstance(value, dict) else {}


def objects(content: Content, name: str) -> list[Content]:
    """Give the objects of an inner list; raise `UnreadablePayload` if others are among them."""
    value = content.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise UnreadablePayload(f"{name}: objects are needed")
    return value


def text(content: Content, name: str) -> str:
    """Give a text or a whole number as text; raise `UnreadablePayload` for anything else."""
    value = content.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise UnreadablePayload(f"{name}: text is needed")
    return _plain(value, name)


def optional_text(content: Content, name: str) -> str:
    """Give a text or a number as text; empty when there is none."""
    value = content.get(name)
    if value is None or isinstance(value, (dict, list, bool)):
        return ""
    return _plain(str(value), name)


def _plain(value: str, name: str) -> str:
    """Give a text that every store and topic takes: PostgreSQL knows no NUL, UTF-8 no half pair."""
    is_half = any("\ud800" <= sign <= "\udfff" for sign in value) if not value.isascii() else False
    if "\0" in value or is_half or len(value) > _LONGEST_TEXT:
        raise UnreadablePayload(f"{name}: plain text of up to {_LONGEST_TEXT} characters is needed")
    return value


def amount(value: object) -> Decimal | None:
    """Give an exact amount, or `None` for what is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return None
    is_sane = exact.is_finite() and abs(exact.adjusted()) <= _LARGEST_EXPONENT
    return exact if is_sane else None


def instant(value: object, name: str) -> datetime:
    """Give an instant in UTC; raise `UnreadablePayload`."""
    try:
        at = datetime.fromisoformat(str(value))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise UnreadablePayload(f"{name}: an instant is needed") from exc


def optional_instant(value: object, name: str) -> datetime | None:
    """Give an instant in UTC, or `None` where nothing stands."""
    return None if not value else instant(value, name)
