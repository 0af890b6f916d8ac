"""The receiver as deployed: the Chalice app behind the gateway adapter; SNS and secrets in moto."""

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import boto3
import pytest
import urllib3
from moto.server import ThreadedMotoServer

from comanda.envelope import Envelope
from local.gateway.adapter import ChaliceGateway
from local.gateway.loading import load_app

# The worked vectors of Mercado Pago's rules, all over this secret, request id and instant.
SECRET = "local-sim-secret-0123456789abcdef"
OLD_SECRET = "the-secret-before-the-rotation"
OTHER_SECRET = "other-application-secret"
REQUEST_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PAYMENT = "123456789012"
ORDER = "ORD01JQ4S4KY8HWQ6NA5PXB65B3D3"
TS = "1766455693"
A = "772e62468252c71bff2fd67b1f267c190a72d8cf5477f81e63cc8cdd85ed0ed8"
B = "9b1c0b414e15c478813a373246062ef08de496f673a605bbddd75a98a19d65f9"
C = "1167b47d44080d5e136a490467f6f34e15c3ce09532d6e6453622f3e3387078a"
D = "34c9e8806a831978efe8753a307d2020c3b9e74656384937f79acba495dd5f43"
E = "6606effd8b8a673ee285b9e887986531014f763e11c1206c70a51497ab6dd448"
F = "c655297d5f9c42ff10103583e9dae01b7f5b0eee419adee5dfdd7b9413bffbb4"
G = "6b01de88186aeb41ccc793e8c69218f2bb7350b9cfeac02b66a850fbf5deb5b5"
H = "fef12aadb7e3f2551b18166b522fcea76107af548019fc327bcb7f1df834e26d"
IN = "a900f5664e55d9b62c920aa49c8756387564b3c0c532ce858c8f1794f7e0af3f"
J = "2fcb1438fa73cebfc3b53e3ed3ac90dee3f54a683d4802319aa023d283da89ee"
# Manifests that are wrong in a way that somebody once got wrong.
WRONG_MANIFESTS = {
    "no last semicolon": "476c61ceda83eada22be9da0b28272575b7e6c3b9ebfaaa08325f6671c5c2b95",
    "data.id as the label": "070fe565639a3d2013863c8919c0ea1d9717e1689e461f5706d542e5c90f8646",
    "an empty request id kept": "2eddbcd836c0c05c4a9e0e57ac173cd8dced88cf1fa3a083f48dd72ad0da662b",
    "id:undefined": "889b4fc6f6082383838ed46be6ab4320e1d6e6f67defd8687a7f87c76c7a7042",
    "spaces after semicolons": "8697580c2d7af45a90d8df1bf62d0568729f10624ba73f4cf18da6459c6eddc1",
}
SHOP = "lanchonete-da-ana"
PATH = f"/webhooks/mercadopago/{SHOP}"
GOOD = f"data.id={PAYMENT}&type=payment"
Headers = list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status, headers and a body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        return document


class Door:
    """Send requests to the app in process and read what it published."""

    def __init__(self, gateway: ChaliceGateway, sqs: Any, url: str) -> None:
        self._gateway = gateway
        self._sqs = sqs
        self._url = url

    async def send(
        self,
        query: str = GOOD,
        *,
        headers: Headers | None = None,
        body: bytes = b"",
        path: str = PATH,
        method: str = "POST",
    ) -> Answer:
        chosen = signed(A) if headers is None else headers
        return await ask(self._gateway, query, headers=chosen, body=body, path=path, method=method)

    def again(self) -> "Door":
        """Give the same door with a container of its own, which reads the environment anew."""
        return Door(new_gateway(), self._sqs, self._url)

    def published(self) -> list[Envelope]:
        found: list[Envelope] = []
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                found.append(Envelope.from_json(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return found


async def ask(
    gateway: ChaliceGateway,
    query: str = "",
    *,
    headers: Headers,
    body: bytes = b"",
    path: str,
    method: str,
) -> Answer:
    """Send one request as a server would hand it over, and put the answer together."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode("latin-1"),
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers],
        "client": ("127.0.0.1", 1),
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await gateway(scope, receive, send)
    start, *chunks = sent
    return Answer(
        status=start["status"],
        headers={k.decode(): v.decode() for k, v in start["headers"]},
        body=b"".join(chunk["body"] for chunk in chunks),
    )


def signed(v1: str, *, ts: str = TS, request_id: str | None = REQUEST_ID) -> Headers:
    headers = [("X-Signature", f"ts={ts},v1={v1}")]
    return headers + ([("X-Request-Id", request_id)] if request_id else [])


def v1_of(manifest: str, *, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), manifest.encode(), sha256).hexdigest()


def manifest(data_id: str = PAYMENT, *, ts: str = TS) -> str:
    return f"id:{data_id};request-id:{REQUEST_ID};ts:{ts};"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # moto keeps its state per process, and another module may have left some.
    urllib3.request("POST", f"http://{host}:{port}/moto-api/reset")
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def environment(aws: str) -> Iterator[pytest.MonkeyPatch]:
    variables = {
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "sa-east-1",
        "COMANDA_STAGE": "test",
        "COMANDA_SHOPS": f"{SHOP},sem-segredo,nao-provisionada,mal-escrita",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in variables.items():
            environment.setenv(name, value)
        yield environment


@pytest.fixture(scope="module")
def door(aws: str, environment: pytest.MonkeyPatch) -> Door:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="comanda-test-webhooks-events")["TopicArn"]
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"], Attributes=raw)
    put_secrets(SHOP, {"webhook_secrets": [SECRET, OLD_SECRET]})
    put_secrets("sem-segredo", {"webhook_secrets": [""]})
    put_secrets("mal-escrita", {"webhook_secrets": SECRET})
    environment.setenv("COMANDA_TOPIC_ARN", topic)
    return Door(new_gateway(), sqs, url)


def new_gateway() -> ChaliceGateway:
    """Make a container of its own: nothing is cached, the budget is full."""
    return ChaliceGateway(load_app("webhooks_lambda"), name="webhooks")


def put_secrets(shop: str, account: dict[str, Any]) -> None:
    value = json.dumps({"access_token": "t", "user_id": "1", **account})
    vault, name = boto3.client("secretsmanager"), f"comanda/test/{shop}/mercadopago"
    vault.create_secret(Name=name, SecretString=value)
