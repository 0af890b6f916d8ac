"""Read JSON that a stranger sent: exact decimals, objects only, and names for what is wrong."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}\.[a-zA-Z]{2,24}")
TEST_DOMAIN = "@testuser.com"
SHORTEST, LONGEST = timedelta(minutes=30), timedelta(days=30)
_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,3})D)?(?:T(?=.)(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?", re.ASCII
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NotJSON(ValueError):
    """The body is not a JSON object."""


def read_object(raw: bytes, *, number: type[Decimal] | type[float] = Decimal) -> dict[str, Any]:
    """Read an object whose fractions become exact decimals; raise `NotJSON`."""
    try:
        content = json.loads(raw, parse_float=number, parse_constant=_refuse)
        if b"\\u" in raw:
            # Half of a surrogate pair is a text that no store can keep.
            json.dumps(content, ensure_ascii=False, default=str).encode()
    except (ValueError, RecursionError) as exc:
        raise NotJSON("not JSON") from exc
    if not isinstance(content, dict):
        raise NotJSON("not an object")
    return content


def read_duration(text: object) -> timedelta | None:
    """Read an ISO 8601 duration of days, hours, minutes and seconds."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def read_instant(text: object) -> datetime | None:
    """Read an instant; without an offset it is UTC."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def is_email(value: object) -> bool:
    """Tell whether this is an e-mail address."""
    return isinstance(value, str) and EMAIL.fullmatch(value) is not None


def is_public_address(text: str) -> bool:
    """Tell whether notifications could go there: https, and not this machine."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and parts.hostname not in _LOOPBACK


def text_of(content: Mapping[str, Any], name: str) -> str:
    """Give a text, or nothing if it is none."""
    value = content.get(name)
    return value if isinstance(value, str) else ""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
