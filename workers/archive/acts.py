"""What operators did beside the contexts, to dead letters above all: noted before it is done.

A note is never changed. Its end is a second note, made once; what has none was begun and broke.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from comanda.ids import ShopId


class What(StrEnum):
    """What can be done."""

    SENT_BACK = "dead-letters.sent-back"
    DISCARDED = "dead-letters.discarded"
    CHECKED = "payments.checked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One act: `who` is what a token proved, `operator` the name that came with the wish."""

    id: str
    shop_id: ShopId
    at: datetime
    who: str
    operator: str
    what: What
    whom: str
    why: str
    before: Mapping[str, Any] = field(default_factory=dict)
    done_at: datetime | None = None
    after: Mapping[str, Any] = field(default_factory=dict)


class ActUnknown(Exception):
    """The shop has no such act, or it has ended already."""


class ActBook(Protocol):
    """Acts of all shops; all raise `StoreUnavailable` when out of reach."""

    async def begin(self, act: Act) -> None:
        """Note what is about to be done."""

    async def end(
        self, shop_id: ShopId, act_id: str, *, who: str, after: Mapping[str, Any], now: datetime
    ) -> None:
        """Note what came of it, once, by whoever began it; else raise `ActUnknown`."""

    async def acts(self, shop_id: ShopId, *, limit: int) -> list[Act]:
        """Give the newest acts of a shop, the newest first."""
