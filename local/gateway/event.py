"""Build the event that API Gateway (REST, Lambda proxy, payload 1.0) hands to a function."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpRequest:
    """A request as it came over the wire."""

    method: str
    path: str
    query: str
    headers: Pairs
    body: bytes
    source_ip: str
    request_id: str


def lambda_event(
    request: HttpRequest, *, resource: str, parameters: Mapping[str, str], stage: str
) -> dict[str, Any]:
    """Give the event; headers and query come in both their forms, single and multi-valued."""
    query = parse_qsl(request.query, keep_blank_values=True, errors="replace")
    body, is_base64 = _text_of(request.body)
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(request.headers) or None,
        "multiValueHeaders": _grouped(request.headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query),
        "pathParameters": dict(parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": request.method,
            "path": request.path,
            "stage": stage,
            "requestId": request.request_id,
            "identity": {"sourceIp": request.source_ip, "userAgent": None},
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _grouped(pairs: Pairs) -> dict[str, list[str]] | None:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups or None


def _text_of(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
