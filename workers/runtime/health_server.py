"""A small HTTP server in a thread of its own: it answers while the event loop cannot."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from socket import AF_INET, AF_INET6
from socketserver import ThreadingTCPServer
from typing import Any

JSON = "application/json"
# Whoever connects and says nothing is not waited for.
_PATIENCE = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """An answer."""

    body: bytes
    status: int = 200
    media_type: str = JSON


Pages = Mapping[str, Callable[[], Page]]


@asynccontextmanager
async def serve_pages(pages: Pages, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve these pages by path; give the port that was bound. Pages are made in threads."""
    server = _server(pages, host=host, port=port)
    serve = partial(server.serve_forever, poll_interval=0.05)
    thread = threading.Thread(target=serve, name="health", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    # Whoever still waits for an answer must not keep the process.
    block_on_close = False


class _Server6(_Server):
    address_family = AF_INET6


def _server(pages: Pages, *, host: str, port: int) -> ThreadingTCPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_GET(self) -> None:
            make = pages.get(self.path.partition("?")[0])
            page = make() if make else Page(status=404, body=b'{"status": "not found"}')
            self.send_response(page.status)
            self.send_header("Content-Type", page.media_type)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: probes come every few seconds."""

    family = AF_INET6 if ":" in host else AF_INET
    return (_Server6 if family is AF_INET6 else _Server)((host, port), Handler)
