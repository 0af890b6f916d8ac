"""Verify that a notification comes from Mercado Pago: HMAC-SHA256 over id, request id and time.

The rules are Mercado Pago's "Webhooks" guide; where its sources disagree both readings are taken:
`data.id` lower-cased, then verbatim; `ts` in seconds (10 digits) or milliseconds (13 digits).
The age of a notification is no reason to refuse it: retries go on for days, and all that a
notification can cause is a fetch. The body is not signed, so nothing in it is believed.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST_SECRETS = 4
FUTURE_SECONDS = 300
# HTTP allows these around a list's members; `str.strip` would take off much more.
_SPACES = " \t"
_TS = re.compile(r"[0-9]{10}|[0-9]{13}", re.ASCII)
_V1 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_NUMERIC_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_ORDER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{5,63}", re.ASCII)
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


class Reason(StrEnum):
    """Why a notification is not verified."""

    NO_SECRET = "no_secret"  # noqa: S105  # It names a reason.
    MISSING_SIGNATURE = "missing_signature"
    MALFORMED_SIGNATURE = "malformed_signature"
    INVALID_ID = "invalid_id"
    INVALID_REQUEST_ID = "invalid_request_id"
    MISMATCH = "mismatch"
    FROM_THE_FUTURE = "from_the_future"


class Unverified(Exception):
    """The notification is not verified; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """The parts that the signature covers; absent parts are `None`."""

    signature: str | None
    request_id: str | None
    data_id: str | None


def verify(signed: Signed, *, secrets: Sequence[str], now: datetime) -> int:
    """Return the index of the secret that verifies; raise `Unverified` naming the reason."""
    keys = [secret for secret in secrets if secret][:MOST_SECRETS]
    if not keys:
        # Skipping the check for want of a secret would open the door to anybody.
        raise Unverified(Reason.NO_SECRET)
    ts, v1 = _parse(signed.signature)
    _check_forms(signed)
    given = bytes.fromhex(v1)
    for index, key in enumerate(keys):
        for data_id in _readings(signed.data_id):
            manifest = _manifest(data_id, request_id=signed.request_id, ts=ts)
            if hmac.compare_digest(_digest(key, manifest), given):
                _check_time(ts, now=now)
                return index
    raise Unverified(Reason.MISMATCH)


def sign(*, secret: str, data_id: str | None, request_id: str | None, ts: str) -> str:
    """Make the `x-signature` header that Mercado Pago would send, with `data.id` lower-cased."""
    lowered = None if data_id is None else data_id.lower()
    digest = _digest(secret, _manifest(lowered, request_id=request_id, ts=ts))
    return f"ts={ts},v1={digest.hex()}"


def is_resource_id(text: str) -> bool:
    """Tell whether the text can be the id of a payment (digits) or of an order."""
    return bool(_NUMERIC_ID.fullmatch(text) or _ORDER_ID.fullmatch(text))


def is_request_id(text: str) -> bool:
    """Tell whether the text can be an `x-request-id`: visible ASCII, at most 128 characters."""
    return bool(_REQUEST_ID.fullmatch(text))


def _parse(header: str | None) -> tuple[str, str]:
    if header is None or not header.strip():
        raise Unverified(Reason.MISSING_SIGNATURE)
    parts = _components(header)
    ts, v1 = parts.get("ts", ""), parts.get("v1", "")
    if not _TS.fullmatch(ts) or not _V1.fullmatch(v1):
        raise Unverified(Reason.MALFORMED_SIGNATURE)
    return ts, v1


def _components(header: str) -> Mapping[str, str]:
    parts: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.partition("=")
        key = name.strip(_SPACES).lower()
        if key in parts:
            # Whoever sends two values hopes that one checks them and another uses them.
            raise Unverified(Reason.MALFORMED_SIGNATURE)
        parts[key] = value.strip(_SPACES)
    return parts


def _check_forms(signed: Signed) -> None:
    # An id with `;` in it could smuggle further components into the manifest.
    if signed.data_id is not None and not is_resource_id(signed.data_id):
        raise Unverified(Reason.INVALID_ID)
    if signed.request_id is not None and not is_request_id(signed.request_id):
        raise Unverified(Reason.INVALID_REQUEST_ID)


def _check_time(ts: str, *, now: datetime) -> None:
    seconds = int(ts) / (1000 if len(ts) == 13 else 1)
    if seconds > now.timestamp() + FUTURE_SECONDS:
        raise Unverified(Reason.FROM_THE_FUTURE)


def _readings(data_id: str | None) -> tuple[str | None, ...]:
    if data_id is None or data_id == data_id.lower():
        return (data_id,)
    return (data_id.lower(), data_id)


def _manifest(data_id: str | None, *, request_id: str | None, ts: str) -> str:
    parts = (("id", data_id), ("request-id", request_id), ("ts", ts))
    return "".join(f"{label}:{value};" for label, value in parts if value is not None)


def _digest(secret: str, manifest: str) -> bytes:
    return hmac.digest(secret.encode(), manifest.encode(), "sha256")
