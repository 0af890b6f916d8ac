"""Money is a whole number of Brazilian cents; nothing here rounds."""

import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from typing import Self

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,10})(\.[0-9]{1,2})?", re.ASCII)
_LIMIT_CENTS = 10**12
# The default context would round away whatever stands behind the 28th digit.
_EXACT = Context(prec=28, traps=[Inexact])


class InvalidMoney(ValueError):
    """The value is not an amount of reais: negative, foreign, or finer than a cent."""


@dataclass(frozen=True, order=True, slots=True)
class Money:
    """Hold an amount of Brazilian reais as whole cents, 0 to 9,999,999,999.99."""

    cents: int

    def __post_init__(self) -> None:
        if type(self.cents) is not int:
            raise InvalidMoney(f"cents must be a whole number, not {self.cents!r}")
        if not 0 <= self.cents < _LIMIT_CENTS:
            raise InvalidMoney(f"out of range: {self.cents} cents")

    @classmethod
    def parse(cls, text: str, *, currency: str = "BRL") -> Self:
        """Read `58.8` or `58.80`; refuse signs, exponents, separators and other currencies."""
        if currency != "BRL":
            raise InvalidMoney(f"only BRL is taken here, not {currency!r}")
        if not _AMOUNT.fullmatch(text):
            raise InvalidMoney(f"not an amount of reais: {text[:40]!r}")
        return cls(int(Decimal(text).scaleb(2)))

    @classmethod
    def from_decimal(cls, amount: Decimal, *, currency: str = "BRL") -> Self:
        """Take an exact `Decimal` (`5.88E+1` is 58.80); refuse fractions of a cent."""
        if not amount.is_finite() or amount.adjusted() > 11:
            raise InvalidMoney(f"not an amount of reais: {str(amount)[:40]}")
        try:
            cents = amount.scaleb(2, context=_EXACT)
        except Inexact as exc:
            raise InvalidMoney(f"finer than a cent: {str(amount)[:40]}") from exc
        if cents != cents.to_integral_value():
            raise InvalidMoney(f"finer than a cent: {amount}")
        if currency != "BRL":
            raise InvalidMoney(f"only BRL is taken here, not {currency!r}")
        return cls(int(cents))

    def to_decimal(self) -> Decimal:
        """Give reais with exactly two decimals."""
        return Decimal(self.cents).scaleb(-2)

    def __str__(self) -> str:
        return f"{self.cents // 100}.{self.cents % 100:02d}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.cents + other.cents)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.cents - other.cents)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.cents * quantity)


ZERO = Money(0)
