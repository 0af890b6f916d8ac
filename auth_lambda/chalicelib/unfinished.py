"""What was begun for a customer and has to be finished, though nobody asks again.

A note is written before the first step and removed after the last; a schedule looks for notes that
are still there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from comanda.ids import CustomerId, ShopId

from .table import Change, ConditionFailed, Item, Key, Table

_PARTITION = "UNFINISHED"


class Errand(StrEnum):
    """What was begun."""

    ERASURE = "ERASURE"
    EMAIL = "EMAIL"
    ECHO = "ECHO"


# Whoever is at work should have ended by then; two at work do no harm. An erasure is announced once
# more when the last access token of before it has expired.
_LEFT_ALONE_FOR = {
    Errand.ERASURE: timedelta(minutes=5),
    Errand.EMAIL: timedelta(minutes=5),
    Errand.ECHO: timedelta(minutes=20),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """One thing that was begun; `told` is what finishing it needs beside the stores."""

    errand: Errand
    shop_id: ShopId
    customer_id: CustomerId
    told: str = ""


class Unfinished:
    """Keep notes, at most one of a kind for a customer."""

    def __init__(self, table: Table, *, clock: Callable[[], datetime]) -> None:
        self._table = table
        self._clock = clock

    def begin(self, note: Note) -> bool:
        """Note that something is begun; tell whether there was no such note before, which stays."""
        item: Item = {
            "shop_id": str(note.shop_id),
            "customer_id": note.customer_id,
            "begun_at": int(self._clock().timestamp()),
            "told": note.told,
        }
        fresh = Change(condition="attribute_not_exists(pk)")
        try:
            self._table.put(_key(note.errand, note.customer_id), item, change=fresh)
        except ConditionFailed:
            return False
        return True

    def finish(self, errand: Errand, customer_id: CustomerId) -> None:
        """Remove a note: all is done, or there is nothing to be done any more."""
        self._table.delete(_key(errand, customer_id))

    def left(self) -> Iterator[Note]:
        """Give the notes that it is time for, as nobody seems to be at work on them."""
        now = self._clock().timestamp()
        for key, item in self._table.items(_PARTITION):
            errand = Errand(key.sk.partition("#")[0])
            if int(item["begun_at"]) + _LEFT_ALONE_FOR[errand].total_seconds() > now:
                continue
            yield Note(
                errand=errand,
                shop_id=ShopId(str(item["shop_id"])),
                customer_id=CustomerId(str(item["customer_id"])),
                told=str(item["told"]),
            )


def _key(errand: Errand, customer_id: CustomerId) -> Key:
    return Key(pk=_PARTITION, sk=f"{errand}#{customer_id}")
