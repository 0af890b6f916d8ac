"""Read what a day is closed from: its orders, the charges of those, and what moved meanwhile."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from console.closing.papers import JSON, Day, DayCharge, DayOrder, Papers

# A day of more orders than that is closed in part, and says so.
MOST_PAGES = 100
# Each is one question; a restore may have lost the orders of a whole day.
_MOST_STRANGE = 200
# An order's id is made when it is asked for, and its day counts when it is placed.
_SLACK = timedelta(hours=1)


class Books(Protocol):
    """The contexts, asked in the name of whoever closes the day."""

    async def read(self, context: str, path: str, query: dict[str, str]) -> Any:
        """Read a resource of the shop."""

    async def has_order(self, order_id: str) -> bool:
        """Tell whether orders knows an order, of whatever day."""


async def read_papers(books: Books, *, day: date | None, most_pages: int = MOST_PAGES) -> Papers:
    """Read a day of the shop, or the one that runs."""
    orders: list[DayOrder] = []
    async for page in _pages(books, day=day, most=most_pages):
        orders += [DayOrder.of(order) for order in page["orders"]]
    shown = Day.of(page)
    charges, is_whole = await _charges(books, day=shown, most=most_pages)
    known = {order.id for order in orders}
    window = {"since": shown.begins_at.isoformat(), "until": shown.ends_at.isoformat()}
    is_whole = is_whole and page["cursor"] is None
    # Of a day that was read in part nobody can say which charge has no order.
    strange = _strange(charges, known=known, day=shown) if is_whole else []
    orphans = [c for c in strange[:_MOST_STRANGE] if not await books.has_order(c.order_id)]
    return Papers(
        day=shown,
        orders=tuple(orders),
        charges=tuple(charge for charge in charges if charge.order_id in known),
        orphans=tuple(orphans),
        moved=await books.read("payments", "/closing/movements", window),
        is_whole=is_whole and len(strange) <= _MOST_STRANGE,
    )


async def _pages(books: Books, *, day: date | None, most: int) -> AsyncIterator[JSON]:
    query = {"limit": "100"} | ({"day": day.isoformat()} if day else {})
    for _ in range(most):
        page = await books.read("orders", "/closing", query)
        yield page
        if page["cursor"] is None:
            return
        # A day that ends while it is read must not go on with the next one.
        query |= {"cursor": page["cursor"], "day": page["day"]}


async def _charges(books: Books, *, day: Day, most: int) -> tuple[Sequence[DayCharge], bool]:
    query = {"since": (day.begins_at - _SLACK).isoformat(), "until": day.ends_at.isoformat()}
    found: list[DayCharge] = []
    for _ in range(most):
        page = await books.read("payments", "/closing/charges", query)
        found += [DayCharge.of(charge) for charge in page["charges"]]
        if page["next"] is None:
            return found, True
        query |= {"after": page["next"]}
    return found, False


def _strange(charges: Sequence[DayCharge], *, known: set[str], day: Day) -> list[DayCharge]:
    """Find charges of no order of the day; it may still be one of the day before or after."""
    return [c for c in charges if c.order_id not in known and begun(c.order_id) >= day.begins_at]


def begun(order_id: str) -> datetime:
    """Give when an order was asked for: its id begins with the milliseconds."""
    return datetime.fromtimestamp((UUID(order_id).int >> 80) / 1000, UTC)
