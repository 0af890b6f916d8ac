"""A short feeding of every reader; `python -m tests.security.long_run` is the long one."""

import json

import pytest

from benchmarks.edge.oracle import Subject
from comanda.mercadopago.payloads import read_order
from comanda.mercadopago.payment_payloads import read_payment
from comanda.mercadopago.reading import UnreadablePayload, amount, error_code
from tests.security.long_run import Total, written
from tests.security.parsing import WEBHOOK, Fed, feed, feed_webhook, readers
from tests.security.provider_readers import PROVIDER_READERS
from tests.security.readers import NOW, Reader
from workers.archive.model import read_entry

SEED = 20261121
INPUTS = range(400)
ORDER = json.loads(PROVIDER_READERS[0].seeds[0])
PAYMENT = json.loads(PROVIDER_READERS[1].seeds[0])


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
def test_no_reader_breaks_under_hostile_texts(reader: Reader) -> None:
    fed = Fed()

    feed(reader, fed, seed=SEED, numbers=INPUTS)

    assert fed.holes == {}
    # Whoever refuses everything stands any attack.
    assert fed.accepted[reader.name] > len(INPUTS) / 100


def test_the_receiver_of_notifications_does_not_break_either() -> None:
    fed = Fed()

    feed_webhook(Subject(), fed, seed=SEED, numbers=INPUTS)

    assert (fed.holes, fed.inputs) == ({}, {WEBHOOK: len(INPUTS)})
    assert fed.accepted[WEBHOOK] > 0


def test_what_leaves_a_reader_undeclared_or_is_read_wrongly_is_a_hole() -> None:
    def read(text: str) -> None:
        assert "5" not in text
        json.loads(text)

    fed = Fed()

    feed(Reader(name="r", seeds=("[1]", "[5]"), read=read), fed, seed=SEED, numbers=INPUTS)

    assert {name.partition(" at ")[0] for name in fed.holes} >= {
        "r: AssertionError",
        "r: JSONDecodeError",
    }


@pytest.mark.parametrize(
    "said",
    [
        {"id": "\ud800"},
        {"external_reference": "a\0b"},
        {"status_detail": "x" * 5_000},
        {"status": ["processed"]},
        {"transactions": {"payments": [{"payment_method": {"qr_code": "x" * 9_000}}]}},
    ],
)
def test_an_answer_that_no_store_could_keep_is_unreadable(said: dict[str, object]) -> None:
    with pytest.raises(UnreadablePayload):
        read_order(json.dumps({**ORDER, **said}).encode())


def test_a_number_that_no_decimal_can_be_is_unreadable() -> None:
    with pytest.raises(UnreadablePayload):
        read_payment(b'{"id": 1, "transaction_amount": 1e9999999999999999999}')


def test_a_status_that_is_no_text_never_counts_as_paid() -> None:
    payments = [{**ORDER["transactions"]["payments"][0], "status": ["processed"]}]
    order = {**ORDER, "transactions": {"payments": payments}}

    read = read_order(json.dumps(order).encode())

    assert [payment.is_paid for payment in read.payments] == [False]
    with pytest.raises(UnreadablePayload):
        read_payment(json.dumps({**PAYMENT, "status": {"approved": 1}}).encode())


@pytest.mark.parametrize("huge", ["9e999999", "1e-999999", "1e16"])
def test_an_amount_whose_sum_could_overflow_is_no_amount(huge: str) -> None:
    assert amount(huge) is None


def test_the_code_of_a_refusal_is_plain_and_short() -> None:
    body = json.dumps({"error": "\ud800\0" + "x" * 100}).encode()

    assert error_code(body) == "??" + "x" * 62


def test_an_archived_event_without_a_subject_can_be_read_again() -> None:
    told = {"id": "1", "type": "t.t.t.v1", "shopid": "cantina", "correlationid": "1"}

    entry = read_entry(json.dumps({**told, "time": "2026-11-21T12:00:00Z", "data": {}}))

    assert entry.subject == ""


def test_the_page_tells_each_share_and_each_hole() -> None:
    total = Total(seed=7)
    total.add({"money": 2_000_000, "CPF": 5}, {"money": 3}, {"money: ValueError at x:1": "'1'"})

    page = written(total, today=NOW)

    assert "| money | 2,000,000 |" in page
    assert "**2,000,005**" in page
    assert "- money: ValueError at x:1: '1'" in page
    assert "--seed 7" in page
