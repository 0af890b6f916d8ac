"""Identifiers are ours, typed, and known before any call goes out."""

import re
import secrets
from datetime import datetime
from typing import NewType, Self
from uuid import UUID

OrderId = NewType("OrderId", str)
ChargeId = NewType("ChargeId", str)
ReservationId = NewType("ReservationId", str)
ProductId = NewType("ProductId", str)
CustomerId = NewType("CustomerId", str)
EventId = NewType("EventId", str)

_SHOP = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")


class InvalidShopId(ValueError):
    """The text is not a shop's id: 3 to 32 lower-case letters, digits and hyphens."""


class ShopId(str):
    """Name one shop; it is part of every key, event, path, token and secret name."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _SHOP.fullmatch(text):
            raise InvalidShopId(f"not a shop id: {text[:40]!r}")
        return super().__new__(cls, text)


def new_id(now: datetime) -> str:
    """Make a UUIDv7 (RFC 9562, section 5.7): ordered by time, unguessable in its 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def earliest_id(at: datetime) -> str:
    """Give a text that no id from before this instant, and every one from then on, comes after."""
    digits = f"{int(at.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}"


def is_id(text: str) -> bool:
    """Tell whether the text is a canonical UUID, as all ids of ours are but the shop's."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
