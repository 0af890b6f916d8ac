"""The CPF: form, check digits, mask, pseudonym."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comanda.cpf import CPF, InvalidCPF

KNOWN = ["11144477735", "52998224725", "12345678909", "00000000191", "98765432100"]
bases = st.text("0123456789", min_size=9, max_size=9).filter(lambda digits: len(set(digits)) > 1)


def with_check_digits(base: str) -> str:
    """Compute the check digits the other way: weights rise from one end, the remainder is kept."""
    digits = [int(digit) for digit in base]
    for weights in (range(1, 10), range(10)):
        total = sum(digit * weight for digit, weight in zip(digits, weights, strict=True))
        digits.append(total % 11 % 10)
    return "".join(map(str, digits))


@pytest.mark.parametrize("digits", KNOWN)
def test_known_numbers_are_valid(digits: str) -> None:
    assert CPF(digits).digits == digits
    assert with_check_digits(digits[:9]) == digits


@given(bases)
def test_every_number_with_its_check_digits_is_valid(base: str) -> None:
    digits = with_check_digits(base)

    assert CPF(digits).digits == digits


@given(bases, st.integers(min_value=0, max_value=10), st.integers(min_value=1, max_value=9))
def test_one_wrong_digit_is_always_found(base: str, position: int, shift: int) -> None:
    digits = with_check_digits(base)
    wrong = str((int(digits[position]) + shift) % 10)
    changed = digits[:position] + wrong + digits[position + 1 :]

    if position < 9 and _collides(changed):
        return
    with pytest.raises(InvalidCPF):
        CPF(changed)


def _collides(digits: str) -> bool:
    # Remainders 0 and 10 share the digit 0, the one gap that the Receita's rule has.
    return with_check_digits(digits[:9]) == digits


def test_dots_and_hyphen_do_not_matter() -> None:
    written = CPF.parse("529.982.247-25")

    assert written == CPF("52998224725")
    assert hash(written) == hash(CPF("52998224725"))
    assert written != CPF("11144477735")
    assert written != "52998224725"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5299822472",
        "529982247250",
        "529 982 247 25",
        "529.982.247/25",
        "52998224726",
        "52998224735",
        " 52998224725",
        "52998224725\n",
        "٥٢٩٩٨٢٢٤٧٢٥",
        *(str(digit) * 11 for digit in range(10)),
    ],
)
def test_anything_else_is_no_cpf(text: str) -> None:
    with pytest.raises(InvalidCPF):
        CPF(text)


@given(bases)
def test_neither_repr_nor_fault_shows_the_number(base: str) -> None:
    digits = with_check_digits(base)
    shown = [repr(CPF(digits)), str(CPF(digits)), f"{CPF(digits)}"]

    with pytest.raises(InvalidCPF) as raised:
        CPF(digits[:9] + f"{(int(digits[9:]) + 1) % 100:02d}")

    assert all(text == f"CPF('***.***.***-{digits[9:]}')" for text in shown)
    assert base not in str(raised.value)


def test_the_pseudonym_is_the_keyed_hmac_of_the_digits() -> None:
    expected = hmac.new(b"key", b"52998224725", hashlib.sha256).hexdigest()

    assert CPF("529.982.247-25").pseudonym(b"key") == expected
    assert CPF("52998224725").pseudonym(b"another") != expected


def test_a_pseudonym_needs_a_key() -> None:
    with pytest.raises(ValueError, match="key is empty"):
        CPF("52998224725").pseudonym(b"")
