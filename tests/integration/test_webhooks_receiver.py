"""The receiver as it is deployed: the Chalice app behind the gateway adapter, SNS and secrets real.

Rows are those of Mercado Pago's conformance table: what must be accepted, what must be refused.
"""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from comanda.envelope import Envelope
from comanda.events import NotificationQuarantined, NotificationReceived
from comanda.mercadopago.signature import sign
from local.gateway.adapter import ChaliceGateway
from local.gateway.loading import load_app

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
H = "fef12aadb7e3f2551b18166b522fcea76107af548019fc327bcb7f1df834e26d"
IN = "a900f5664e55d9b62c920aa49c8756387564b3c0c532ce858c8f1794f7e0af3f"
PATH = "/webhooks/mercadopago/lanchonete-da-ana"
GOOD = f"data.id={PAYMENT}&type=payment"


class Door:
    """Send requests to the app in process and read what it published."""

    def __init__(self, gateway: ChaliceGateway, sqs: Any, url: str) -> None:
        self._gateway = gateway
        self._sqs = sqs
        self._url = url

    async def post(
        self,
        query: str = GOOD,
        *,
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        path: str = PATH,
        method: str = "POST",
    ) -> int:
        chosen = signed(A) if headers is None else headers
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode("latin-1"),
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in chosen],
            "client": ("127.0.0.1", 1),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._gateway(scope, receive, send)
        return int(sent[0]["status"])

    def published(self) -> list[Envelope]:
        found: list[Envelope] = []
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                found.append(Envelope.from_json(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return found


def signed(v1: str, *, ts: str = TS, request_id: str | None = REQUEST_ID) -> list[tuple[str, str]]:
    headers = [("X-Signature", f"ts={ts},v1={v1}")]
    return headers + ([("X-Request-Id", request_id)] if request_id else [])


def v1_of(manifest: str, *, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), manifest.encode(), sha256).hexdigest()


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def door(aws: str) -> Iterator[Door]:
    arguments = {
        "endpoint_url": aws,
        "region_name": "sa-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    sns, sqs = boto3.client("sns", **arguments), boto3.client("sqs", **arguments)
    topic = sns.create_topic(Name="comanda-test-webhooks-events")["TopicArn"]
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"], Attributes=raw)
    vault = boto3.client("secretsmanager", **arguments)
    for shop, secrets in (("lanchonete-da-ana", [SECRET, OLD_SECRET]), ("sem-segredo", [""])):
        value = json.dumps({"access_token": "t", "user_id": "1", "webhook_secrets": secrets})
        vault.create_secret(Name=f"comanda/test/{shop}/mercadopago", SecretString=value)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", aws)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", "sa-east-1")
        environment.setenv("COMANDA_STAGE", "test")
        environment.setenv("COMANDA_SHOPS", "lanchonete-da-ana,sem-segredo,nao-provisionada")
        environment.setenv("COMANDA_TOPIC_ARN", topic)
        yield Door(ChaliceGateway(load_app("webhooks_lambda"), name="webhooks"), sqs, url)


ACCEPTED: dict[str, dict[str, Any]] = {
    "1 vector A": {},
    "2 milliseconds": {"headers": signed(B, ts="1766455693000")},
    "3 order id signed lower-cased": {
        "query": f"data.id={ORDER}&type=order",
        "headers": signed(C, ts="1742505638683"),
    },
    "4 order id signed verbatim": {
        "query": f"data.id={ORDER}&type=order",
        "headers": signed(D, ts="1742505638683"),
    },
    "5 further parameters": {
        "query": f"source_news=webhooks&cliente=x&data.external_reference=r&{GOOD}"
    },
    "6 no request id": {"headers": signed(E, request_id=None)},
    "9 the secret before the rotation": {
        "headers": signed(
            v1_of(f"id:{PAYMENT};request-id:{REQUEST_ID};ts:{TS};", secret=OLD_SECRET)
        )
    },
    "10 upper-case hex": {"headers": signed(A.upper())},
    "11 other order and spaces": {
        "headers": [("x-signature", f" v1={A} , ts={TS} "), ("x-request-id", REQUEST_ID)]
    },
    "12 a further component": {
        "headers": [("x-signature", f"ts={TS},v1={A},v2=zz"), ("x-request-id", REQUEST_ID)]
    },
    "16 broken JSON": {"body": b"{broken"},
    "17 a number in the body": {"body": json.dumps({"data": {"id": int(PAYMENT)}}).encode()},
    "18 a body that is not text": {"body": b"\x1f\x8b\xff\xfe"},
    "H32 a claim in the body": {"body": b'{"data":{"status":"approved"}}'},
    "H45 nested brackets": {"body": b"[" * 60_000},
    "H46 a number of 5000 digits": {"body": b'{"data":{"id":' + b"9" * 5000 + b"}}"},
    "H47 true as an id": {"body": b'{"data":{"id":true}}'},
    "H52 plain text": {"headers": [*signed(A), ("content-type", "text/plain")]},
}


@pytest.mark.parametrize("row", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_an_authentic_notification_is_published_once(door: Door, row: dict[str, Any]) -> None:
    status = await door.post(**row)

    (envelope,) = door.published()
    assert status == 200
    assert isinstance(envelope.event, NotificationReceived)
    assert envelope.event.resource_id in (PAYMENT, ORDER)
    assert envelope.event.shop_id == "lanchonete-da-ana"


IGNORED: dict[str, dict[str, Any]] = {
    "7 no id": {"query": "type=payment", "headers": signed(F)},
    "H40 IPN": {"query": f"id={PAYMENT}&topic=payment", "headers": signed("0" * 64)},
    "H41 IPN without a signature": {"query": f"id={PAYMENT}&topic=payment", "headers": []},
    "H43 unknown topic": {"query": f"data.id={PAYMENT}&type=mp-connect"},
    "H44 a topic that is a list": {"query": f"data.id={PAYMENT}", "body": b'{"type":[1]}'},
}


@pytest.mark.parametrize("row", IGNORED.values(), ids=IGNORED.keys())
async def test_what_is_not_ours_to_act_on_is_answered_and_forgotten(
    door: Door, row: dict[str, Any]
) -> None:
    status = await door.post(**row)

    assert status == 200
    assert door.published() == []


REFUSED: dict[str, tuple[int, dict[str, Any]]] = {
    "H01 no signature": (401, {"headers": [("x-request-id", REQUEST_ID)]}),
    "H02 blank signature": (401, {"headers": [("x-signature", " ")]}),
    "H04 63 digits": (401, {"headers": signed(A[:-1])}),
    "H05 65 digits": (401, {"headers": signed(A + "0")}),
    "H06 not ASCII": (401, {"headers": signed("é" * 64)}),
    "H07 base64": (401, {"headers": signed(base64.b64encode(bytes.fromhex(A)).decode())}),
    "H08 two v1": (401, {"headers": [("x-signature", f"ts={TS},v1={'0' * 64},v1={A}")]}),
    "H09 two ts": (401, {"headers": [("x-signature", f"ts=1,ts={TS},v1={A}")]}),
    "H10 two signatures": (400, {"headers": [*signed(A), ("x-signature", "ts=1,v1=2")]}),
    "H11 two request ids": (400, {"headers": [*signed(A), ("x-request-id", "other")]}),
    "H12 semicolon": (401, {"headers": [("x-signature", f"ts={TS};v1={A}")]}),
    "H13 only v2": (401, {"headers": [("x-signature", f"ts={TS},v2={A}")]}),
    "H14 no ts": (401, {"headers": [("x-signature", f"v1={A}")]}),
    "H15 negative": (401, {"headers": signed(A, ts="-766455693")}),
    "H16 a fraction": (401, {"headers": signed(A, ts="1766455693.0")}),
    "H17 superscript digits": (401, {"headers": signed(A, ts="176645569²")}),
    "H18 5000 digits": (401, {"headers": signed(A, ts="1" * 5000)}),
    "H22 two ids": (400, {"query": f"{GOOD}&data.id=999999999"}),
    "H25 manifest injection": (
        400,
        {"query": f"data.id={PAYMENT};request-id:{REQUEST_ID}", "headers": signed(A)[:1]},
    ),
    "H26 a path": (400, {"query": "data.id=../../users/me&type=payment"}),
    "H27 a NUL": (400, {"query": "data.id=12%003&type=payment"}),
    "H28 not UTF-8": (400, {"query": "data.id=%ff&type=payment"}),
    "H29 a leading plus": (400, {"query": "data.id=+12345678&type=payment"}),
    "H31 body and query differ": (400, {"body": b'{"data":{"id":"999999999"}}'}),
    "H34 request id of 129": (400, {"headers": signed(A, request_id="x" * 129)}),
    "H42 70 KB": (413, {"body": b" " * 70_000}),
    "H56 a header of 16 KB": (413, {"headers": signed("0" * 16_384)}),
    "unknown shop": (404, {"path": "/webhooks/mercadopago/nobody"}),
    "a shop that is no name": (404, {"path": "/webhooks/mercadopago/..%2F"}),
    "a shop without a secret": (404, {"path": "/webhooks/mercadopago/nao-provisionada"}),
    "H35 an empty secret": (500, {"path": "/webhooks/mercadopago/sem-segredo"}),
    "H36 the empty key": (
        500,
        {
            "path": "/webhooks/mercadopago/sem-segredo",
            "headers": signed(v1_of(f"id:{PAYMENT};request-id:{REQUEST_ID};ts:{TS};", secret="")),
        },
    ),
    "H51 GET": (403, {"method": "GET"}),
    "H55 a trailing slash": (403, {"path": PATH + "/"}),
    "H55 two slashes": (403, {"path": "/webhooks//mercadopago/lanchonete-da-ana"}),
}


@pytest.mark.parametrize(("expected", "row"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_odd_is_refused_and_published_nowhere(
    door: Door, expected: int, row: dict[str, Any]
) -> None:
    status = await door.post(**row)

    assert status == expected
    assert door.published() == []


UNVERIFIED: dict[str, dict[str, Any]] = {
    "H03 one digit flipped": {"headers": signed("8" + A[1:])},
    "H20 ts altered": {"headers": signed(A, ts="1766455694")},
    "H21 id altered": {"query": "data.id=123456789013&type=payment"},
    "H33 request id replaced": {"headers": signed(A, request_id=str(uuid4()))},
    "H37 another application": {"headers": signed(IN)},
    "H39 no last semicolon": {
        "headers": signed("476c61ceda83eada22be9da0b28272575b7e6c3b9ebfaaa08325f6671c5c2b95")
    },
}


@pytest.mark.parametrize("row", UNVERIFIED.values(), ids=UNVERIFIED.keys())
async def test_what_cannot_be_verified_is_refused_and_quarantined(
    door: Door, row: dict[str, Any]
) -> None:
    status = await door.post(**row)

    (envelope,) = door.published()
    assert status == 401
    assert isinstance(envelope.event, NotificationQuarantined)
    assert envelope.event.reason == "mismatch"


async def test_a_notification_from_the_future_is_refused(door: Door) -> None:
    ts = str(int(time.time()) + 3600)
    header = sign(secret=SECRET, data_id=PAYMENT, request_id=REQUEST_ID, ts=ts)

    status = await door.post(headers=[("x-signature", header), ("x-request-id", REQUEST_ID)])

    assert status == 401
    assert door.published() == []


async def test_the_simulator_of_the_panel_is_published_for_payments_to_drop(door: Door) -> None:
    status = await door.post("data.id=123456&type=payment", headers=signed(H))

    (envelope,) = door.published()
    assert status == 200
    assert envelope.event.subject == "123456"


async def test_the_raw_request_travels_inside_the_event(door: Door) -> None:
    await door.post(body=b'{"action":"payment.updated"}')

    (envelope,) = door.published()
    assert isinstance(envelope.event, NotificationReceived)
    request = envelope.event.request
    assert dict(request.headers)["x-request-id"] == REQUEST_ID
    assert dict(request.query)["data.id"] == PAYMENT
    assert request.body == '{"action":"payment.updated"}'


async def test_a_flood_of_forgeries_is_quarantined_within_a_budget(door: Door) -> None:
    for _ in range(60):
        assert await door.post(headers=signed("9" * 64)) == 401

    assert len(door.published()) <= 25
