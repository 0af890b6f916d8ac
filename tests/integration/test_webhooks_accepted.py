"""Section 3.1 of Mercado Pago's conformance table, and what else must be answered with 200."""

import json
import time
from typing import Any

import pytest

from comanda.events import NotificationReceived
from comanda.mercadopago.signature import sign
from comanda.traceparent import parse
from tests import webhooks_edge
from tests.webhooks_edge import (
    GOOD,
    OLD_SECRET,
    ORDER,
    PAYMENT,
    REQUEST_ID,
    SECRET,
    SHOP,
    TS,
    A,
    B,
    C,
    D,
    Door,
    E,
    F,
    G,
    H,
    manifest,
    signed,
    v1_of,
)

aws, environment, door = webhooks_edge.aws, webhooks_edge.environment, webhooks_edge.door

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PUBLISHED: dict[str, dict[str, Any]] = {
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
    "6 an empty request id": {"headers": [*signed(E, request_id=None), ("x-request-id", " ")]},
    "9 the secret before the rotation": {"headers": signed(v1_of(manifest(), secret=OLD_SECRET))},
    "10 upper-case hex": {"headers": signed(A.upper())},
    "11 other order and spaces": {
        "headers": [("x-signature", f" v1={A} , ts={TS} "), ("x-request-id", REQUEST_ID)]
    },
    "12 a further component": {
        "headers": [("x-signature", f"ts={TS},v1={A},v2=zz"), ("x-request-id", REQUEST_ID)]
    },
    "13 other case of names": {
        "headers": [("X-SIGNATURE", f"ts={TS},v1={A}"), ("x-REQUEST-id", REQUEST_ID)]
    },
    "14 a ts of last year": {"headers": signed(v1_of(manifest(ts="1734919693")), ts="1734919693")},
    "15 an empty body": {"body": b""},
    "16 broken JSON": {"body": b"{broken"},
    "17 a number in the body": {"body": json.dumps({"data": {"id": int(PAYMENT)}}).encode()},
    "18 a body that is not text": {
        "headers": [*signed(A), ("content-type", "application/json; charset=utf-8")],
        "body": b"\x1f\x8b\xff\xfe",
    },
    "H32 a claim in the body": {"body": b'{"data":{"status":"approved"}}'},
    "H45 nested brackets": {"body": b"[" * 60_000},
    "H46 a number of 5000 digits": {"body": b'{"data":{"id":' + b"9" * 5000 + b"}}"},
    "H46 1e400": {"body": b'{"data":{"id":1e400}}'},
    "H46 NaN": {"body": b'{"data":{"id":NaN}}'},
    "H47 true as an id": {"body": b'{"data":{"id":true}}'},
    "H48 an order's topic with a payment's id": {"query": f"data.id={PAYMENT}&type=order"},
    "H52 plain text": {"headers": [*signed(A), ("content-type", "text/plain")]},
    "H52 a form": {"headers": [*signed(A), ("content-type", "application/x-www-form-urlencoded")]},
    "H54 another address": {"headers": [*signed(A), ("x-forwarded-for", "10.0.0.1, 127.0.0.1")]},
    "the topic in the body alone": {"query": f"data.id={PAYMENT}", "body": b'{"type":"payment"}'},
    "other keys twice": {"query": f"{GOOD}&cliente=a&cliente=b"},
    "64 KiB of NULs": {"body": b"\0" * 65_536},
    "64 KiB of quotes": {"body": b'"' * 65_536},
    "half a surrogate pair and a noncharacter": {"body": b'"\xed\xa0\x80 \xef\xbf\xbf"'},
}


@pytest.mark.parametrize("row", PUBLISHED.values(), ids=PUBLISHED.keys())
async def test_an_authentic_notification_is_published_once(door: Door, row: dict[str, Any]) -> None:
    answer = await door.send(**row)

    (envelope,) = door.published()
    assert (answer.status, answer.body) == (200, b"")
    assert isinstance(envelope.event, NotificationReceived)
    # Orders keep the case of the URL, whichever case was signed.
    assert envelope.event.resource_id in (PAYMENT, ORDER)
    assert envelope.event.shop_id == SHOP
    assert envelope.event.verdict == "verified"


async def test_a_trace_of_the_callers_goes_on_and_is_begun_only_where_some_are_recorded(
    door: Door, environment: pytest.MonkeyPatch
) -> None:
    await door.send()
    await door.send(headers=[*signed(A), ("traceparent", CALLER)])
    await door.send(headers=[*signed(A), ("Traceparent", "nonsense"), ("traceparent", "twice")])
    told = [envelope.traceparent for envelope in door.published()]
    with environment.context() as here:
        here.setenv("COMANDA_TRACES_RATIO", "1")
        fresh = door.again()
        await fresh.send(headers=[*signed(A), ("traceparent", "nonsense")])
    (begun,) = (parse(envelope.traceparent) for envelope in door.published())

    assert sorted(told, key=str) == [CALLER, None, None]
    assert begun is not None
    assert (begun.is_sampled, begun.is_untold) == (True, True)


