"""What the control API is sent, and how it refuses."""

from collections.abc import Mapping
from typing import Any

from comanda.money import ZERO, InvalidMoney, Money

Body = Mapping[str, Any]
Result = tuple[int, Any]


class Misused(Exception):
    """The control API was asked for what cannot be; the status says whose fault it is."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def only(body: Body, *names: str) -> None:
    """Refuse fields that are not known."""
    unknown = sorted(set(body) - set(names))
    if unknown:
        raise Misused(422, f"unknown: {', '.join(unknown)[:200]}")


def flag(body: Body, name: str) -> bool:
    """Read a switch that is off by default."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Misused(422, f"{name}: true or false")
    return value


def amount_of(body: Body) -> Money | None:
    """Read an amount, `None` if there is none."""
    if body.get("amount") is None:
        return None
    try:
        amount = Money.parse(str(body["amount"]))
    except InvalidMoney as exc:
        raise Misused(422, "amount: text such as 58.80") from exc
    if amount == ZERO:
        raise Misused(422, "amount: above zero")
    return amount
