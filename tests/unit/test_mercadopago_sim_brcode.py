"""The Pix code: golden vectors, and what a hostile hand could make of it."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from comanda.money import Money
from local.mercadopago.brcode import Fault, InvalidBRCode, build, build_dynamic, crc, parse

STATIC = (
    "00020126580014br.gov.bcb.pix01367c9e6679-7425-40de-944b-e07fc1f90ae7520400005303986540558.80"
    "5802BR5916LANCHONETE TESTE6009SAO PAULO62250521mpqrinter12345678901263046070"
)
SMALLEST = (
    "00020126580014br.gov.bcb.pix01367c9e6679-7425-40de-944b-e07fc1f90ae752040000530398654040.01"
    "5802BR5916LANCHONETE TESTE6009SAO PAULO62070503***63043FB2"
)
DYNAMIC = (
    "00020101021226900014BR.GOV.BCB.PIX2568pix-qr.sim.invalid/instore/o/v2/"
    "7c9e6679-7425-40de-944b-e07fc1f90ae75204000053039865802BR5916LANCHONETE TESTE6009SAO PAULO"
    "62070503***6304A2D8"
)
SHOP = {"merchant": "LANCHONETE TESTE", "city": "SAO PAULO"}


def test_the_check_value_of_the_crc_is_the_published_one() -> None:
    assert crc("123456789") == "29B1"


def test_the_golden_codes_are_written_to_the_letter() -> None:
    paid = build(amount=Money(5880), txid="mpqrinter123456789012", **SHOP)
    smallest = build(amount=Money(1), txid="***", **SHOP)
    url = "pix-qr.sim.invalid/instore/o/v2/7c9e6679-7425-40de-944b-e07fc1f90ae7"

    assert (paid, smallest) == (STATIC, SMALLEST)
    assert build_dynamic(url=url, **SHOP) == DYNAMIC


def test_a_code_says_who_gets_how_much() -> None:
    pix, dynamic = parse(STATIC), parse(DYNAMIC)

    assert (pix.amount, pix.merchant, pix.city) == (Money(5880), "LANCHONETE TESTE", "SAO PAULO")
    assert (pix.txid, pix.url) == ("mpqrinter123456789012", "")
    assert (dynamic.amount, dynamic.key, dynamic.txid) == (None, "", "***")
    assert dynamic.url.endswith("e07fc1f90ae7")


def test_the_crc_may_be_written_in_small_letters() -> None:
    assert parse(SMALLEST[:-4] + "3fb2") == parse(SMALLEST)


@given(place=st.integers(0, len(STATIC) - 1), letter=st.sampled_from(string.printable))
def test_one_changed_letter_is_always_noticed(place: int, letter: str) -> None:
    assume(letter != STATIC[place])

    with pytest.raises(InvalidBRCode):
        parse(STATIC[:place] + letter + STATIC[place + 1 :])


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(InvalidBRCode):
        parse(text)


def sealed(text: str) -> str:
    return text + "6304" + crc(text + "6304")


HEAD = "000201"
ACCOUNT = "26580014br.gov.bcb.pix01367c9e6679-7425-40de-944b-e07fc1f90ae7"
MONEY = "5303986540558.805802BR"
TAIL = "5901A6001B62070503***"


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("", Fault.NOT_A_CODE),
        ("6304", Fault.NOT_A_CODE),
        (STATIC[:-1], Fault.NOT_A_CODE),
        (STATIC + " ", Fault.NOT_A_CODE),
        (STATIC.replace("SAO", "SÃO"), Fault.NOT_A_CODE),
        (STATIC.replace("SAO", "S\nO"), Fault.NOT_A_CODE),
        (sealed(HEAD + "9" * 600), Fault.NOT_A_CODE),
        (sealed("000202" + ACCOUNT + MONEY + TAIL), Fault.NOT_A_CODE),
        (STATIC[:-4] + "0000", Fault.WRONG_CRC),
        (STATIC[:-4] + "+1F0", Fault.NOT_A_CODE),
        (STATIC.replace("58.80", "08.80"), Fault.WRONG_CRC),
        (sealed(HEAD + "2699x"), Fault.BROKEN_FIELDS),
        (sealed(HEAD + "26x"), Fault.BROKEN_FIELDS),
        (sealed(HEAD + "26-1"), Fault.BROKEN_FIELDS),
        (sealed(HEAD + HEAD + ACCOUNT + MONEY + TAIL), Fault.REPEATED_FIELD),
        (sealed(HEAD + ACCOUNT + MONEY + "540599.99" + TAIL), Fault.REPEATED_FIELD),
        (sealed(HEAD + MONEY + TAIL), Fault.NOT_PIX),
        (sealed(HEAD + "26080004evil" + MONEY + TAIL), Fault.NOT_PIX),
        (sealed(HEAD + "26180014br.gov.bcb.pix" + MONEY + TAIL), Fault.NOT_PIX),
        (sealed(HEAD + ACCOUNT + "5303840540558.805802BR" + TAIL), Fault.WRONG_CURRENCY),
        (sealed(HEAD + ACCOUNT + "5303986540558.805802US" + TAIL), Fault.WRONG_CURRENCY),
        (sealed(HEAD + ACCOUNT + "5303986540558,805802BR" + TAIL), Fault.WRONG_AMOUNT),
        (sealed(HEAD + ACCOUNT + "53039865406-58.805802BR" + TAIL), Fault.WRONG_AMOUNT),
        (sealed(HEAD + ACCOUNT + "530398654040.005802BR" + TAIL), Fault.WRONG_AMOUNT),
        (sealed(HEAD + ACCOUNT + "5303986541412345678901.005802BR" + TAIL), Fault.WRONG_AMOUNT),
        (sealed(HEAD + ACCOUNT + MONEY + "5901A6001B62060502a;"), Fault.WRONG_TXID),
        (sealed(HEAD + ACCOUNT + MONEY + "5901A6001B"), Fault.WRONG_TXID),
    ],
)
def test_what_a_bank_could_not_pay_is_refused_with_the_reason(code: str, fault: Fault) -> None:
    with pytest.raises(InvalidBRCode) as caught:
        parse(code)

    assert caught.value.fault is fault


@given(
    cents=st.integers(1, 10**12 - 1),
    merchant=st.text(min_size=1, max_size=40),
    city=st.text(min_size=1, max_size=40),
    number=st.integers(10**9, 10**12 - 1),
)
def test_what_is_written_is_what_is_read(cents: int, merchant: str, city: str, number: int) -> None:
    code = build(amount=Money(cents), merchant=merchant, city=city, txid=f"mpqrinter{number}")

    pix = parse(code)

    assert (pix.amount, pix.txid) == (Money(cents), f"mpqrinter{number}")
    assert len(pix.merchant) <= 25
    assert len(pix.city) <= 15
