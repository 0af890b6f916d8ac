"""The CPF, the Brazilian taxpayer's number: checked when built, masked when shown."""

import hmac
import re
from hashlib import sha256
from typing import Self

_FORM = re.compile(r"([0-9]{3})\.?([0-9]{3})\.?([0-9]{3})-?([0-9]{2})", re.ASCII)


class InvalidCPF(ValueError):
    """The text is not a CPF: wrong form, repeated digit or wrong check digits."""


class CPF:
    """Hold the eleven digits of a valid CPF (Receita Federal: modulo 11, twice)."""

    __slots__ = ("_digits",)

    def __init__(self, text: str) -> None:
        form = _FORM.fullmatch(text)
        # The message never repeats the text: it would carry the number into a log.
        if form is None:
            raise InvalidCPF("a CPF has eleven digits: 000.000.000-00")
        digits = "".join(form.groups())
        if len(set(digits)) == 1 or digits[9:] != _check_digits(digits[:9]):
            raise InvalidCPF("the check digits of this CPF are wrong")
        self._digits = digits

    @property
    def digits(self) -> str:
        """Give the canonical form, eleven digits, for the few places that must store it."""
        return self._digits

    def pseudonym(self, key: bytes) -> str:
        """Derive the keyed HMAC under which this CPF is stored (hex, 64 characters)."""
        if not key:
            raise ValueError("the CPF key is empty")
        return hmac.new(key, self._digits.encode(), sha256).hexdigest()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `12345678909` or `123.456.789-09`."""
        return cls(text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CPF) and self._digits == other._digits

    def __hash__(self) -> int:
        return hash(self._digits)

    def __repr__(self) -> str:
        return f"CPF('***.***.***-{self._digits[9:]}')"

    __str__ = __repr__


def _check_digits(base: str) -> str:
    first = _check_digit(base)
    return first + _check_digit(base + first)


def _check_digit(digits: str) -> str:
    weights = range(len(digits) + 1, 1, -1)
    remainder = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return "0" if remainder < 2 else str(11 - remainder)
