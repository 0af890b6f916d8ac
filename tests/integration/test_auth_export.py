"""All that is held about a customer, across contexts, in one document, or none at all."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from chalice.test import Client

from local.gateway.loading import load_app
from tests import auth_edge
from tests.auth_edge import ANA, Edge, new_customer

aws, bus, environment, edge = (
    auth_edge.aws,
    auth_edge.bus,
    auth_edge.environment,
    auth_edge.edge,
)
PAGES = {"": (["o1", "o2"], "after-o2"), "after-o2": (["o3"], None)}


class OrdersApi:
    """Pages of orders over HTTP, for whoever has the token that is expected."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.is_down = False
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.seen.append(self.headers["Authorization"])
                cursor = parse_qs(urlsplit(self.path).query).get("cursor", [""])[0]
                ids, following = PAGES[cursor]
                page = {"orders": [{"id": it} for it in ids], "cursor": following}
                body = json.dumps(page).encode()
                self.send_response(503 if api.is_down else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def orders() -> Iterator[OrdersApi]:
    api = OrdersApi()
    yield api
    api.server.shutdown()
    api.server.server_close()


@pytest.fixture
def exporting(edge: Edge, orders: OrdersApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    monkeypatch.setenv("COMANDA_ORDERS_URL", orders.url)
    with Client(load_app("auth_lambda")) as client:
        yield replace(edge, client=client)


def test_an_export_holds_identity_consent_orders_and_payer(
    exporting: Edge, orders: OrdersApi
) -> None:
    maria = new_customer()
    token = exporting.join(ANA, maria, birth_date="1990-12-31")["access_token"]

    document = exporting.send("GET", f"{ANA}/me/export", token=token).json_body

    assert document["identity"]["email"] == maria.email
    assert document["identity"]["birth_date"] == "1990-12-31"
    assert document["identity"]["consent"]["version"] == "2026-11"
    assert document["keyed_names"]["held_for"] == ["email", "cpf"]
    assert [order["id"] for order in document["orders"]] == ["o1", "o2", "o3"]
    assert document["payments"]["payer_email"] == maria.email
    assert set(orders.seen) == {f"Bearer {token}"}


def test_an_export_that_would_be_half_is_none(exporting: Edge, orders: OrdersApi) -> None:
    token = exporting.join(ANA, new_customer())["access_token"]
    orders.is_down = True

    answer = exporting.send("GET", f"{ANA}/me/export", token=token)

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
