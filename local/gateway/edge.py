"""The one public door: `python -m local.gateway.edge --port P` sends each path to its service."""

import argparse
import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
import uvloop
from aiohttp import web
from yarl import URL

from comanda.garbage import collect_seldom
from comanda.problems.telling import headers_of, told
from comanda.telemetry import configure_logging
from local.gateway.documents import merge

PAYLOAD_LIMIT = 10 * 1024 * 1024
# Larger than what any service takes, so that the services themselves refuse what is too large.
HEADER_LIMIT = 32 * 1024
# API Gateway takes 10 KiB of a request line and its headers; pods take 16 KiB.
LINE_LIMIT = 8 * 1024
TIME_LIMIT_SECONDS = 29.0
# Hop-by-hop headers end here (RFC 9110, section 7.6.1); the length is counted anew.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# What aiohttp would add of its own accord; a proxy sends what it was sent.
_OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
# Pages for people; they have no OpenAPI document.
SCREENS = frozenset({"/loja", "/assets"})
# A service restarts within this on a laptop that has other things to do as well.
_PATIENCE = 6.0
# Those that API Gateway knows; nothing behind it ever hears of another.
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_PAUSE = 0.1
# What is read of a line, so that there is something to refuse.
_LONGEST_LINE = 256 * 1024


class Edge:
    """A reverse proxy over pooled connections.

    `x-request-id` is signed by Mercado Pago, so it is neither rewritten nor made up.
    """

    def __init__(
        self, routes: Mapping[str, str], *, time_limit: float = TIME_LIMIT_SECONDS
    ) -> None:
        self._routes = sorted(routes.items(), key=lambda route: -len(route[0]))
        self._time_limit = time_limit
        self._session: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        """Make the server."""
        limits = {"max_line_size": _LONGEST_LINE, "max_field_size": HEADER_LIMIT}
        app = web.Application(
            client_max_size=PAYLOAD_LIMIT, handler_args=limits, middlewares=[_as_problems]
        )
        app.router.add_get("/", self._index)
        app.router.add_get("/health", self._health)
        app.router.add_get("/openapi.json", self._openapi)
        # A dot would leave out line breaks, which a path may hold in disguise.
        app.router.add_route("*", r"/{path:[\s\S]*}", self._forward)
        app.cleanup_ctx.append(self._client)
        return app

    async def _client(self, _: web.Application) -> AsyncIterator[None]:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(total=self._time_limit, connect=2),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        yield
        await self._session.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if refused := _refused(request):
            return refused
        base = self._base_of(request.path)
        if base is None:
            return _problem(request, 404, "Not found", f"nothing is served at {request.path[:80]}")
        body = await request.read()
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            try:
                return await self._send(request, base, body)
            except aiohttp.ClientConnectorError:
                # Nothing was sent yet, so any request may wait for a service that restarts.
                if asyncio.get_running_loop().time() > deadline:
                    return _unavailable(request, 502, "the service behind this path is down")
                await asyncio.sleep(_PAUSE)
            except TimeoutError:
                detail = "the service behind this path did not answer in time"
                return _unavailable(request, 504, detail)
            except aiohttp.ClientError:
                return _unavailable(request, 502, "the service behind this path hung up")

    async def _send(self, request: web.Request, base: str, body: bytes) -> web.StreamResponse:
        assert self._session is not None  # It lives as long as the application.
        # Not `raw_path`: that may be a whole URL, of somebody else's host even.
        url = base + request.rel_url.raw_path_qs
        async with self._session.request(
            request.method,
            # The path is already encoded; encoding it again would break signatures over it.
            URL(url, encoded=True),
            headers=_headers(request),
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=_OWN_HEADERS,
        ) as answer:
            if answer.content_type == "text/event-stream":
                return await _streamed(request, answer)
            content = await answer.read()
            response = web.Response(status=answer.status, body=content)
            response.headers.clear()
            for name, value in _end_to_end(answer.headers.items()):
                response.headers.add(name, value)
            if request.method == "HEAD" and "Content-Length" in answer.headers:
                # There is no body to count; the length is what GET would have sent.
                response.headers["Content-Length"] = answer.headers["Content-Length"]
            return response

    def _base_of(self, path: str) -> str | None:
        for prefix, base in self._routes:
            if path == prefix or path.startswith(prefix + "/"):
                return base
        return None

    async def _index(self, _: web.Request) -> web.Response:
        items = "".join(f"<li><code>{prefix}</code></li>" for prefix, _ in self._routes)
        page = f"<!doctype html><title>Comanda</title><h1>Comanda</h1><ul>{items}</ul>"
        link = '<p><a href="/openapi.json">OpenAPI</a></p>'
        return web.Response(text=page + link, content_type="text/html")

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ready"})

    async def _openapi(self, _: web.Request) -> web.Response:
        apis = [(p, b) for p, b in self._routes if p not in SCREENS]
        found = await asyncio.gather(*(self._document(p, b) for p, b in apis))
        names = (prefix.rpartition("/")[2] for prefix, _ in apis)
        return web.json_response(merge(dict(zip(names, found, strict=True))))

    async def _document(self, prefix: str, base: str) -> dict[str, Any]:
        assert self._session is not None  # As above.
        try:
            async with self._session.get(f"{base}{prefix}/openapi.json") as answer:
                document: dict[str, Any] = await answer.json() if answer.status == 200 else {}
                return document
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}


