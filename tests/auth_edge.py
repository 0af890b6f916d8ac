"""The auth app in process, with Cognito, SES and DynamoDB in ministack and SNS in moto."""

import json
import os
import re
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from chalice.test import Client
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.identity.verifier import TokenVerifier
from comanda.ids import ShopId
from comanda.settings import read
from local.gateway.loading import load_app
from local.provision.identity import ProvisionedIdentity, provision_identity

REPOSITORY = Path(__file__).resolve().parents[1]
ANA = ShopId("lanchonete-da-ana")
BETO = ShopId("cantina-do-beto")
STAGE = "laptop"
GUESTS = "https://guests.comanda.test"
TABLE = f"comanda-{STAGE}-customers"


@dataclass(frozen=True, kw_only=True)
class Edge:
    """The app under test with what surrounds it."""

    client: Client
    aws: str
    identity: ProvisionedIdentity
    verifier: TokenVerifier
    queue: Any

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """Send JSON as a client would."""
        return self.client.http.post(
            f"/apis/auth/{path}",
            headers={"Content-Type": "application/json", **headers},
            body=json.dumps(body).encode(),
        )

    def code_for(self, email: str) -> str:
        """Read the last code that was mailed to this address."""
        return re.search(r"\b\d{6}\b", self.mails(email)[-1]["BodyText"]).group()

    def mails(self, email: str) -> list[dict[str, Any]]:
        answer = urllib3.request("GET", f"{self.aws}/_ministack/ses/messages").json()
        messages = [mail for account in answer["messages"].values() for mail in account]
        return [mail for mail in messages if mail["To"] == [email]]

    def announced(self) -> list[dict[str, Any]]:
        """Take all events off the queue."""
        events = []
        while batch := self.queue.receive_messages(MaxNumberOfMessages=10, WaitTimeSeconds=0):
            for message in batch:
                events.append(json.loads(json.loads(message.body)["Message"]))
                message.delete()
        return events


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Somebody new."""

    cpf: str
    email: str

    @property
    def sign_up(self) -> dict[str, str]:
        return {
            "cpf": self.cpf,
            "name": "Maria da Silva",
            "email": self.email,
            "consent_version": "2026-11",
        }


def new_customer() -> Customer:
    return Customer(cpf=_new_cpf(), email=f"{secrets.token_hex(6)}@exemplo.com.br")


def _new_cpf() -> str:
    digits = f"{secrets.randbelow(999_999_998) + 1:09d}"
    for _ in range(2):
        weights = range(len(digits) + 1, 1, -1)
        rest = sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11
        digits += "0" if rest < 2 else str(11 - rest)
    return digits


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = _free_port()
    log = tmp_path_factory.mktemp("ministack") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(REPOSITORY / ".venv-ministack/bin/python"),
                str(REPOSITORY / "local/ministack/serve.py"),
                f"--port={port}",
                f"--data={log.parent}",
            ],
            stdout=output,
            stderr=output,
            # The functions' code is unpacked there, and a killed server does not tidy up.
            env={**os.environ, "TMPDIR": str(log.parent)},
        )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if urllib3.request("GET", f"{url}/_ministack/health", retries=False).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
    raise AssertionError("ministack did not start")


@pytest.fixture(scope="module")
def bus() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", _free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def environment(aws: str, bus: str) -> Iterator[dict[str, str]]:
    variables = {
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "laptop",
        "AWS_SECRET_ACCESS_KEY": "laptop",
        "AWS_ENDPOINT_URL": aws,
        "AWS_ENDPOINT_URL_SNS": bus,
        "AWS_ENDPOINT_URL_SQS": bus,
        "COMANDA_STAGE": STAGE,
        "COMANDA_SHOPS": f"{ANA},{BETO}",
        "COMANDA_CUSTOMERS_TABLE": TABLE,
        "COMANDA_GUEST_ISSUER": GUESTS,
        "COMANDA_GUEST_JWKS_URL": "http://127.0.0.1:9/in-process",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables


@pytest.fixture(scope="module")
def edge(environment: dict[str, str]) -> Iterator[Edge]:
    _make_table()
    _make_secrets()
    topic_arn, queue = _make_topic()
    identity = provision_identity(stage=STAGE, shops=[ANA, BETO], environment=environment)
    variables = {**identity.environment(), "COMANDA_TOPIC_ARN": topic_arn}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        settings = read(IdentitySettings)
        with Client(load_app("auth_lambda")) as client:
            yield Edge(
                client=client,
                aws=environment["AWS_ENDPOINT_URL"],
                identity=identity,
                verifier=verifier_from(settings),
                queue=queue,
            )


def _make_table() -> None:
    boto3.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def _make_secrets() -> None:
    manager = boto3.client("secretsmanager")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    manager.create_secret(Name=f"comanda/{STAGE}/cpf-key", SecretString=secrets.token_hex(32))
    manager.create_secret(
        Name=f"comanda/{STAGE}/guest-signing-key",
        SecretString=json.dumps({"kid": "guest-1", "private_key_pem": pem}),
    )


def _make_topic() -> tuple[str, Any]:
    topic_arn = boto3.client("sns").create_topic(Name="customers")["TopicArn"]
    queue = boto3.resource("sqs").create_queue(QueueName="customers-heard")
    boto3.client("sns").subscribe(
        TopicArn=topic_arn, Protocol="sqs", Endpoint=queue.attributes["QueueArn"]
    )
    return topic_arn, queue
