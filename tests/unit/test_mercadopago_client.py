"""One provider call over real HTTP: retries, deadlines, refusals, budget and what is logged."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
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
from comanda.mercadopago.values import Flavour, RefundState, Standing
from tests.payments_scripted import Reply, Script, scripted_server

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ORDER = {
    "id": "ORD01",
    "external_reference": "charge-1",
    "user_id": "42",
    "status": "action_required",
    "status_detail": "waiting_transfer",
    "total_amount": "58.80",
    "last_updated_date": "2026-03-04T12:00:00.000Z",
    "transactions": {
        "payments": [
            {
                "id": "PAY01",
                "reference_id": "123",
                "paid_amount": "0.00",
                "payment_method": {"id": "pix", "qr_code": "000201"},
            }
        ]
    },
}
PAYMENT = {
    "id": 123456789012,
    "external_reference": "charge-1",
    "collector_id": 42,
    "currency_id": "BRL",
    "status": "approved",
    "status_detail": "accredited",
    "transaction_amount": 58.8,
    "date_last_updated": "2026-03-04T08:00:00.000-04:00",
    "payment_method_id": "pix",
    "transaction_details": {"total_paid_amount": 58.8},
    "fee_details": [{"amount": 0.58}],
    "point_of_interaction": {"transaction_data": {"qr_code": "000201"}},
    "order": {"id": "ORD01"},
}


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


class Opened:
    """Both APIs, and how long they slept between tries."""

    def __init__(self, script: Script, rates: Rates | None = None) -> None:
        self.pauses: list[float] = []
        apis = open_apis(script.url, "token-1", rates=rates, sleep=self.pauses.append)
        self.orders: ProviderAPI = apis[Flavour.ORDERS]
        self.payments: ProviderAPI = apis[Flavour.PAYMENTS]


@pytest.fixture
def opened(script: Script) -> Opened:
    return Opened(script)


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


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("58.80", Decimal("58.80")),
        (58.8, Decimal("58.8")),
        (58, Decimal(58)),
        ("5.88E+1", Decimal("58.8")),
        ("much", None),
        ("NaN", None),
        (True, None),
        (None, None),
    ],
)
def test_amounts_are_read_exactly_or_not_at_all(
    script: Script, opened: Opened, *, amount: Any, expected: Decimal | None
) -> None:
    script.replies = [Reply(content={**ORDER, "total_amount": amount})]

    assert opened.orders.get("ORD01").total_amount == expected


def test_a_payment_is_read_into_the_same_words_as_an_order(script: Script, opened: Opened) -> None:
    script.replies = [Reply(content=PAYMENT)]

    payment = opened.payments.get("123456789012")

    assert (payment.id, payment.user_id, payment.order_id) == ("123456789012", "42", "ORD01")
    assert (payment.standing, payment.paid_amount) == (Standing.PAID, Decimal("58.8"))
    assert (payment.fee, payment.pix_code) == (Decimal("0.58"), "000201")
    assert payment.last_updated_at == NOW


@pytest.mark.parametrize(
    ("status", "detail", "refunded", "expected"),
    [
        ("pending", "pending_waiting_transfer", 0, Standing.WAITING),
        ("in_process", "pending_contingency", 0, Standing.PROCESSING),
        ("approved", "accredited", 0, Standing.PAID),
        ("approved", "partially_refunded", 10, Standing.PARTIALLY_REFUNDED),
        ("approved", "accredited", 10, Standing.PARTIALLY_REFUNDED),
        ("rejected", "bank_error", 0, Standing.REJECTED),
        ("cancelled", "expired", 0, Standing.EXPIRED),
        ("cancelled", "by_payer", 0, Standing.CANCELLED),
        ("refunded", "by_admin", 58.8, Standing.REFUNDED),
        ("in_mediation", "", 0, Standing.DISPUTED),
        ("charged_back", "in_process", 0, Standing.DISPUTED),
        ("charged_back", "settled", 0, Standing.CHARGED_BACK),
        ("charged_back", "reimbursed", 0, Standing.PAID),
        ("approved", "something_new", 0, Standing.UNRECOGNISED),
        ("something_new", "", 0, Standing.UNRECOGNISED),
    ],
)
def test_the_words_of_the_payments_api_are_ours_and_new_ones_are_never_paid(
    script: Script, opened: Opened, *, status: str, detail: str, refunded: float, expected: Standing
) -> None:
    changes = {
        "status": status,
        "status_detail": detail,
        "transaction_amount_refunded": refunded,
    }
    script.replies = [Reply(content={**PAYMENT, **changes})]

    assert opened.payments.get("1").standing is expected


def test_both_apis_write_what_their_documents_ask_for(opened: Opened) -> None:
    wanted: dict[str, Any] = {
        "reference": "charge-1",
        "amount": Decimal("58.8"),
        "payer_email": "a@b.example",
        "now": NOW,
    }

    order = opened.orders.create_request(**wanted)
    payment = opened.payments.create_request(**wanted)

    assert b'"total_amount":"58.80"' in order
    assert b'"expiration_time":"PT30M"' in order
    assert b'"transaction_amount":58.80,' in payment
    assert b'"date_of_expiration":"2026-03-04T12:31:00.000+00:00"' in payment
    assert (opened.orders.cancel_request(), opened.payments.cancel_request()) == (
        b"",
        b'{"status":"cancelled"}',
    )


@pytest.mark.parametrize(
    ("flavour", "is_total", "expected"),
    [
        ("orders", True, b""),
        ("orders", False, b'{"transactions":[{"id":"PAY01","amount":"10.50"}]}'),
        ("payments", True, b"{}"),
        ("payments", False, b'{"amount":10.50}'),
    ],
)
def test_a_refund_names_its_amount_unless_it_is_all(
    opened: Opened, *, flavour: str, is_total: bool, expected: bytes
) -> None:
    api: ProviderAPI = getattr(opened, flavour)

    body = api.refund_request(payment_id="PAY01", amount=Decimal("10.5"), is_total=is_total)

    assert body == expected


def test_an_order_is_cancelled_and_refunded_under_its_keys(script: Script, opened: Opened) -> None:
    refund = {"id": "RF1", "amount": "58.80", "status": "processing"}
    answer = {**ORDER, "transactions": {**ORDER["transactions"], "refunds": [refund]}}  # type: ignore[dict-item]
    script.replies = [Reply(content={**ORDER, "status": "canceled"}), Reply(content=answer)]

    cancelled = opened.orders.cancel("ORD01", b"", key="c")
    refunds = opened.orders.refund("ORD01", b"", key="r")

    paths = [
        (asked.method, asked.path, asked.headers["x-idempotency-key"]) for asked in script.asked
    ]
    assert paths == [
        ("POST", "/v1/orders/ORD01/cancel", "c"),
        ("POST", "/v1/orders/ORD01/refund", "r"),
    ]
    assert cancelled.standing is Standing.CANCELLED
    assert [(r.id, r.amount, r.state) for r in refunds] == [
        ("RF1", Decimal("58.80"), RefundState.IN_PROCESS)
    ]


def test_a_payments_refunds_are_listed_with_those_in_process(
    script: Script, opened: Opened
) -> None:
    made = {"id": 7, "amount": 10.5, "status": "in_process"}
    listed = [{"id": 7, "amount": 10.5, "status": "approved"}, {"id": 8, "status": "rejected"}]
    script.replies = [Reply(status=201, content=made), Reply(content=listed), Reply(content=made)]

    (first,) = opened.payments.refund("1", b'{"amount":10.50}', key="r")
    second = opened.payments.refunds("1")
    lone = opened.payments.refunds("1")

    assert (first.id, first.state) == ("7", RefundState.IN_PROCESS)
    assert [r.state for r in second] == [RefundState.DONE, RefundState.FAILED]
    assert len(lone) == 1
    shown = [asked.headers["x-render-in-process-refunds"] for asked in script.asked]
    assert shown == ["true"] * 3


def test_a_payment_is_cancelled_by_a_put(script: Script, opened: Opened) -> None:
    script.replies = [Reply(content={**PAYMENT, "status": "cancelled", "status_detail": ""})]

    payment = opened.payments.cancel("1", b'{"status":"cancelled"}', key="c")

    (asked,) = script.asked
    assert (asked.method, asked.body) == ("PUT", b'{"status":"cancelled"}')
    assert payment.standing is Standing.CANCELLED


@pytest.mark.parametrize(("flavour", "items"), [("orders", "data"), ("payments", "results")])
def test_a_search_tells_whether_more_is_behind_its_page(
    script: Script, opened: Opened, *, flavour: str, items: str
) -> None:
    one = ORDER if flavour == "orders" else PAYMENT
    api: ProviderAPI = getattr(opened, flavour)
    script.replies = [Reply(content={items: [one] * 100}), Reply(content={items: [one]})]

    full = api.search(begin=NOW, end=NOW, page=0)
    last = api.search(begin=NOW, end=NOW, page=1, reference="charge-1")

    assert (len(full.orders), full.is_last) == (100, False)
    assert (len(last.orders), last.is_last) == (1, True)
    assert "offset=100" in script.asked[1].path
    assert "external_reference=charge-1" in script.asked[1].path


def test_more_than_one_payment_in_an_order_adds_up(script: Script, opened: Opened) -> None:
    paid = {"id": "P", "paid_amount": "58.80", "status": "processed", "payment_method": {}}
    unread = {**paid, "paid_amount": "much"}
    script.replies = [
        Reply(content={**ORDER, "transactions": {"payments": [paid, paid]}}),
        Reply(content={**ORDER, "transactions": {"payments": [paid, unread]}}),
    ]

    assert opened.orders.get("A").paid_amount == Decimal("117.60")
    assert opened.orders.get("A").paid_amount is None
