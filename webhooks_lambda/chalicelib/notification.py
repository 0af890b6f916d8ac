"""Read a webhook request into a value: what is signed, what it is about, and the raw request."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comanda.events import RawRequest
from comanda.mercadopago.signature import Signed, is_resource_id

BODY_LIMIT = 64 * 1024
HEADER_LIMIT = 8 * 1024
# What is kept of the headers: enough to verify again, nothing that identifies a person.
KEPT_HEADERS = ("content-type", "user-agent", "x-request-id", "x-signature")
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
Pairs = Mapping[str, Sequence[str]]


class AmbiguousRequest(Exception):
    """A part that must come once comes twice, or has no acceptable form."""


class TooLarge(Exception):
    """The body or a header is larger than any notification."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """A notification that is well formed, though not verified yet."""

    signed: Signed
    topic: str
    is_ipn: bool
    raw: RawRequest


def parse(event: Mapping[str, Any], body: str) -> Notification:
    """Read API Gateway's event; raise `AmbiguousRequest` or `TooLarge`."""
    headers = _lowered(event.get("multiValueHeaders") or {})
    query: Pairs = event.get("multiValueQueryStringParameters") or {}
    _check_sizes(headers, body)
    signature = _single(headers, "x-signature")
    request_id = _single(headers, "x-request-id")
    data_id = _single(query, "data.id")
    # The forms are checked before the signature: `;` in an id could forge a manifest.
    if data_id and not is_resource_id(data_id):
        raise AmbiguousRequest("data.id has no acceptable form")
    if request_id is not None and not _REQUEST_ID.fullmatch(request_id):
        raise AmbiguousRequest("x-request-id has no acceptable form")
    content = _object(body)
    _check_agreement(data_id, content)
    return Notification(
        signed=Signed(signature=signature, request_id=request_id, data_id=data_id or None),
        topic=_topic(query, content),
        is_ipn="data.id" not in query and "topic" in query and "id" in query,
        raw=_raw(event, headers, query, body),
    )


def _check_sizes(headers: Pairs, body: str) -> None:
    if len(body.encode(errors="surrogatepass")) > BODY_LIMIT:
        raise TooLarge
    if any(len(value) > HEADER_LIMIT for values in headers.values() for value in values):
        raise TooLarge


def _lowered(headers: Pairs) -> dict[str, list[str]]:
    lowered: dict[str, list[str]] = {}
    for name, values in headers.items():
        lowered.setdefault(name.lower(), []).extend(values)
    return lowered


def _single(values: Pairs, name: str) -> str | None:
    found = values.get(name) or []
    if len(found) > 1:
        raise AmbiguousRequest(f"{name} comes more than once")
    return found[0] if found else None


def _object(body: str) -> Mapping[str, Any]:
    # The body is a hint: whatever cannot be read is no hint, and no fault either.
    try:
        content = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _check_agreement(data_id: str | None, content: Mapping[str, Any]) -> None:
    data = content.get("data")
    claimed = data.get("id") if isinstance(data, dict) else None
    if data_id is None or isinstance(claimed, bool) or not isinstance(claimed, (str, int)):
        return
    if str(claimed).lower() != data_id.lower():
        raise AmbiguousRequest("the body and the query name different resources")


def _topic(query: Pairs, content: Mapping[str, Any]) -> str:
    named = [*query.get("type", ()), *query.get("topic", ()), content.get("type")]
    found = next((name for name in named if name), None)
    return found[:64] if isinstance(found, str) else ""


def _raw(event: Mapping[str, Any], headers: Pairs, query: Pairs, body: str) -> RawRequest:
    kept = [(name, value) for name in KEPT_HEADERS for value in headers.get(name, ())]
    return RawRequest(
        method=str(event.get("httpMethod") or "POST"),
        path=str(event.get("path") or ""),
        headers=tuple(kept),
        query=tuple((name, value) for name, values in query.items() for value in values),
        # Half a surrogate pair cannot travel as UTF-8; the signature does not cover the body.
        body=body.encode(errors="replace").decode(),
    )
