"""Bad input and outages at the doors of the auth app: a problem document each, and no effect."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from chalice.test import Client
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from moto import mock_aws

from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.identity.verifier import Kind
from local.gateway.loading import load_app

ANA = "lanchonete-da-ana"
JSON = {"Content-Type": "application/json"}
MARIA = {
    "cpf": "123.456.789-09",
    "name": "Maria da Silva",
    "email": "maria@exemplo.com.br",
    "consent_version": "2026-11",
}
# Nobody listens on the discard port, so a call to this address fails at once.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    variables = {
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "COMANDA_STAGE": "laptop",
        "COMANDA_SHOPS": f"{ANA},cantina-do-beto",
        "COMANDA_TOPIC_ARN": "arn:aws:sns:sa-east-1:000000000000:customers",
        "COMANDA_CUSTOMERS_TABLE": "comanda-laptop-customers",
        "COMANDA_CUSTOMER_POOL_ID": "sa-east-1_customers",
        "COMANDA_CUSTOMER_CLIENT_ID": "web",
        "COMANDA_STAFF_POOL_ID": "sa-east-1_staff",
        "COMANDA_STAFF_CLIENT_ID": "desk",
        "COMANDA_GUEST_ISSUER": "https://guests.test",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with Client(load_app("auth_lambda")) as client:
        yield client


@pytest.fixture
def down(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    return client


@pytest.fixture
def with_keys(client: Client) -> Iterator[Client]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    with mock_aws():
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        boto3.client("dynamodb").create_table(
            TableName="comanda-laptop-customers",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        boto3.client("secretsmanager").create_secret(
            Name="comanda/laptop/cpf-key", SecretString="00" * 32
        )
        boto3.client("secretsmanager").create_secret(
            Name="comanda/laptop/guest-signing-key",
            SecretString=json.dumps({"kid": "guest-1", "private_key_pem": text}),
        )
        yield client


def post(client: Client, path: str, body: Any, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.http.post(f"/apis/auth/{path}", headers={**JSON, **headers}, body=raw)


def test_a_guest_gets_a_token_that_the_published_key_verifies(with_keys: Client) -> None:
    answer = post(with_keys, f"{ANA}/guests", {"kiosk": "k1"})
    keys = with_keys.http.get("/apis/auth/jwks.json").json_body

    settings = IdentitySettings(
        customer_issuer="c",
        customer_jwks_url="c",
        customer_client_id="c",
        staff_issuer="s",
        staff_jwks_url="s",
        staff_client_id="s",
        guest_issuer="https://guests.test",
        guest_jwks_url="g",
    )
    identity = verifier_from(settings, fetch=lambda _: keys).verify(
        answer.json_body["access_token"]
    )
    assert answer.status_code == 201
    assert (answer.json_body["token_type"], answer.json_body["expires_in"]) == ("Bearer", 7200)
    assert (identity.kind, identity.shop_id) == (Kind.GUEST, ANA)


@pytest.mark.parametrize("shop", ["unknown-shop", "X", "lanchonete-da-ana%20"])
def test_a_shop_that_is_not_served_is_not_found(client: Client, shop: str) -> None:
    answer = post(client, f"{shop}/guests", {"kiosk": "k1"})

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"[" * 5_000, {}, 400),
        (b" " * 9_000, {}, 413),
        (b"[]", {}, 422),
        (b"null", {}, 422),
        (b'{"kiosk": 7}', {}, 422),
        (b'{"kiosk": ""}', {}, 422),
        (b'{"kiosk": "K 1"}', {}, 422),
        (b"{}", {}, 422),
        (b'{"kiosk": "k1"}', {"Content-Type": "text/plain"}, 415),
        (b'{"kiosk": "k1"}', {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(
    client: Client, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = post(client, f"{ANA}/guests", body, **headers)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json_body["status"] == status


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("customers", {}, ["cpf", "name", "email", "consent_version"]),
        ("customers", MARIA | {"cpf": "111.111.111-11"}, ["cpf"]),
        ("customers", MARIA | {"cpf": 12345678909}, ["cpf"]),
        ("customers", MARIA | {"cpf": "123.456.789-00"}, ["cpf"]),
        ("customers", MARIA | {"email": "maria@exemplo"}, ["email"]),
        ("customers", MARIA | {"email": "a@b.co\r\nBcc: x@y.co"}, ["email"]),
        ("customers", MARIA | {"email": f"{'x' * 300}@b.co"}, ["email"]),
        ("customers", MARIA | {"name": " "}, ["name"]),
        ("customers", MARIA | {"name": "a\u0000b"}, ["name"]),
        ("customers", MARIA | {"name": "\ud800"}, ["name"]),
        ("customers", MARIA | {"name": "x" * 121}, ["name"]),
        ("customers", MARIA | {"consent_version": "!"}, ["consent_version"]),
        ("challenges", {}, ["cpf"]),
        ("challenges", {"cpf": MARIA["cpf"], "email": MARIA["email"]}, ["cpf"]),
        ("challenges", {"cpf": "1"}, ["cpf"]),
        ("challenges", {"email": None}, ["email"]),
        ("tokens", {"session": "x"}, ["code"]),
        ("tokens", {"session": "", "code": "12345"}, ["session", "code"]),
        ("tokens", {"session": "\udfff", "code": "１２３４５６"}, ["session", "code"]),
        ("staff/tokens", {"username": "u"}, ["password"]),
        ("staff/tokens", {"username": "u" * 129, "password": "p" * 257}, ["username", "password"]),
        ("staff/password-codes", {"username": "\ud800"}, ["username"]),
        ("staff/password-codes", {"username": ["u"]}, ["username"]),
        (
            "staff/passwords",
            {"session": "x" * 129, "code": "12345a", "new_password": "semmaiuscula1"},
            ["session", "code", "new_password"],
        ),
        ("staff/passwords", {}, ["session", "code", "new_password"]),
    ],
)
def test_faulty_fields_are_all_named_and_never_repeated(
    client: Client, path: str, body: dict[str, Any], fields: list[str]
) -> None:
    answer = post(client, f"{ANA}/{path}", body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json_body["errors"]] == fields
    assert "111.111.111-11" not in answer.body.decode()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("guests", {"kiosk": "k1"}),
        ("customers", MARIA),
        ("challenges", {"cpf": MARIA["cpf"]}),
        ("tokens", {"session": "x", "code": "123456"}),
        ("staff/tokens", {"username": "u", "password": "p"}),
        ("staff/password-codes", {"username": "u"}),
        ("staff/passwords", {"session": "x", "code": "123456", "new_password": "Uma-Senha-1x"}),
    ],
)
def test_a_dependency_that_is_down_asks_to_come_back(
    down: Client, path: str, body: dict[str, Any]
) -> None:
    answer = post(down, f"{ANA}/{path}", body)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json_body["title"] == "Service unavailable"


def test_logs_hold_nobodys_data(down: Client, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("auth_lambda")
    logger.addHandler(caplog.handler)

    post(down, f"{ANA}/customers", MARIA)
    logger.removeHandler(caplog.handler)

    written = " ".join(str(record.__dict__) for record in caplog.records)
    assert "dependency down" in written
    assert all(word not in written for word in ("123.456", "12345678909", "maria@", "Silva"))
