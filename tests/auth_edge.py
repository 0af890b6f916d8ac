"""The auth app in process, with Cognito, SES and DynamoDB in ministack and SNS in moto."""

import json
import os
import re
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
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
from tests.auth_people import Customer, new_customer
from tests.log_watch import forbid

__all__ = ["Customer", "Edge", "aws", "bus", "edge", "environment", "new_customer"]
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
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """Send JSON as a client would."""
        return self.send("POST", path, body, **headers)

    def send(
        self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> Any:
        """Send a request, with a bearer token when one is given."""
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.http.request(
            method,
            f"/apis/auth/{path}",
            headers={"Content-Type": "application/json", **bearer, **headers},
            body=b"" if body is None else json.dumps(body).encode(),
        )

    def from_address(self, address: str) -> "Edge":
        """Give the same app as it is seen from another address on the network."""
        client = Client(self.client._app)
        client.http._local_gateway.event_converter.LOCAL_SOURCE_IP = address
        return replace(self, client=client)

    def code_for(self, email: str, *, mail: int = 1) -> str:
        """Wait for the so-manieth mail to this address, and read its code."""
        deadline = time.monotonic() + 15
        while len(self.mails(email)) < mail:
            assert time.monotonic() < deadline, "no code was mailed"
            time.sleep(0.02)
        text = self.mails(email)[mail - 1]["BodyText"]
        return forbid(re.search(r"\b\d{6}\b", text).group())

    def join(self, shop: str, customer: "Customer", **more: Any) -> dict[str, Any]:
        """Sign somebody up, and in."""
        sent = len(self.mails(customer.email))
        session = self.post(f"{shop}/customers", {**customer.sign_up, **more}).json_body["session"]
        code = self.code_for(customer.email, mail=sent + 1)
        tokens = self.post(f"{shop}/tokens", {"session": session, "code": code})
        assert tokens.status_code == 200, tokens.body
        return tokens.json_body

    def staff_token(self, shop: str, group: str) -> str:
        """Sign in somebody of this group, once: sign-ins are counted."""
        if (shop, group) not in self._tokens:
            self._tokens[shop, group] = self._sign_in_staff(shop, group)
        return self._tokens[shop, group]

    def _sign_in_staff(self, shop: str, group: str) -> str:
        login = next(it for it in self.identity.staff if it.shop == shop and it.groups == (group,))
        body = {"username": login.username, "password": login.password}
        return self.post(f"{shop}/staff/tokens", body).json_body["access_token"]

    def after_a_minute(self) -> None:
        """Age all codes, so that the next may be sent; nobody waits in a test."""
        table = boto3.resource("dynamodb").Table(TABLE)
        for item in table.scan(ConsistentRead=True)["Items"]:
            if item["sk"].startswith("CODE#"):
                table.update_item(
                    Key={"pk": item["pk"], "sk": item["sk"]},
                    UpdateExpression="SET sent_at = :then",
                    ExpressionAttributeValues={":then": 0},
                )

    def until_bound(self, session: str, *, prefix: str = "SESSION") -> None:
        """Wait until the session knows whose code it awaits."""
        key = {"pk": f"{prefix}#{sha256(session.encode()).hexdigest()}", "sk": "SESSION"}
        table = boto3.resource("dynamodb").Table(TABLE)
        deadline = time.monotonic() + 15
        while "code_owner" not in table.get_item(Key=key, ConsistentRead=True)["Item"]:
            assert time.monotonic() < deadline, "the letter was never read"
            time.sleep(0.02)

    def stored(self) -> str:
        """Give the whole table as text."""
        return str(boto3.resource("dynamodb").Table(TABLE).scan(ConsistentRead=True)["Items"])

    def mails(self, email: str) -> list[dict[str, Any]]:
        answer = urllib3.request("GET", f"{self.aws}/_ministack/ses/messages").json()
        messages = [mail for account in answer["messages"].values() for mail in account]
        return [mail for mail in messages if mail["To"] == [email]]

    def announced(self, *, about: "Customer | None" = None) -> list[dict[str, Any]]:
        """Take all events off the queue; give those that hold a customer's e-mail, or all."""
        events = []
        while batch := self.queue.receive_messages(MaxNumberOfMessages=10, WaitTimeSeconds=0):
            for message in batch:
                events.append(json.loads(json.loads(message.body)["Message"]))
                message.delete()
        return [it for it in events if about is None or it["data"].get("email") == about.email]


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
