"""Read a webhook request into a value: what is signed, what it is about, and the raw request.

API Gateway's event arrives; a `Notification` leaves for the receiver.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comanda.events import RawRequest
from comanda.mercadopago.signature import Signed, is_request_id, is_resource_id

BODY_LIMIT = 64 * 1024
HEADER_LIMIT = 8 * 1024
QUERY_LIMIT = 8 * 1024
# What is kept of the headers: enough to verify again, nothing that identifies a person.
KEPT_HEADERS = ("content-type", "user-agent", "x-request-id", "x-signature")
# A fraud alert may name its payment in the body alone, and it is sent only once.
NAMED_IN_THE_BODY = frozenset(
    {"stop_delivery_op_wh", "topic_chargebacks_wh", "chargebacks", "topic_claims_integration_wh"}
)
_TOPIC = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
# SNS and SQS take the characters of XML 1.0; of these, control characters would grow sixfold.
_UNSENDABLE = "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_REPLACEMENT = "�"
Pairs = Mapping[str, Sequence[str]]


class MalformedRequest(Exception):
    """A part that must come once comes twice, or has no acceptable form; the message says which."""


class TooLarge(Exception):
    """The body or the query is larger than any notification's."""


class HeaderTooLarge(Exception):
    """A header is larger than any notification's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """A notification that is well formed, though not verified yet.

    `resource_id` is what it is about: what is signed, or for alerts the payment that the body
    names. `is_contradictory` tells that body and query name different resources. `traceparent` is
    whatever the caller sent under this name.
    """

    signed: Signed
    topic: str
    resource_id: str | None
    is_ipn: bool
    is_contradictory: bool
    raw: RawRequest
    traceparent: str | None = None


def parse(event: Mapping[str, Any], body: str) -> Notification:
    """Read the event; raise `MalformedRequest`, `TooLarge` or `HeaderTooLarge`."""
    headers = _lowered(event.get("multiValueHeaders") or {})
    query = _query(event)
    _check_sizes(headers, query, body)
    signed = Signed(
        signature=_single(headers, "x-signature"),
        # An empty header is none; nothing else of it is changed, for it is signed.
        request_id=(_single(headers, "x-request-id") or "").strip(" \t") or None,
        data_id=_single(query, "data.id") or None,
    )
    _check_forms(signed)
    content = _object(body)
    topic = _topic(query, content)
    return Notification(
        signed=signed,
        topic=topic,
        resource_id=signed.data_id or _named_in(content, topic),
        is_ipn=is_ipn(event),
        is_contradictory=_contradicts(signed.data_id, content),
        raw=_raw(event, headers, query, body),
        traceparent=next(iter(headers.get("traceparent", ())), None),
    )


def is_ipn(event: Mapping[str, Any]) -> bool:
    """Tell whether this has the form of an IPN, the elder system, which cannot be verified."""
    query = _query(event)
    return "data.id" not in query and "topic" in query and "id" in query


def _query(event: Mapping[str, Any]) -> Pairs:
    return event.get("multiValueQueryStringParameters") or {}


def _check_sizes(headers: Pairs, query: Pairs, body: str) -> None:
    if len(body.encode(errors="surrogatepass")) > BODY_LIMIT:
        raise TooLarge
    if sum(len(name) + len(value) for name in query for value in query[name]) > QUERY_LIMIT:
        raise TooLarge
    if any(len(value) > HEADER_LIMIT for values in headers.values() for value in values):
        raise HeaderTooLarge


def _check_forms(signed: Signed) -> None:
    # The forms are checked before the signature: `;` in an id could forge a manifest.
    if signed.data_id is not None and not is_resource_id(signed.data_id):
        raise MalformedRequest("data.id has no acceptable form")
    if signed.request_id is not None and not is_request_id(signed.request_id):
        raise MalformedRequest("x-request-id has no acceptable form")


def _lowered(headers: Pairs) -> dict[str, list[str]]:
    lowered: dict[str, list[str]] = {}
    for name, values in headers.items():
        lowered.setdefault(name.lower(), []).extend(values)
    return lowered


def _single(values: Pairs, name: str) -> str | None:
    found = values.get(name) or []
    if len(found) > 1:
        raise MalformedRequest(f"{name} comes more than once")
    return found[0] if found else None


def _object(body: str) -> Mapping[str, Any]:
    # The body is a hint: whatever cannot be read is no hint, and no fault either.
    try:
        content = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _data(content: Mapping[str, Any]) -> Mapping[str, Any]:
    data = content.get("data")
    return data if isinstance(data, dict) else {}


def _id_text(value: object) -> str | None:
    # `true` is a number to Python and not to JSON.
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)


def _contradicts(data_id: str | None, content: Mapping[str, Any]) -> bool:
    claimed = _id_text(_data(content).get("id"))
    return data_id is not None and claimed is not None and claimed.lower() != data_id.lower()


def _named_in(content: Mapping[str, Any], topic: str) -> str | None:
    if topic not in NAMED_IN_THE_BODY:
        return None
    data = _data(content)
    named = _id_text(data.get("payment_id")) or _id_text(data.get("id"))
    return named if named is not None and is_resource_id(named) else None


def _topic(query: Pairs, content: Mapping[str, Any]) -> str:
    named = [*query.get("type", ()), *query.get("topic", ()), content.get("type")]
    found = next((name for name in named if name), None)
    return found if isinstance(found, str) and _TOPIC.fullmatch(found) else ""


def _raw(event: Mapping[str, Any], headers: Pairs, query: Pairs, body: str) -> RawRequest:
    kept = [(name, value) for name in KEPT_HEADERS for value in headers.get(name, ())]
    pairs = [(name, value) for name, values in query.items() for value in values]
    return RawRequest(
        method=str(event.get("httpMethod") or "POST"),
        path=_sendable(str(event.get("path") or "")),
        headers=tuple((name, _sendable(value)) for name, value in kept),
        query=tuple((_sendable(name), _sendable(value)) for name, value in pairs),
        body=_sendable(body),
    )


def _sendable(text: str) -> str:
    # Nearly all texts are plain, and this pattern takes milliseconds to compile.
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_UNSENDABLE, _REPLACEMENT, text)
