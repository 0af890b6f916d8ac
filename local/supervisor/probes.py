"""Ways to ask whether a process is ready; each is one quick question."""

import asyncio
from urllib.parse import urlsplit

from local.supervisor.parts import Probe

PATIENCE_SECONDS = 5.0


def tcp(port: int, *, host: str = "127.0.0.1") -> Probe:
    """Be ready when the port takes a connection."""

    async def probe() -> bool:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            return False
        writer.close()
        return True

    return probe


def http(url: str) -> Probe:
    """Be ready when GET answers 200."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    request = (
        f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    )

    async def probe() -> bool:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                status = await _status_line(host, port, request.encode())
        except (OSError, TimeoutError):
            return False
        return status.split(b" ")[1:2] == [b"200"]

    return probe


async def _status_line(host: str, port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        return await reader.readline()
    finally:
        writer.close()
