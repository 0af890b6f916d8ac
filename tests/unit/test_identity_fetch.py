"""Keys over HTTP: a document, or `KeysUnavailable` for whatever else a server may do."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from comanda.identity.keys import KeysUnavailable, fetch_jwks

ANSWERS = {
    "/good": (200, json.dumps({"keys": []}).encode()),
    "/missing": (404, b"{}"),
    "/not-json": (200, b"<html>"),
    "/not-an-object": (200, b"[]"),
    "/bomb": (200, b"[" * 60_000),
    "/endless": (200, b" " * 70_000 + b"{}"),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_a_document_is_fetched(server: str) -> None:
    assert fetch_jwks(f"{server}/good") == {"keys": []}


@pytest.mark.parametrize("path", [path for path in ANSWERS if path != "/good"])
def test_an_answer_that_is_no_document_is_an_outage(server: str, path: str) -> None:
    with pytest.raises(KeysUnavailable):
        fetch_jwks(f"{server}{path}")


def test_a_server_that_is_not_there_is_an_outage() -> None:
    with pytest.raises(KeysUnavailable):
        fetch_jwks("http://127.0.0.1:9/jwks")
