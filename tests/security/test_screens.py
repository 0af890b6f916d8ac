"""What anybody can send to the screens' own server, and what no form of theirs may do."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute

from comanda.http_protocol import PatientProtocol
from comanda.intake import LARGEST_HEAD, MOST_HEADERS
from console.screens.app import ROOMS, SERVING, build_app
from tests.console_bed import SHOP, Bed, opened, sign_in

# Whoever uses these has no session yet, or is a customer; the page's own site guards them.
_FOR_ALL = frozenset({"account", "account_door", "kiosk", "order_page", "password", "sign_in"})


class Impatient(PatientProtocol):
    """The protocol that is served, with less time."""

    head_seconds = 0.3


def forms(*, of_staff: bool) -> list[str]:
    """List every way to change something, with an id wherever one is needed."""
    return sorted(
        f"{method} /loja/{SHOP}{re.sub(r'{[^}]*}', 'x', route.path)}"
        for room in ROOMS
        if not of_staff or room.__name__.rpartition(".")[2] not in _FOR_ALL
        for route in room.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods - {"GET", "HEAD"}
    )


@pytest.fixture
async def port() -> AsyncIterator[int]:
    @asynccontextmanager
    async def connect(_: FastAPI) -> AsyncIterator[None]:
        yield

    app = build_app((SHOP,), public_url="http://public", connect=connect)
    server = uvicorn.Server(uvicorn.Config(app, port=0, **{**SERVING, "http": Impatient}))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        yield bed


async def spoken(port: int, said: bytes) -> bytes:
    """Say something, and read until the server hangs up; a reset is a way to do so, too."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(10):
        try:
            writer.write(said)
            await writer.drain()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(MOST_HEADERS + 1)),
        b"Cookie: " + b"x" * LARGEST_HEAD + b"\r\n",
    ],
    ids=["many", "large"],
)
async def test_a_flood_of_headers_ends_the_connection(port: int, headers: bytes) -> None:
    answered = await spoken(port, b"GET /health/live HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")

    assert not answered or answered.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("said", [b"", b"GET /loja HTTP/1.1\r\nX-Slow: "], ids=["no", "half"])
async def test_who_says_no_whole_request_is_left(port: int, said: bytes) -> None:
    assert await spoken(port, said) == b""


async def test_three_full_cookies_of_ours_still_fit(port: int) -> None:
    jar = b"; ".join(b"%s=" % name + b"x" * 4_000 for name in (b"a", b"b", b"c"))

    answered = await spoken(
        port,
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: "
        + jar
        + b"\r\n\r\n",
    )

    assert answered.startswith(b"HTTP/1.1 200")


async def test_no_form_takes_anything_from_another_site_or_from_nowhere(bed: Bed) -> None:
    taken = []
    async with bed.browser(same_origin=False) as browser:
        for form in forms(of_staff=False):
            method, _, path = form.partition(" ")
            foreign = await browser.request(method, path, allow_redirects=False)
            taken += [form] if foreign.status != 403 else []

    assert len(forms(of_staff=False)) > 30
    assert taken == []
    assert not bed.contexts.bodies


async def test_no_form_of_staff_does_anything_without_the_sessions_own_token(bed: Bed) -> None:
    done = []
    async with bed.browser() as browser:
        await sign_in(browser, "boss")
        before = bed.contexts.asked.total()
        for form in forms(of_staff=True):
            method, _, path = form.partition(" ")
            data = {"csrf": "x" * 32, "motivo": "x", "id": "x"}
            answer = await browser.request(method, path, data=data, allow_redirects=False)
            is_led_away = answer.status == 303 and "/entrar" in answer.headers["location"]
            done += [] if is_led_away else [f"{form}: {answer.status}"]

    assert len(forms(of_staff=True)) >= 20
    assert done == []
    assert bed.contexts.asked.total() == before
