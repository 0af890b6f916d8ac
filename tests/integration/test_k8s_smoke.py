"""The look from outside finds a door that is shut, and one that stands open."""

import base64
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from k8s.command import app
from k8s.smoke import Doors, walk

SHOP = "lanchonete-da-ana"
Answer = tuple[int, object]


def token(kid: str) -> str:
    header = base64.urlsafe_b64encode(json.dumps({"kid": kid}).encode()).decode().rstrip("=")
    return f"{header}.e30.x"


SOUND: dict[str, Answer] = {
    f"/apis/auth/{SHOP}/guests": (201, {"access_token": token("one")}),
    "/apis/auth/jwks.json": (200, {"keys": [{"kid": "one"}]}),
    f"/apis/catalog/{SHOP}/menu": (200, {"products": [{"id": "x"}]}),
    f"/apis/orders/{SHOP}/orders": (200, {"orders": []}),
    f"/apis/payments/{SHOP}/charges": (401, {}),
    f"/apis/archive/{SHOP}/replays": (401, {}),
    f"/loja/{SHOP}/pedir": (200, "<html></html>"),
    "/metrics": (404, {}),
    f"/webhooks/mercadopago/{SHOP}": (401, {}),
}


class Stage(ThreadingHTTPServer):
    """A stage that answers as it is told; tests change an answer."""

    answers: dict[str, Answer]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Stage

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        status, content = self.server.answers[path]
        if path.endswith("/orders") and "Authorization" not in self.headers and status == 200:
            status = self.server.answers.get("orders without a token", (401, {}))[0]
        raw = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_POST = do_GET  # noqa: N815  # The standard library names methods so.

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def stage() -> Iterator[Stage]:
    server = Stage(("127.0.0.1", 0), _Handler)
    server.answers = dict(SOUND)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def faults(stage: Stage) -> set[str]:
    doors = Doors(pods=stage.url, auth=stage.url, webhooks=stage.url)
    return {seen.what for seen in walk(doors, shop=SHOP) if seen.fault}


def test_a_sound_stage_has_no_fault(stage: Stage) -> None:
    assert faults(stage) == set()


@pytest.mark.parametrize(
    ("path", "answer", "found"),
    [
        (
            "/apis/auth/jwks.json",
            (200, {"keys": [{"kid": "old"}]}),
            "the key of the guest's token is published",
        ),
        (f"/apis/catalog/{SHOP}/menu", (200, {"products": []}), "the menu is there"),
        (f"/apis/catalog/{SHOP}/menu", (404, {}), "the menu is there"),
        ("orders without a token", (200, {}), "orders ask for a token"),
        (f"/apis/payments/{SHOP}/charges", (200, {}), "payments ask for a token"),
        (f"/apis/archive/{SHOP}/replays", (200, {}), "the archive asks for a token"),
        (f"/loja/{SHOP}/pedir", (200, "{}"), "the screens are there"),
        ("/metrics", (200, "comanda_orders 1"), "no metrics are shown outside"),
        (
            f"/webhooks/mercadopago/{SHOP}",
            (200, {}),
            "a notification without a signature is refused",
        ),
    ],
)
def test_a_door_that_answers_wrongly_is_found(
    stage: Stage, path: str, answer: Answer, found: str
) -> None:
    stage.answers[path] = answer

    assert faults(stage) == {found}


def test_a_stage_that_is_not_there_fails_at_every_door(
    unused_tcp_port_factory: Callable[[], int],
) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port_factory()}"
    doors = Doors(pods=url, auth=url, webhooks=url)

    assert all(seen.fault for seen in walk(doors, shop=SHOP, tries=1))


def test_the_command_says_each_look_and_fails_when_one_does(stage: Stage) -> None:
    sound = CliRunner().invoke(app, ["smoke", "--stage", "dev", "--url", stage.url])
    stage.answers["/metrics"] = (200, "")
    broken = CliRunner().invoke(app, ["smoke", "--stage", "dev", "--url", stage.url])

    assert (sound.exit_code, broken.exit_code) == (0, 1)
    assert sound.output.count("ok ") == 10
    assert "FAULT    no metrics are shown outside" in broken.output
