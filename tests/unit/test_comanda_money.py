"""Money: whole cents, exact, never negative."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comanda.money import ZERO, InvalidMoney, Money

LARGEST = 10**12 - 1
amounts = st.integers(min_value=0, max_value=LARGEST).map(Money)


@given(amounts)
def test_an_amount_survives_text_and_decimal(amount: Money) -> None:
    assert Money.parse(str(amount)) == amount
    assert Money.from_decimal(amount.to_decimal()) == amount
    assert str(amount.to_decimal()) == str(amount)


@given(amounts, amounts)
def test_sums_are_exact_and_differences_take_them_back(one: Money, other: Money) -> None:
    if one.cents + other.cents > LARGEST:
        return

    assert (one + other) - other == one
    assert (one + other).cents == one.cents + other.cents


@given(amounts, amounts)
def test_amounts_sort_by_their_cents(one: Money, other: Money) -> None:
    assert (one < other) == (one.cents < other.cents)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("0", 0),
        ("0.1", 10),
        ("0.01", 1),
        ("58.8", 5880),
        ("58.80", 5880),
        ("9999999999.99", LARGEST),
    ],
)
def test_reais_are_read_with_up_to_two_decimals(text: str, cents: int) -> None:
    assert Money.parse(text).cents == cents


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1.",
        ".5",
        "01",
        "1.234",
        "1,50",
        "1e3",
        "1_000",
        " 1",
        "1\n",
        "R$ 1",
        "NaN",
        "Infinity",
        "١",
        "10000000000.00",
        "99999999999",
        "9" * 5000,
    ],
)
def test_anything_else_is_not_an_amount(text: str) -> None:
    with pytest.raises(InvalidMoney):
        Money.parse(text)


@pytest.mark.parametrize(
    ("amount", "cents"),
    [("5.88E+1", 5880), ("58.8000", 5880), ("0E-20", 0), ("-0", 0), ("1." + "0" * 60, 100)],
)
def test_an_exact_decimal_is_taken_in_any_spelling(amount: str, cents: int) -> None:
    assert Money.from_decimal(Decimal(amount)).cents == cents


@pytest.mark.parametrize(
    "amount",
    [
        "0.001",
        "-0.01",
        "-5",
        "1E+20",
        "1E+999999",
        "1E-999999",
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "10000000000",
        # Arithmetic in the default context would round this to one real.
        "1.0000000000000000000000000000000000001",
    ],
)
def test_a_decimal_that_is_not_whole_cents_is_refused_and_never_rounded(amount: str) -> None:
    with pytest.raises(InvalidMoney):
        Money.from_decimal(Decimal(amount))


@pytest.mark.parametrize("currency", ["USD", "brl", "", "ARS"])
def test_foreign_money_is_refused(currency: str) -> None:
    with pytest.raises(InvalidMoney, match="only BRL"):
        Money.parse("1.00", currency=currency)
    with pytest.raises(InvalidMoney, match="only BRL"):
        Money.from_decimal(Decimal(1), currency=currency)


@pytest.mark.parametrize("cents", [-1, LARGEST + 1, 1.0, True, "1", None, Decimal(1)])
def test_cents_are_a_whole_number_in_range(cents: object) -> None:
    with pytest.raises(InvalidMoney):
        Money(cents)  # type: ignore[arg-type]


def test_less_than_nothing_does_not_exist() -> None:
    with pytest.raises(InvalidMoney):
        Money(1) - Money(2)
    with pytest.raises(InvalidMoney):
        Money(1) * -1
    with pytest.raises(InvalidMoney):
        Money(LARGEST) + Money(1)


def test_half_a_burger_has_no_price() -> None:
    with pytest.raises(InvalidMoney):
        Money(101) * 0.5  # type: ignore[operator]


def test_a_quantity_multiplies() -> None:
    assert Money.parse("24.90") * 3 == Money.parse("74.70")
    assert Money(5) * 0 == ZERO
    assert sum([Money(1), Money(2)], ZERO) == Money(3)


def test_money_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        ZERO.cents = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (Money.parse, "x" * 99),
        (lambda text: Money.from_decimal(Decimal(text)), "1" * 99),
        (lambda text: Money.from_decimal(Decimal(text)), "0." + "1" * 97),
    ],
)
def test_a_refusal_quotes_no_more_than_forty_characters(
    read: Callable[[str], Money], text: str
) -> None:
    with pytest.raises(InvalidMoney) as refused:
        read(text)

    assert text[:40] in str(refused.value)
    assert text[:41] not in str(refused.value)