NOT_OURS: dict[str, dict[str, Any]] = {
    "7 no id": {"query": "type=payment", "headers": signed(F)},
    "7 no id, no request id": {"query": "type=payment", "headers": signed(G, request_id=None)},
    "7 an empty id": {"query": "data.id=&type=payment", "headers": signed(F)},
    "H40 IPN": {"query": f"id={PAYMENT}&topic=payment", "headers": signed("0" * 64)},
    "H41 IPN without a signature": {"query": f"id={PAYMENT}&topic=payment", "headers": []},
    "H43 unknown topic": {"query": f"data.id={PAYMENT}&type=mp-connect"},
    "H44 a topic that is a list": {"query": f"data.id={PAYMENT}", "body": b'{"type":[1]}'},
    "H44 a topic that is an object": {"query": f"data.id={PAYMENT}", "body": b'{"type":{"a":1}}'},
    "H51 the IPN panel's test": {
        "query": f"id={PAYMENT}&topic=payment",
        "headers": [],
        "method": "GET",
    },
    "a topic of 5000 characters": {"query": f"data.id={PAYMENT}&type={'a' * 5000}"},
}


@pytest.mark.parametrize("row", NOT_OURS.values(), ids=NOT_OURS.keys())
async def test_what_is_not_ours_to_act_on_is_answered_and_forgotten(
    door: Door, row: dict[str, Any]
) -> None:
    answer = await door.send(**row)

    assert answer.status == 200
    assert door.published() == []


async def test_8_the_simulator_of_the_panel_is_published_for_payments_to_drop(door: Door) -> None:
    body = b'{"type":"test","action":"test.created","data":{"id":"123456"}}'

    answer = await door.send("data.id=123456&type=payment", headers=signed(H), body=body)

    (envelope,) = door.published()
    assert answer.status == 200
    assert envelope.event.subject == "123456"


async def test_19_a_repeated_notification_is_accepted_each_time(door: Door) -> None:
    answers = [await door.send() for _ in range(2)]

    first, second = door.published()
    assert [answer.status for answer in answers] == [200, 200]
    # They differ by their event ids alone; payments fetches once.
    assert first.event.subject == second.event.subject == PAYMENT


async def test_h53_many_notifications_at_once_are_all_accepted(door: Door) -> None:
    ts = str(int(time.time()))
    ids = [str(700_000_000 + number) for number in range(200)]
    headers = [
        sign(secret=SECRET, data_id=data_id, request_id=REQUEST_ID, ts=ts) for data_id in ids
    ]

    statuses = [
        (
            await door.send(
                f"data.id={data_id}&type=payment",
                headers=[("x-signature", header), ("x-request-id", REQUEST_ID)],
            )
        ).status
        for data_id, header in zip(ids, headers, strict=True)
    ]

    assert statuses == [200] * 200
    assert {envelope.event.subject for envelope in door.published()} == set(ids)


ALERTS = {
    "a fraud alert": {"type": "stop_delivery_op_wh", "data": {"payment_id": int(PAYMENT)}},
    "a chargeback": {"type": "topic_chargebacks_wh", "data": {"payment_id": PAYMENT, "id": 2**60}},
    "a claim": {"type": "topic_claims_integration_wh", "data": {"id": PAYMENT}},
}


@pytest.mark.parametrize("body", ALERTS.values(), ids=ALERTS.keys())
async def test_an_alert_names_its_payment_in_the_body_and_is_not_lost(
    door: Door, body: dict[str, Any]
) -> None:
    answer = await door.send("", headers=signed(F), body=json.dumps(body).encode())

    (envelope,) = door.published()
    assert answer.status == 200
    assert isinstance(envelope.event, NotificationReceived)
    assert (envelope.event.topic, envelope.event.subject) == (body["type"], PAYMENT)


async def test_the_raw_request_and_the_verdict_travel_inside_the_event(door: Door) -> None:
    await door.send(body=b'{"action":"payment.updated"}')

    (envelope,) = door.published()
    assert isinstance(envelope.event, NotificationReceived)
    request = envelope.event.request
    assert dict(request.headers) == {
        "x-request-id": REQUEST_ID,
        "x-signature": f"ts={TS},v1={A}",
    }
    assert dict(request.query) == {"data.id": PAYMENT, "type": "payment"}
    assert request.body == '{"action":"payment.updated"}'
    assert (envelope.event.verdict, envelope.event.reason) == ("verified", "secret 0")
