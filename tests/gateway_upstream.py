"""A service whose behaviour each test decides, behind the public door."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from local.gateway.edge import Edge

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Upstream:
    """A service whose behaviour each test decides, and which remembers what it was sent."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.handler: Handler = self.echo

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.bodies.append(await request.read())
        return await self.handler(request)

    async def echo(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"path": request.rel_url.raw_path_qs})

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.seen[-1].headers.items()}


@pytest.fixture
async def upstream() -> AsyncIterator[tuple[Upstream, str]]:
    service = Upstream()
    app = web.Application(client_max_size=20 * 1024 * 1024, handler_args={"max_field_size": 65536})
    app.router.add_route("*", "/{path:.*}", service.serve)
    async with TestServer(app) as server:
        yield service, str(server.make_url("")).rstrip("/")


@pytest.fixture
async def door(upstream: tuple[Upstream, str]) -> AsyncIterator[str]:
    _, url = upstream
    routes = {"/apis/auth": url, "/apis/down": "http://127.0.0.1:9", "/webhooks": url}
    async with TestServer(Edge(routes, time_limit=0.5).application()) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
        yield session


async def raw(door: str, request: bytes) -> bytes:
    """Send bytes as they are and read until the end."""
    port = URL(door).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


async def problem_of(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    document: dict[str, Any] = await answer.json(content_type=None)
    assert document["status"] == answer.status
    return document
