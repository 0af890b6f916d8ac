"""The JSON of the feed, and of the webhooks that carry the same entries."""

import hashlib
from datetime import datetime
from typing import Self

from pydantic import BaseModel

from workers.orders.feed import FeedEntry
from workers.orders.model import OrderStatus


class EntryView(BaseModel):
    """One change of one order; `id` is the same however often the entry is given."""

    id: str
    kind: str
    order_id: str
    call_number: int
    previous_status: OrderStatus | None
    status: OrderStatus
    total: str
    version: int
    at: datetime

    @classmethod
    def of(cls, entry: FeedEntry) -> Self:
        """Show an entry."""
        return cls(
            id=hashlib.sha256(f"{entry.shop_id}#{entry.position}".encode()).hexdigest()[:32],
            kind=entry.kind.value,
            order_id=entry.order_id,
            call_number=entry.call_number,
            previous_status=entry.before,
            status=entry.after,
            total=str(entry.total),
            version=entry.version,
            at=entry.at,
        )


class FeedView(BaseModel):
    """A page of the feed; `cursor` leads to the next, and is what a reader acknowledges."""

    events: list[EntryView]
    cursor: str
    is_behind: bool

    @classmethod
    def of(cls, entries: list[FeedEntry], *, cursor: str, is_behind: bool) -> Self:
        """Show a page."""
        return cls(
            events=[EntryView.of(entry) for entry in entries], cursor=cursor, is_behind=is_behind
        )
