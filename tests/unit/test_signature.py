"""Mercado Pago's signature: the worked vectors, the wrong manifests, and hostile headers."""

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from comanda.mercadopago.signature import (
    Reason,
    Signed,
    Unverified,
    is_request_id,
    is_resource_id,
    sign,
    verify,
)
from tests.webhooks_edge import (
    IN,
    ORDER,
    OTHER_SECRET,
    PAYMENT,
    REQUEST_ID,
    SECRET,
    TS,
    WRONG_MANIFESTS,
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    J,
)

NOW = datetime.fromtimestamp(1766455695, UTC)
GOOD = Signed(signature=f"ts={TS},v1={A}", request_id=REQUEST_ID, data_id=PAYMENT)
UTF8_SECRET = "segredo-ção"
X = Signed(
    signature="ts=1742505638683,v1=85aaea44adced84bf23e95db43da124f818caad473052e8d0ecd46c5319c231e",
    request_id="bb56a2f1-6aae-46ac-982e-9dcd3581d08e",
    data_id="123456",
)


def with_header(header: str | None) -> Signed:
    return replace(GOOD, signature=header)


def refusal(signed: Signed, *secrets: str, now: datetime = NOW) -> Reason:
    with pytest.raises(Unverified) as caught:
        verify(signed, secrets=secrets or (SECRET,), now=now)
    return caught.value.reason


VECTORS: dict[str, tuple[Signed, str]] = {
    "A": (GOOD, SECRET),
    "B milliseconds": (with_header(f"ts={TS}000,v1={B}"), SECRET),
    "C lower-cased": (
        replace(GOOD, data_id=ORDER, signature=f"ts=1742505638683,v1={C}"),
        SECRET,
    ),
    "D verbatim": (replace(GOOD, data_id=ORDER, signature=f"ts=1742505638683,v1={D}"), SECRET),
    "E no request id": (replace(GOOD, request_id=None, signature=f"ts={TS},v1={E}"), SECRET),
    "F no id": (replace(GOOD, data_id=None, signature=f"ts={TS},v1={F}"), SECRET),
    "G neither": (
        Signed(signature=f"ts={TS},v1={G}", request_id=None, data_id=None),
        SECRET,
    ),
    "H the panel": (replace(GOOD, data_id="123456", signature=f"ts={TS},v1={H}"), SECRET),
    "I another secret": (with_header(f"ts={TS},v1={IN}"), OTHER_SECRET),
    "J a secret in UTF-8": (with_header(f"ts={TS},v1={J}"), UTF8_SECRET),
    "X a third party's": (X, "v1-test-secret-not-a-real-key"),
}


@pytest.mark.parametrize(("signed", "secret"), VECTORS.values(), ids=VECTORS.keys())
def test_a_vector_verifies(signed: Signed, secret: str) -> None:
    assert verify(signed, secrets=(secret,), now=NOW) == 0


@pytest.mark.parametrize(("signed", "secret"), VECTORS.values(), ids=VECTORS.keys())
def test_a_vector_verifies_under_no_other_secret(signed: Signed, secret: str) -> None:
    assert refusal(signed, secret + "x") is Reason.MISMATCH


@pytest.mark.parametrize("v1", WRONG_MANIFESTS.values(), ids=WRONG_MANIFESTS.keys())
def test_a_wrong_manifest_does_not_verify(v1: str) -> None:
    assert refusal(with_header(f"ts={TS},v1={v1}")) is Reason.MISMATCH


@pytest.mark.parametrize(
    "signed",
    [
        replace(GOOD, data_id="123456789013"),
        replace(GOOD, data_id=None),
        replace(GOOD, request_id="7c9e6679-7425-40de-944b-e07fc1f90ae8"),
        replace(GOOD, request_id=REQUEST_ID.upper()),
        replace(GOOD, request_id=None),
        with_header(f"ts=1766455694,v1={A}"),
        with_header(f"ts={TS},v1={'0' * 64}"),
    ],
)
def test_whatever_is_signed_cannot_be_altered(signed: Signed) -> None:
    assert refusal(signed) is Reason.MISMATCH


@pytest.mark.parametrize("position", range(64))
def test_every_digit_of_the_signature_counts(position: int) -> None:
    flipped = "0" if A[position] != "0" else "1"

    header = f"ts={TS},v1={A[:position]}{flipped}{A[position + 1 :]}"

    assert refusal(with_header(header)) is Reason.MISMATCH


@pytest.mark.parametrize("header", [None, "", " ", "\t"])
def test_without_a_signature_nothing_verifies(header: str | None) -> None:
    assert refusal(with_header(header)) is Reason.MISSING_SIGNATURE


@pytest.mark.parametrize(
    "header",
    [
        f"ts={TS}",
        f"v1={A}",
        f"ts={TS},v2={A}",
        f"ts={TS};v1={A}",
        f"ts={TS},v1={A[:-1]}",
        f"ts={TS},v1={A}0",
        f"ts={TS},v1={'é' * 64}",
        f"ts={TS},v1={A},v1={A}",
        f"ts={TS},v1={A},V1={A}",
        f"ts={TS},ts={TS},v1={A}",
        f"ts={TS},v1={A},,",
        f"ts=-{TS[1:]},v1={A}",
        f"ts={TS}.0,v1={A}",
        f"ts=176645569²,v1={A}",
        f"ts=١٧٦٦٤٥٥٦٩٣,v1={A}",
        f"ts={'1' * 5000},v1={A}",
        f"ts={TS}0,v1={A}",
        f"ts={TS}X,v1={A}",
        f"ts={TS}00,v1={A}",
        f"ts={TS}\n,v1={A}\n\x85",
        ",",
        "=" * 4000,
    ],
)
def test_a_malformed_signature_is_called_so(header: str) -> None:
    assert refusal(with_header(header)) is Reason.MALFORMED_SIGNATURE


