"""The one public door: `python -m local.gateway.edge --port P` sends each path to its service."""

import argparse
import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web
from yarl import URL

from comanda.telemetry import configure_logging

PAYLOAD_LIMIT = 10 * 1024 * 1024
# Hop-by-hop headers end here (RFC 9110, section 7.6.1); the length is counted anew.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
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
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PATIENCE = 2.0
_PAUSE = 0.1


class Edge:
    """A reverse proxy over pooled connections; it never rewrites `x-request-id`."""

    def __init__(self, routes: Mapping[str, str]) -> None:
        self._routes = sorted(routes.items(), key=lambda route: -len(route[0]))
        self._session: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        """Make the server."""
        app = web.Application(client_max_size=PAYLOAD_LIMIT)
        app.router.add_get("/", self._index)
        app.router.add_get("/health", self._health)
        app.router.add_get("/openapi.json", self._openapi)
        app.router.add_route("*", "/{path:.*}", self._forward)
        app.cleanup_ctx.append(self._client)
        return app

    async def _client(self, _: web.Application) -> Any:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(total=29, connect=2),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        yield
        await self._session.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        base = self._base_of(request.path)
        if base is None:
            return _problem(404, "Not found", f"nothing is served at {request.path[:80]}")
        body = await request.read()
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            try:
                return await self._send(request, base, body)
            except aiohttp.ClientConnectorError:
                # Nothing was sent yet, so a safe request may wait for a service that restarts.
                is_late = asyncio.get_running_loop().time() > deadline
                if request.method not in SAFE_METHODS or is_late:
                    return _unavailable(502, "the service behind this path is down")
                await asyncio.sleep(_PAUSE)
            except TimeoutError:
                return _unavailable(504, "the service behind this path did not answer in time")
            except aiohttp.ClientError:
                return _unavailable(502, "the service behind this path hung up")

    async def _send(self, request: web.Request, base: str, body: bytes) -> web.Response:
        assert self._session is not None  # It lives as long as the application.
        url = base + request.raw_path
        async with self._session.request(
            request.method,
            # The path is already encoded; encoding it again would break signatures over it.
            URL(url, encoded=True),
            headers=_headers(request),
            data=body or None,
            allow_redirects=False,
        ) as answer:
            content = await answer.read()
            kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP]
            response = web.Response(status=answer.status, body=content)
            response.headers.clear()
            for name, value in kept:
                response.headers.add(name, value)
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
        found = await asyncio.gather(*(self._document(p, b) for p, b in self._routes))
        merged: dict[str, Any] = {
            "openapi": "3.1.0",
            "info": {"title": "Comanda", "version": "1"},
            "paths": {},
            "components": {"schemas": {}},
        }
        for document in found:
            merged["paths"] |= document.get("paths", {})
            merged["components"]["schemas"] |= document.get("components", {}).get("schemas", {})
        return web.json_response(merged)

    async def _document(self, prefix: str, base: str) -> dict[str, Any]:
        assert self._session is not None  # As above.
        try:
            async with self._session.get(f"{base}{prefix}/openapi.json") as answer:
                document: dict[str, Any] = await answer.json() if answer.status == 200 else {}
                return document
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}


def _headers(request: web.Request) -> list[tuple[str, str]]:
    headers = [(k, v) for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP]
    if "x-request-id" not in request.headers:
        headers.append(("x-request-id", str(uuid4())))
    if request.remote:
        headers.append(("x-forwarded-for", request.remote))
    return headers


def _problem(status: int, title: str, detail: str) -> web.Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return web.Response(
        status=status, text=json.dumps(body), content_type="application/problem+json"
    )


def _unavailable(status: int, detail: str) -> web.Response:
    response = _problem(status, "Service unavailable", detail)
    response.headers["Retry-After"] = "1"
    return response


def main() -> None:
    """Serve the routes of `COMANDA_EDGE_ROUTES` until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.gateway.edge")
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    configure_logging("edge")
    routes = json.loads(os.environ["COMANDA_EDGE_ROUTES"])
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
