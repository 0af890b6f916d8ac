"""What a function or the gateway itself answers, on its way back over the wire."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class MalformedAnswer(Exception):
    """The function did not answer as a Lambda proxy integration must."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpResponse:
    """What goes back over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def response_of(answer: Any) -> HttpResponse:
    """Read what a function returned; raise `MalformedAnswer`."""
    try:
        headers = [(name, str(value)) for name, value in _mapping(answer, "headers").items()]
        for name, values in _mapping(answer, "multiValueHeaders").items():
            headers += [(name, str(value)) for value in values]
        body = answer.get("body") or ""
        content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        return HttpResponse(status=int(answer["statusCode"]), headers=tuple(headers), body=content)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise MalformedAnswer(type(exc).__name__) from exc


def _mapping(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return answer.get(name) or {}