async def _streamed(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Pass events on as they come, for who waits for them would otherwise get all at the end."""
    response = web.StreamResponse(status=answer.status)
    for name, value in _end_to_end(answer.headers.items()):
        response.headers.add(name, value)
    await response.prepare(request)
    # Whichever side hangs up, the stream is over, and its reader comes back by itself.
    with suppress(aiohttp.ClientError, ConnectionResetError, TimeoutError):
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    return response


def _headers(request: web.Request) -> list[tuple[str, str]]:
    headers = _end_to_end(request.headers.items())
    if request.remote:
        headers.append(("x-forwarded-for", request.remote))
    return headers


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = list(headers)
    # `Connection` names further headers that end with this connection.
    named = ",".join(value for name, value in pairs if name.lower() == "connection")
    dropped = HOP_BY_HOP | {name.strip().lower() for name in named.split(",")}
    return [(name, value) for name, value in pairs if name.lower() not in dropped]


@web.middleware
async def _as_problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return _problem(request, 413, "Content too large", "at most 10 MiB are taken")


def _refused(request: web.Request) -> web.Response | None:
    """Refuse what API Gateway would not even look at."""
    if request.method not in _METHODS:
        refused = _problem(request, 405, "Method not allowed", "no path takes this method")
        refused.headers["Allow"] = ", ".join(_METHODS)
        return refused
    if len(request.raw_path) > LINE_LIMIT:
        return _problem(request, 414, "The address is too long", f"at most {LINE_LIMIT} bytes")
    return None


def _problem(request: web.Request, status: int, title: str, detail: str) -> web.Response:
    own = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body, language = told(own, accept_language=request.headers.get("Accept-Language", ""))
    return web.Response(
        status=status,
        text=json.dumps(body),
        content_type="application/problem+json",
        headers=headers_of(language),
    )


def _unavailable(request: web.Request, status: int, detail: str) -> web.Response:
    response = _problem(request, status, "Service unavailable", detail)
    response.headers["Retry-After"] = "1"
    return response


def main() -> None:
    """Serve the routes of `COMANDA_EDGE_ROUTES` until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.gateway.edge")
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    configure_logging("edge")
    routes = json.loads(os.environ["COMANDA_EDGE_ROUTES"])
    collect_seldom()
    uvloop.install()
    web.run_app(
        Edge(routes).application(),
        host="127.0.0.1",
        port=chosen.port,
        access_log=None,
        print=None,
        shutdown_timeout=5,
    )


if __name__ == "__main__":
    main()
