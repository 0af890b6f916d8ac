"""Section 3.2 of Mercado Pago's conformance table: the hostile and the odd."""

import base64
import hmac
import time
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from comanda.events import NotificationQuarantined
from tests import webhooks_edge
from tests.webhooks_edge import (
    GOOD,
    IN,
    PATH,
    PAYMENT,
    REQUEST_ID,
    SECRET,
    TS,
    WRONG_MANIFESTS,
    A,
    Door,
    manifest,
    new_gateway,
    signed,
    v1_of,
)

aws, environment, door = webhooks_edge.aws, webhooks_edge.environment, webhooks_edge.door
FUTURE = str(int(time.time()) + 3600)

REFUSED: dict[str, tuple[int, dict[str, Any]]] = {
    "H04 63 digits": (401, {"headers": signed(A[:-1])}),
    "H05 65 digits": (401, {"headers": signed(A + "0")}),
    "H06 not ASCII": (401, {"headers": signed("é" * 64)}),
    "H07 base64": (401, {"headers": signed(base64.b64encode(bytes.fromhex(A)).decode())}),
    "H08 two v1": (401, {"headers": [("x-signature", f"ts={TS},v1={'0' * 64},v1={A}")]}),
    "H09 two ts": (401, {"headers": [("x-signature", f"ts=1,ts={TS},v1={A}")]}),
    "H10 two signatures": (400, {"headers": [*signed(A), ("x-signature", "ts=1,v1=2")]}),
    "H10 the same signature twice": (400, {"headers": [*signed(A), signed(A)[0]]}),
    "H11 two request ids": (400, {"headers": [*signed(A), ("x-request-id", "other")]}),
    "H12 semicolon": (401, {"headers": [("x-signature", f"ts={TS};v1={A}")]}),
    "H13 only v2": (401, {"headers": [("x-signature", f"ts={TS},v2={A}")]}),
    "H14 no ts": (401, {"headers": [("x-signature", f"v1={A}")]}),
    "H15 negative": (401, {"headers": signed(A, ts="-766455693")}),
    "H16 a fraction": (401, {"headers": signed(A, ts="1766455693.0")}),
    "H17 superscript digits": (401, {"headers": signed(A, ts="176645569²")}),
    "H18 5000 digits": (401, {"headers": signed(A, ts="1" * 5000)}),
    "H19 from 2100": (401, {"headers": signed(v1_of(manifest(ts="4102444800")), ts="4102444800")}),
    "H19 in an hour": (401, {"headers": signed(v1_of(manifest(ts=FUTURE)), ts=FUTURE)}),
    "H22 two ids": (400, {"query": f"{GOOD}&data.id=999999999"}),
    "H23 an empty id, signed with one": (401, {"query": "data.id=&type=payment"}),
    "H24 the id in the body alone": (
        401,
        {"query": "type=payment", "body": b'{"data":{"id":"123456789012"}}'},
    ),
    "H25 manifest injection": (
        400,
        {"query": f"data.id={PAYMENT};request-id:{REQUEST_ID}", "headers": signed(A)[:1]},
    ),
    "H26 a path": (
        400,
        {
            "query": "data.id=../../users/me&type=payment",
            "headers": signed(v1_of(manifest("../../users/me"))),
        },
    ),
    "H27 a NUL": (400, {"query": "data.id=12%003&type=payment"}),
    "H28 not UTF-8": (400, {"query": "data.id=%ff&type=payment"}),
    "H29 a leading plus": (400, {"query": "data.id=+12345678&type=payment"}),
    "H29 a leading space": (400, {"query": "data.id=%2012345678&type=payment"}),
    "H30 22 digits and an exclamation mark": (400, {"query": f"data.id={'1' * 22}!&type=payment"}),
    "H31 body and query differ": (400, {"body": b'{"data":{"id":"999999999"}}'}),
    "H34 request id of 129": (400, {"headers": signed(A, request_id="x" * 129)}),
    "H34 request id with CR and LF": (400, {"headers": signed(A, request_id="a\r\nb")}),
    "H42 70 KB": (413, {"body": b" " * 70_000}),
    "H42 1 MB": (413, {"body": b" " * 1_000_000}),
    "H42 11 MB": (413, {"body": b" " * 11 * 1024 * 1024}),
    "H50 data_id": (401, {"query": f"data_id={PAYMENT}&type=payment"}),
    "H51 GET": (405, {"method": "GET", "query": ""}),
    "H51 GET of a notification": (405, {"method": "GET"}),
    "H55 a trailing slash": (404, {"path": PATH + "/"}),
    "H55 two slashes": (404, {"path": "/webhooks//mercadopago/lanchonete-da-ana"}),
    "H56 a header of 16 KB": (431, {"headers": signed("0" * 16_384)}),
    "H56 another header of 16 KB": (431, {"headers": [*signed(A), ("x-other", "0" * 16_384)]}),
    "a query of 16 KB": (413, {"query": f"{GOOD}&a={'0' * 16_384}"}),
    "a shop that is not served": (404, {"path": "/webhooks/mercadopago/nobody"}),
    "a shop that is no name": (404, {"path": "/webhooks/mercadopago/..%2F"}),
    "no shop": (404, {"path": "/webhooks/mercadopago"}),
    "H35 an empty secret": (500, {"path": "/webhooks/mercadopago/sem-segredo"}),
    "H35 no secret": (500, {"path": "/webhooks/mercadopago/nao-provisionada"}),
    "H35 a secret of another form": (500, {"path": "/webhooks/mercadopago/mal-escrita"}),
    "H36 the empty key where the secret is empty": (
        500,
        {
            "path": "/webhooks/mercadopago/sem-segredo",
            "headers": signed(v1_of(manifest(), secret="")),
        },
    ),
    "OPTIONS": (404, {"method": "OPTIONS"}),
    **{method: (405, {"method": method}) for method in ("PUT", "PATCH", "DELETE")},
}


