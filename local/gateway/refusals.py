"""What API Gateway answers itself: its gateway responses, as `gateway.json` sets them up.

Left alone, API Gateway says `{"message": "Missing Authentication Token"}` with 403 to an unknown
path. Each response type can be given a status and a body, so ours are problem documents; whatever
deploys the edge reads the same file. A body is fixed, so these problems are told in English alone.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from local.gateway.answer import HttpResponse

FILE = Path(__file__).resolve().parents[2] / "gateway.json"
MEDIA_TYPE = "application/problem+json"
_CHALLENGE = ("WWW-Authenticate", 'Bearer realm="comanda"')
_COME_BACK = ("Retry-After", "1")


def refusal(kind: str) -> HttpResponse:
    """Give the gateway response of this type, such as `UNAUTHORIZED`."""
    document = _responses()[kind]
    status = int(document["status"])
    headers = [("Content-Type", MEDIA_TYPE)]
    if status == 401:
        headers.append(_CHALLENGE)
    if status in (429, 502, 504):
        headers.append(_COME_BACK)
    return HttpResponse(status=status, headers=tuple(headers), body=json.dumps(document).encode())


@cache
def _responses() -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = json.loads(FILE.read_text())["responses"]
    return content
