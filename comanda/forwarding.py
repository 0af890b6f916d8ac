"""The browser's address, as one service of ours tells it to another: signed for one request.

The header is `<unix seconds>;<address>;<HMAC-SHA256 in hex>`, and good for a minute. Who takes it
believes the address only if a key of both made the code for this method, path, instant, address.
"""

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

HEADER = "X-Comanda-Client"
FRESH_FOR = timedelta(seconds=60)
_SHORTEST_KEY = 16
_LONGEST_HEADER = 160
Keys = tuple[bytes, ...]


class InvalidKeys(ValueError):
    """The text is not a list of keys; the message holds nothing of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The request that the word is for; the path names the shop and has no query."""

    method: str
    path: str


def keys_in(text: str) -> Keys:
    """Read keys of 16 bytes or more, in hexadecimal digits, separated by commas, the newest first.

    Raise `InvalidKeys`.
    """
    try:
        keys = tuple(bytes.fromhex(part) for part in text.split(","))
    except ValueError:
        raise InvalidKeys("keys are hexadecimal digits, separated by commas") from None
    if any(len(key) < _SHORTEST_KEY for key in keys):
        raise InvalidKeys(f"a key is shorter than {_SHORTEST_KEY} bytes")
    return keys


def told(address: str, *, target: Target, now: datetime, key: bytes) -> str:
    """Give the header's value that tells this address."""
    seconds = int(now.timestamp())
    return f"{seconds};{address};{_code(key, address, target=target, seconds=seconds)}"


def address_in(text: str, *, target: Target, now: datetime, keys: Iterable[bytes]) -> str | None:
    """Give the address that one of these keys vouches for; None for everything else."""
    parts = text.split(";")
    if len(text) > _LONGEST_HEADER or not text.isascii() or len(parts) != 3:
        return None
    instant, address, code = parts
    if not instant.isdigit() or len(instant) > 11 or not address:
        return None
    seconds = int(instant)
    if abs(now - datetime.fromtimestamp(seconds, UTC)) > FRESH_FOR:
        return None
    expected = [_code(key, address, target=target, seconds=seconds) for key in keys]
    # All are compared, so that time does not tell which key it was.
    matches = [hmac.compare_digest(code, it) for it in expected]
    return address if any(matches) else None


def _code(key: bytes, address: str, *, target: Target, seconds: int) -> str:
    # As JSON no part can run into the next; the first word keeps other uses of a key apart.
    signed = json.dumps(["client", target.method, target.path, seconds, address])
    return hmac.new(key, signed.encode(), sha256).hexdigest()
