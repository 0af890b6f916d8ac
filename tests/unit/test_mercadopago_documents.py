"""What both APIs write, and how what they answer is read into the same words."""

from decimal import Decimal
from typing import Any

import pytest

from comanda.mercadopago.api import ProviderAPI
from comanda.mercadopago.values import RefundState, Standing
from tests import mercadopago_calls
from tests.mercadopago_calls import NOW, ORDER, PAYMENT, Opened
from tests.payments_scripted import Reply, Script

script = mercadopago_calls.script
opened = mercadopago_calls.opened


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
