"""The screens as a process: told by its environment, ready at once, gone with status 0."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
from aiohttp import web
from cryptography.fernet import Fernet

from comanda.forwarding import HEADER, Target, address_in

NOWHERE = "http://127.0.0.1:1"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(port: int) -> dict[str, str]:
    return {
        **os.environ,
        "COMANDA_STAGE": "test",
        "COMANDA_SHOPS": "cantina",
        **{
            f"COMANDA_{name}_URL": NOWHERE
            for name in ("AUTH", "ORDERS", "CATALOG", "PAYMENTS", "ARCHIVE")
        },
        "COMANDA_PUBLIC_URL": NOWHERE,
        "COMANDA_CONSOLE_KEYS": Fernet.generate_key().decode(),
        "COMANDA_HTTP_PORT": str(port),
    }


class Screens:
    """The process, how it is asked, and what it wrote once it is gone."""

    def __init__(self, process: asyncio.subprocess.Process, session: aiohttp.ClientSession) -> None:
        self.process, self.session, self.log = process, session, b""


@asynccontextmanager
async def running(more: Mapping[str, str]) -> AsyncIterator[Screens]:
    """Start the screens, wait until they are ready, and stop them as a cluster would."""
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.screens"),
        env={**_environment(port), **more},
        stderr=asyncio.subprocess.PIPE,
    )
    base = f"http://127.0.0.1:{port}"
    async with asyncio.timeout(30), aiohttp.ClientSession(base) as session:
        while True:
            try:
                await session.get("/health/ready", raise_for_status=True)
                break
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)
        screens = Screens(process, session)
        yield screens
    process.send_signal(signal.SIGTERM)
    _, screens.log = await process.communicate()


async def test_the_screens_serve_alone_and_leave_with_status_0() -> None:
    async with running({}) as screens:
        menu = await screens.session.get("/loja/cantina/pedir")
        text = await menu.text()

    assert menu.status == 503
    assert "Nada se perdeu" in text
    assert screens.process.returncode == 0
    assert b"Traceback" not in screens.log


async def test_auth_is_told_the_browser_that_the_outermost_of_our_proxies_saw() -> None:
    heard: list[tuple[str, str]] = []
    key = b"k" * 32

    async def auth(request: web.Request) -> web.Response:
        heard.append((request.path, request.headers[HEADER]))
        return web.json_response({"title": "Too many requests"}, status=429)

    behind = web.Application()
    behind.router.add_route("*", "/{path:.*}", auth)
    runner = web.AppRunner(behind)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told = {
        "COMANDA_AUTH_URL": f"http://127.0.0.1:{runner.addresses[0][1]}",
        "COMANDA_FORWARDING_KEYS": f"{key.hex()},{'00' * 32}",
        "COMANDA_TRUSTED_PROXIES": "2",
    }
    hops = "198.51.100.1, 203.0.113.7, 10.0.0.1"

    async with running(told) as screens:
        await screens.session.post(
            "/loja/cantina/pedir/visita",
            json={"kiosk": "totem-1"},
            headers={"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": hops},
        )
    await runner.cleanup()

    ((path, word),) = heard
    target = Target(method="POST", path="/apis/auth/cantina/guests")
    assert path == target.path
    assert address_in(word, target=target, now=datetime.now(UTC), keys=(key,)) == "203.0.113.7"
    assert b"203.0.113.7" not in screens.log
