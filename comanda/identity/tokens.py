"""What a token says before it is believed: three parts, two objects, no surprises."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

TOKEN_LIMIT = 4096
_HEADER_LIMIT = 512
ALGORITHM = "RS256"


class InvalidToken(Exception):
    """The token is not to be believed; `reason` is a short text that holds nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class UnverifiedToken:
    """The key's id and the claims as the sender wrote them; only the signature makes them true."""

    key_id: str
    claims: dict[str, Any]


def parse(token: str) -> UnverifiedToken:
    """Take a token apart; raise `InvalidToken` for all that we would never issue."""
    # Length first: everything after this works on a few kilobytes at most.
    if not isinstance(token, str) or len(token) > TOKEN_LIMIT or not token.isascii():
        raise InvalidToken("oversized")
    parts = token.split(".")
    if len(parts) != 3 or len(parts[0]) > _HEADER_LIMIT:
        raise InvalidToken("malformed")
    header, claims = _object(parts[0]), _object(parts[1])
    if header.get("alg") != ALGORITHM:
        raise InvalidToken("algorithm")
    # RFC 7515, section 4.1.11: who does not understand a critical header must refuse the token.
    if "crit" in header:
        raise InvalidToken("critical header")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise InvalidToken("no key id")
    return UnverifiedToken(key_id=key_id, claims=claims)


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError) as exc:
        raise InvalidToken("malformed") from exc
    if not isinstance(value, dict):
        raise InvalidToken("malformed")
    return value
