"""The screens as a process: told by its environment, ready at once, gone with status 0."""

import asyncio
import os
import signal
import socket
import sys

import aiohttp
from cryptography.fernet import Fernet

NOWHERE = "http://127.0.0.1:1"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_screens_serve_alone_and_leave_with_status_0() -> None:
    port = _free_port()
    environment = {
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
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "console.screens", env=environment, stderr=asyncio.subprocess.PIPE
    )
    base = f"http://127.0.0.1:{port}"
    async with asyncio.timeout(30), aiohttp.ClientSession(base) as session:
        while True:
            try:
                ready = await session.get("/health/ready")
                break
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)
        menu = await session.get("/loja/cantina/pedir")
        text = await menu.text()
    process.send_signal(signal.SIGTERM)
    _, log = await process.communicate()

    assert ready.status == 200
    assert menu.status == 503
    assert "Nada se perdeu" in text
    assert process.returncode == 0
    assert b"Traceback" not in log
