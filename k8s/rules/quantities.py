"""Amounts as Kubernetes writes them: `100m`, `1.5`, `192Mi`, `2e3`."""

import re
from decimal import Decimal

_FORM = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(n|u|m|k|M|G|T|P|E|[KMGTPE]i|[eE][+-]?\d+)?$")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


class InvalidQuantity(ValueError):
    """A text is no amount."""


def quantity(text: object) -> Decimal:
    """Read an amount; raise `InvalidQuantity`."""
    found = _FORM.match(str(text))
    if found is None:
        raise InvalidQuantity(f"{text!r} is no quantity")
    number, unit = Decimal(found[1]), found[2] or ""
    if unit in _BINARY:
        return number * Decimal(1024) ** _BINARY[unit]
    if unit in _DECIMAL:
        return number.scaleb(_DECIMAL[unit])
    return number.scaleb(int(unit[1:]))