@pytest.mark.parametrize(("expected", "row"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_odd_is_refused_by_name_and_published_nowhere(
    door: Door, expected: int, row: dict[str, Any]
) -> None:
    answer = await door.send(**row)

    assert answer.status == expected
    assert answer.problem["title"]
    assert answer.problem["detail"]
    assert door.published() == []


async def test_h51_head_is_refused_without_a_body(door: Door) -> None:
    answer = await door.send(method="HEAD")

    assert (answer.status, answer.headers["allow"], answer.body) == (405, "POST", b"")


UNVERIFIED: dict[str, tuple[str, dict[str, Any]]] = {
    "H01 no signature": ("missing_signature", {"headers": [("x-request-id", REQUEST_ID)]}),
    "H02 empty signature": ("missing_signature", {"headers": [("x-signature", "")]}),
    "H02 blank signature": ("missing_signature", {"headers": [("x-signature", " ")]}),
    "H03 one digit flipped": ("mismatch", {"headers": signed("8" + A[1:])}),
    "H20 ts altered": ("mismatch", {"headers": signed(A, ts="1766455694")}),
    "H21 id altered": ("mismatch", {"query": "data.id=123456789013&type=payment"}),
    "H33 request id replaced": ("mismatch", {"headers": signed(A, request_id=str(uuid4()))}),
    "H36 the empty key": ("mismatch", {"headers": signed(v1_of(manifest(), secret=""))}),
    "H37 another application": ("mismatch", {"headers": signed(IN)}),
    "H38 over the body": (
        "mismatch",
        {"body": b"{}", "headers": signed(hmac.new(SECRET.encode(), b"{}", sha256).hexdigest())},
    ),
    **{
        f"H39 {name}": ("mismatch", {"headers": signed(v1)}) for name, v1 in WRONG_MANIFESTS.items()
    },
}


@pytest.mark.parametrize(("reason", "row"), UNVERIFIED.values(), ids=UNVERIFIED.keys())
async def test_what_cannot_be_verified_is_refused_and_quarantined(
    door: Door, reason: str, row: dict[str, Any]
) -> None:
    answer = await door.send(**row)

    (envelope,) = door.published()
    assert answer.status == 401
    assert answer.problem["detail"] == reason
    assert isinstance(envelope.event, NotificationQuarantined)
    assert (envelope.event.verdict, envelope.event.reason) == ("unverified", reason)
    assert envelope.event.request.path == PATH


async def test_a_flood_of_forgeries_is_quarantined_within_a_budget(door: Door) -> None:
    fresh = Door(new_gateway(), door._sqs, door._url)
    began = time.monotonic()

    answers = [await fresh.send(headers=signed("9" * 64)) for _ in range(60)]

    gained = int((time.monotonic() - began) / 3) + 1
    assert {answer.status for answer in answers} == {401}
    assert 20 <= len(door.published()) <= 20 + gained


async def test_a_forgery_that_contradicts_itself_is_not_even_quarantined(door: Door) -> None:
    answer = await door.send(headers=signed("9" * 64), body=b'{"data":{"id":"999999999"}}')

    assert answer.status == 401
    assert door.published() == []