@pytest.mark.parametrize(
    "header",
    [
        f"v1={A},ts={TS}",
        f" ts = {TS} , v1 = {A} ",
        f"TS={TS},V1={A.upper()}",
        f"ts={TS},v1={A},v2=zz",
    ],
)
def test_order_case_spaces_and_further_components_do_not_matter(header: str) -> None:
    assert verify(with_header(header), secrets=(SECRET,), now=NOW) == 0


@pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
def test_without_a_secret_nothing_verifies(secrets: tuple[str, ...]) -> None:
    forged = sign(secret="", data_id=PAYMENT, request_id=REQUEST_ID, ts=TS)

    with pytest.raises(Unverified) as caught:
        verify(with_header(forged), secrets=secrets, now=NOW)

    assert caught.value.reason is Reason.NO_SECRET


def test_an_empty_secret_beside_a_good_one_opens_nothing() -> None:
    forged = sign(secret="", data_id=PAYMENT, request_id=REQUEST_ID, ts=TS)

    assert refusal(with_header(forged), "", SECRET) is Reason.MISMATCH


def test_each_of_the_secrets_verifies_and_is_told_apart() -> None:
    secrets = ("newest", "previous", SECRET, "fourth")

    assert verify(GOOD, secrets=secrets, now=NOW) == 2


def test_no_more_than_the_first_secrets_are_tried() -> None:
    assert refusal(GOOD, *("wrong",) * 4, SECRET) is Reason.MISMATCH


@pytest.mark.parametrize("digits", [10, 13])
def test_the_past_is_fine_and_the_future_ends_after_five_minutes(digits: int) -> None:
    unit = 10 ** (digits - 10)
    latest = (int(NOW.timestamp()) + 300) * unit

    for ts in (1_000_000_000 * unit, latest):
        header = sign(secret=SECRET, data_id=PAYMENT, request_id=REQUEST_ID, ts=str(ts))
        assert verify(with_header(header), secrets=(SECRET,), now=NOW) == 0
    header = sign(secret=SECRET, data_id=PAYMENT, request_id=REQUEST_ID, ts=str(latest + 1))

    assert refusal(with_header(header)) is Reason.FROM_THE_FUTURE
    assert verify(with_header(header), secrets=(SECRET,), now=NOW + timedelta(seconds=1)) == 0


def test_a_forged_notification_from_the_future_learns_nothing_of_the_clock() -> None:
    assert refusal(with_header(f"ts=4102444800,v1={A}")) is Reason.MISMATCH


@pytest.mark.parametrize(
    "data_id",
    [
        f"{PAYMENT};request-id:{REQUEST_ID}",
        "../../users/me",
        "12\x003",
        "�",
        " 12345678",
        "+12345678",
        "1" * 21 + "!",
        "ORD 1",
        "",
        "-ORD0001",
        "A" * 65,
        "１２３",
    ],
)
def test_an_id_of_another_form_is_refused_though_correctly_signed(data_id: str) -> None:
    digest = hmac.new(
        SECRET.encode(), f"id:{data_id};request-id:{REQUEST_ID};ts:{TS};".encode(), sha256
    )
    signed = replace(GOOD, data_id=data_id, signature=f"ts={TS},v1={digest.hexdigest()}")

    assert not is_resource_id(data_id)
    assert refusal(signed) is Reason.INVALID_ID


def test_a_component_cannot_be_smuggled_in_by_the_id() -> None:
    smuggled = Signed(
        signature=f"ts={TS},v1={A}", request_id=None, data_id=f"{PAYMENT};request-id:{REQUEST_ID}"
    )

    assert refusal(smuggled) is Reason.INVALID_ID


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a b", "a\r\nb", "é", "\x7f"])
def test_a_request_id_of_another_form_is_refused(request_id: str) -> None:
    assert not is_request_id(request_id)
    assert refusal(replace(GOOD, request_id=request_id)) is Reason.INVALID_REQUEST_ID


@pytest.mark.parametrize("data_id", ["1", "1" * 20, ORDER, "ABCDEF", "A" * 64, "a_b-c_1"])
def test_ids_of_payments_and_orders_are_known_by_their_form(data_id: str) -> None:
    assert is_resource_id(data_id)


def test_what_we_sign_is_signed_lower_cased_as_the_vectors_are() -> None:
    header = sign(secret=SECRET, data_id=ORDER, request_id=REQUEST_ID, ts="1742505638683")

    assert header == f"ts=1742505638683,v1={C}"


def test_what_is_absent_is_left_out_with_its_label() -> None:
    assert sign(secret=SECRET, data_id=None, request_id=None, ts=TS) == f"ts={TS},v1={G}"


def test_reasons_keep_their_names_for_they_travel_in_events_and_metrics() -> None:
    assert [reason.value for reason in Reason] == [
        "no_secret",
        "missing_signature",
        "malformed_signature",
        "invalid_id",
        "invalid_request_id",
        "mismatch",
        "from_the_future",
    ]
