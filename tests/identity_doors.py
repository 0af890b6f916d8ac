"""Every route of every API in process, with one verifier's keys and stores that must not be met."""

import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives import serialization
from fastapi import FastAPI
from moto import mock_aws

from comanda.ids import ShopId
from local.gateway.chalice_app import APPS, gateway_of
from local.gateway.loading import REPOSITORY, load_app
from local.gateway.openapi import declarations_of, describe
from tests.identity_builders import CUSTOMERS, GUESTS, OURS, SHOP, STAFF, Issuers, verifier_of

SHOPS = (ShopId(SHOP), ShopId("cantina-do-beto"))
App = Callable[..., Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Door:
    """One operation of one document."""

    service: str
    method: str
    path: str

    @property
    def name(self) -> str:
        """Give it as the list of public doors has it."""
        return f"{self.method} {self.path}"

    def at(self, shop: str = SHOP, **parameters: str) -> str:
        """Give the path with a shop and with ids that nothing has, unless they are given."""
        filled = self.path.replace("{shop}", shop)
        for name, value in parameters.items():
            filled = filled.replace(f"{{{name}}}", value)
        while "{" in filled:
            before, _, rest = filled.partition("{")
            filled = f"{before}00000000-0000-4000-8000-000000000009{rest.partition('}')[2]}"
        return filled


class Trap:
    """A store that nobody may reach without a good token."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a refused caller reached the store: {name}")


@asynccontextmanager
async def _nothing(_: FastAPI) -> Any:
    yield


def pods() -> dict[str, FastAPI]:
    """Give the API of each context that has one: whoever adds one is met here."""
    from importlib import import_module

    contexts = sorted(path.parent.name for path in (REPOSITORY / "workers").glob("*/api.py"))
    return {
        name: import_module(f"workers.{name}.api").build_app(SHOPS, connect=_nothing)
        for name in contexts
    }


def documents() -> dict[str, dict[str, Any]]:
    """Give the OpenAPI document of each service."""
    found = {name: app.openapi() for name, app in pods().items()}
    for folder in APPS:
        found[folder] = describe(load_app(folder), declarations_of(REPOSITORY / folder))
    return found


def doors() -> list[Door]:
    """Give every operation of every document."""
    return [
        Door(service=service, method=method.upper(), path=path)
        for service, document in documents().items()
        for path, methods in document["paths"].items()
        for method in methods
    ]


class Services:
    """All services, served in this process."""

    def __init__(self, clock: Callable[[], Any]) -> None:
        self._apps: dict[str, Any] = dict(pods())
        for app in self._apps.values():
            app.state.verifier = verifier_of(Issuers(), clock)
            for name in ("reader", "catalog", "payments", "floor", "shelves"):
                setattr(app.state, name, Trap())
        for folder in APPS:
            self._apps[folder] = gateway_of(folder)

    async def ask(
        self, door: Door, path: str, *, headers: Mapping[str, str], body: bytes = b"{}"
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request; an exception of the app is a 500, as a server would make it."""
        sent: list[Any] = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": door.method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [
                (name.lower().encode(), value.encode("latin-1"))
                for name, value in {"content-type": "application/json", **headers}.items()
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        try:
            await self._apps[door.service](scope, receive, send)
        except AssertionError:
            return 500, {}, b""
        return (
            sent[0]["status"],
            {k.decode().lower(): v.decode() for k, v in sent[0]["headers"]},
            b"".join(chunk.get("body", b"") for chunk in sent[1:]),
        )


@contextmanager
def served_keys() -> Iterator[str]:
    """Serve the issuers' keys over HTTP, as Cognito does."""
    known = Issuers().documents

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(known[f"https://{self.path.strip('/').split('/')[0]}/jwks"]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@contextmanager
def lambda_environment() -> Iterator[None]:
    """Lead both Chalice apps to a mocked AWS and to our issuers."""
    with served_keys() as url, mock_aws(), pytest.MonkeyPatch.context() as patch:
        variables = {
            "AWS_DEFAULT_REGION": "sa-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "COMANDA_STAGE": "laptop",
            "COMANDA_SHOPS": ",".join(SHOPS),
            "COMANDA_TOPIC_ARN": "arn:aws:sns:sa-east-1:123456789012:none",
            "COMANDA_CUSTOMERS_TABLE": "none",
            "COMANDA_CUSTOMER_POOL_ID": "sa-east-1_none",
            "COMANDA_STAFF_POOL_ID": "sa-east-1_none",
            "COMANDA_CUSTOMER_CLIENT_ID": "web",
            "COMANDA_STAFF_CLIENT_ID": "desk",
            "COMANDA_CUSTOMER_ISSUER": CUSTOMERS,
            "COMANDA_STAFF_ISSUER": STAFF,
            "COMANDA_GUEST_ISSUER": GUESTS,
            "COMANDA_CUSTOMER_JWKS_URL": f"{url}/{CUSTOMERS.removeprefix('https://')}/jwks",
            "COMANDA_STAFF_JWKS_URL": f"{url}/{STAFF.removeprefix('https://')}/jwks",
            "COMANDA_GUEST_JWKS_URL": "http://127.0.0.1:9/own-keys",
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        _store_secrets()
        yield


def _store_secrets() -> None:
    pem = OURS.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    manager = boto3.client("secretsmanager")
    manager.create_secret(Name="comanda/laptop/cpf-key", SecretString="00" * 32)
    manager.create_secret(
        Name="comanda/laptop/guest-signing-key",
        SecretString=json.dumps({"kid": "k1", "private_key_pem": pem}),
    )
