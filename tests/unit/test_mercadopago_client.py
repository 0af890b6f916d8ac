"""One provider call over real HTTP: retries, deadlines, refusals, budget and what is logged."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from comanda.mercadopago.api import ProviderAPI
from comanda.mercadopago.budget import CallBudget
from comanda.mercadopago.client import Rates, open_apis
from comanda.mercadopago.errors import (
    MercadoPagoRefused,
    MercadoPagoUnauthorized,
    MercadoPagoUnavailable,
    ResourceNotFound,
)
from comanda.mercadopago.retries import TRIES, Fault, Verb
from comanda.mercadopago.values import Flavour
from tests import mercadopago_calls
from tests.mercadopago_calls import NOW, ORDER, Opened
from tests.payments_scripted import Reply, Script

script = mercadopago_calls.script
opened = mercadopago_calls.opened

FAULTS = [
    (Fault.DROPPED, Reply(dropped=True)),
    (Fault.THROTTLED, Reply(status=429)),
    (Fault.BUSY, Reply(status=423)),
    (Fault.BUSY, Reply(status=424)),
    (Fault.BROKEN, Reply(status=500, content={"cause": [], "message": None, "error": None})),
    (Fault.BROKEN, Reply(status=502, raw=b"<html>Bad Gateway</html>")),
    (Fault.BROKEN, Reply(status=503)),
    (Fault.UNREADABLE, Reply(status=200, raw=b"<html>maintenance</html>")),
    (Fault.UNREADABLE, Reply(status=200, raw=b'{"id": "ORD01", "sta')),
    (Fault.UNREADABLE, Reply(status=200, content=[])),
]


def call(verb: Verb, api: ProviderAPI) -> Any:
    if verb is Verb.READ:
        return api.get("ORD01")
    if verb is Verb.SEARCH:
        return api.search(begin=NOW, end=NOW, page=0)
    return api.create(b'{"as":"stored"}', key="key-1")


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize(("fault", "reply"), FAULTS)
def test_each_verb_is_tried_as_often_as_the_matrix_says_for_each_fault(
    script: Script, opened: Opened, *, verb: Verb, fault: Fault, reply: Reply
) -> None:
    script.replies = [reply]

    with pytest.raises(MercadoPagoUnavailable):
        call(verb, opened.orders)

    assert len(script.asked) == TRIES[verb][fault]
    assert len({(asked.path, asked.body) for asked in script.asked}) == 1


def test_a_server_that_is_not_there_is_an_outage() -> None:
    pauses: list[float] = []
    apis = open_apis("http://127.0.0.1:1", "token", sleep=pauses.append)

    with pytest.raises(MercadoPagoUnavailable):
        apis[Flavour.ORDERS].get("ORD01")

    assert len(pauses) == TRIES[Verb.READ][Fault.UNREACHABLE] - 1


def test_a_write_is_repeated_with_its_own_bytes_and_key(script: Script, opened: Opened) -> None:
    script.replies = [Reply(dropped=True), Reply(status=500), Reply(status=201, content=ORDER)]

    order = opened.orders.create(b'{"as":"stored"}', key="key-1")

    assert order.id == "ORD01"
    sent = {(asked.body, asked.headers["x-idempotency-key"]) for asked in script.asked}
    assert sent == {(b'{"as":"stored"}', "key-1")}


@pytest.mark.parametrize(
    ("header", "expected"), [("2", 2.0), ("0", 0.0), ("soon", None), (None, None), ("-5", None)]
)
def test_a_wish_to_wait_is_followed_and_nonsense_is_a_backoff(
    script: Script, opened: Opened, *, header: str | None, expected: float | None
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    script.replies = [Reply(status=429, headers=headers), Reply(content=ORDER)]

    opened.orders.get("ORD01")

    (pause,) = opened.pauses
    assert pause == expected if expected is not None else 0 < pause <= 0.5


def test_a_long_wish_is_capped_at_a_minute_and_left_to_the_caller(
    script: Script, opened: Opened
) -> None:
    script.replies = [Reply(status=429, headers={"Retry-After": "3600"})]

    with pytest.raises(MercadoPagoUnavailable) as caught:
        opened.orders.get("ORD01")

    assert caught.value.retry_after == timedelta(seconds=60)
    assert (len(script.asked), opened.pauses) == (1, [])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"errors": [{"code": "invalid_total_amount", "message": "m"}]}, "invalid_total_amount"),
        ({"cause": [{"code": 3005, "description": "d"}], "message": "m"}, "3005"),
        ({"cause": [], "error": "bad_request"}, "bad_request"),
        ({"cause": [], "error": None, "message": None}, "unknown"),
        ({"errors": ["text"]}, "unknown"),
    ],
)
def test_a_refusal_is_read_from_either_envelope_and_not_repeated(
    script: Script, opened: Opened, *, content: Any, code: str
) -> None:
    script.replies = [Reply(status=400, content=content)]

    with pytest.raises(MercadoPagoRefused) as caught:
        opened.orders.create(b"{}", key="k")

    assert (caught.value.code, caught.value.status) == (code, 400)
    assert (len(script.asked), caught.value.request_id) == (1, "req-1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, MercadoPagoUnauthorized),
        (403, MercadoPagoUnauthorized),
        (404, ResourceNotFound),
        (409, MercadoPagoRefused),
        (422, MercadoPagoRefused),
        (302, MercadoPagoUnavailable),
    ],
)
def test_each_status_has_its_own_meaning(
    script: Script, opened: Opened, *, status: int, kind: type[Exception]
) -> None:
    script.replies = [Reply(status=status)]

    with pytest.raises(kind):
        opened.orders.get("ORD01")

    assert len(script.asked) == 1


def test_every_log_line_of_a_call_names_the_providers_request(
    script: Script, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="comanda.mercadopago")
    script.replies = [Reply(status=500), Reply(content=ORDER), Reply(status=400)]

    opened.orders.get("ORD01")
    with pytest.raises(MercadoPagoRefused):
        opened.orders.get("ORD02")

    lines = [record for record in caplog.records if record.name.startswith("comanda")]
    assert [record.getMessage() for record in lines] == [
        "provider call failed",
        "provider answered",
        "provider refused",
    ]
    assert {record.__dict__["request_id"] for record in lines} == {"req-1"}
    assert "token-1" not in caplog.text


def test_an_account_has_a_budget_and_searches_one_of_their_own(script: Script) -> None:
    opened = Opened(script, Rates(calls=2.0, searches=1.0))
    script.replies = [Reply(content={**ORDER, "data": [], "results": []})]

    for _ in range(6):
        opened.orders.get("ORD01")
    opened.orders.search(begin=NOW, end=NOW, page=0)

    # Four at once, then one every half second; nobody sleeps for real here.
    assert len(opened.pauses) == 2
    assert all(pause <= 1.1 for pause in opened.pauses)


def test_a_spent_budget_is_an_outage_that_says_when_to_come_back(script: Script) -> None:
    opened = Opened(script, Rates(calls=0.1, searches=1.0))
    script.replies = [Reply(content=ORDER)]
    opened.orders.get("ORD01")

    with pytest.raises(MercadoPagoUnavailable) as caught:
        opened.orders.get("ORD01")

    assert caught.value.retry_after is not None
    assert caught.value.retry_after > timedelta(seconds=5)
    assert len(script.asked) == 1


def test_a_budget_fills_up_again_with_time() -> None:
    now = [0.0]
    budget = CallBudget(rate=10.0, burst=2.0, monotonic=lambda: now[0])

    first = [budget.draw(patience=1.0) for _ in range(4)]
    now[0] = 10.0
    later = [budget.draw(patience=1.0) for _ in range(2)]

    assert first == [0.0, 0.0, pytest.approx(0.1), pytest.approx(0.2)]
    assert later == [0.0, 0.0]
    with pytest.raises(ValueError, match="budget"):
        CallBudget(rate=0, burst=1)
