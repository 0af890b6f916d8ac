"""Whatever arrives, the receiver answers by name, and believes only what is signed.

The long run is `python -m benchmarks.edge.fuzz`; the rules are in `benchmarks.edge.oracle`.
"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.edge.fuzz import IDS, REQUEST_ID, input_of
from benchmarks.edge.oracle import SECRETS, Subject
from comanda.mercadopago.signature import sign

NAMES = st.sampled_from(["data.id", "id", "topic", "type", "data_id"]) | st.text(max_size=8)
PAIRS = st.dictionaries(NAMES, st.lists(st.text(max_size=40), min_size=1, max_size=2), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["data", "id", "type", "payment_id", "x"]), inner)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def subject() -> Subject:
    return Subject()


def event(headers: dict[str, list[str]], query: dict[str, list[str]]) -> dict[str, object]:
    return {
        "httpMethod": "POST",
        "path": "/webhooks/mercadopago/lanchonete-da-ana",
        "multiValueHeaders": headers or None,
        "multiValueQueryStringParameters": query or None,
    }


@settings(max_examples=400, deadline=None)
@given(
    signature=st.text(max_size=120), request_id=st.text(max_size=20), query=PAIRS, body=st.text()
)
def test_noise_is_never_believed(
    subject: Subject,
    signature: str,
    request_id: str,
    query: dict[str, list[str]],
    body: str,
) -> None:
    headers = {"x-signature": [signature], "x-request-id": [request_id]}

    outcome = subject.check(event(headers, query), body)

    assert outcome != "200 1"


@settings(max_examples=400, deadline=None)
@given(content=JSON, data_id=st.sampled_from(IDS), secret=st.sampled_from(SECRETS))
def test_no_body_makes_a_signed_notification_fail(
    subject: Subject, content: object, data_id: str, secret: str
) -> None:
    header = sign(secret=secret, data_id=data_id or None, request_id=REQUEST_ID, ts="1766455693")
    headers = {"X-Signature": [header], "X-Request-Id": [REQUEST_ID]}
    query = {"data.id": [data_id], "type": ["payment"]}

    outcome = subject.check(event(headers, query), json.dumps(content))

    contradiction = "400 the body and the query name different resources"
    assert outcome in {"200 1", contradiction} if data_id else outcome == "200 0"


@settings(max_examples=400, deadline=None)
@given(at=st.integers(0, 200), character=st.characters(), part=st.integers(0, 2))
def test_one_changed_character_in_what_is_signed_is_noticed(
    subject: Subject, at: int, character: str, part: int
) -> None:
    data_id = IDS[0]
    header = sign(secret=SECRETS[0], data_id=data_id, request_id=REQUEST_ID, ts="1766455693")
    parts = [header, REQUEST_ID, data_id]
    text = parts[part]
    at %= len(text)
    parts[part] = text[:at] + character + text[at + 1 :]
    is_same = parts[part].lower() == text.lower() if part == 0 else parts[part] == text
    headers = {"X-Signature": [parts[0]], "X-Request-Id": [parts[1]]}

    outcome = subject.check(event(headers, {"data.id": [parts[2]], "type": ["payment"]}), "")

    assert is_same or not outcome.startswith("200") or parts[1].strip() == REQUEST_ID


@pytest.mark.parametrize("chunk", range(8))
def test_mutated_notifications_break_nothing(subject: Subject, chunk: int) -> None:
    outcomes = {
        subject.check(*input_of(2026, number)) for number in range(chunk * 500, chunk * 500 + 500)
    }

    assert {"200 1", "401 mismatch", "MalformedRequest"} <= outcomes


def test_an_input_is_a_function_of_its_number() -> None:
    assert input_of(1, 5) == input_of(1, 5)
    assert input_of(1, 5) != input_of(2, 5)
