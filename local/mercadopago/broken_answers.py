"""Answers that are none: cut connections, pages of proxies, outages, rate limits."""

import json

from aiohttp import web

_HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"


def cut(request: web.Request) -> web.Response:
    """Cut the connection; nobody reads what is returned."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def page(status: int) -> web.Response:
    """Answer as a proxy does that has lost its server."""
    return web.Response(text=_HTML.format("Bad Gateway"), status=status, content_type="text/html")


def outage(status: int) -> web.Response:
    """Answer with an error that says nothing, as the provider's own do."""
    content: dict[str, object] = {"message": None, "error": None, "status": status, "cause": []}
    return web.json_response(content, status=status)


def rate_limited(retry_after: str) -> web.Response:
    """Refuse for now; an empty text leaves `Retry-After` out."""
    content: dict[str, object] = {"message": "Too many requests", "error": "too_many_requests"}
    headers = {"Retry-After": retry_after} if retry_after else {}
    return web.json_response({**content, "status": 429, "cause": []}, status=429, headers=headers)


def truncated(content: object, *, status: int) -> web.Response:
    """Answer with the first half of the JSON."""
    raw = json.dumps(content).encode()
    return web.Response(
        body=raw[: len(raw) // 2], status=status, content_type="application/json", charset="utf-8"
    )
