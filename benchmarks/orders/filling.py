"""Fill a table of orders directly: items shaped as ours, many to a call.

Of all orders, twenty are on the board and one in twenty is a regular customer's; the others are
over, of many days and of customers who came once.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from comanda.events import Line
from comanda.ids import ChargeId, OrderId, ProductId, ReservationId, ShopId
from comanda.money import Money
from workers.orders.items import order_item
from workers.orders.lines import MenuItem
from workers.orders.model import Order, OrderStatus, Passage, Pix
from workers.runtime.dynamodb import to_item

SHOP = ShopId("lanchonete-da-ana")
PASTEL = MenuItem(
    product_id=ProductId("pastel"),
    shop_id=SHOP,
    version=1,
    name="Pastel",
    category="MEAL",
    price=Money.parse("12.50"),
    is_available=True,
)
REGULAR = f"guest:{UUID(int=7)}"
ON_BOARD, ONE_IN, A_DAY = 20, 20, 3_000
_BEGAN = datetime(2026, 1, 2, 13, tzinfo=UTC)
_CALL = 25
_AT_ONCE = 8
_HISTORY = (
    OrderStatus.PENDING_PAYMENT,
    OrderStatus.RECEIVED,
    OrderStatus.IN_PREPARATION,
    OrderStatus.READY,
    OrderStatus.COMPLETED,
)


def made_orders(count: int) -> Iterator[Order]:
    """Make so many orders, the oldest first; the last twenty are on the board."""
    for number in range(count):
        status = OrderStatus.RECEIVED if number >= count - ON_BOARD else OrderStatus.COMPLETED
        yield _order(number, status=status)


async def fill(client: Any, *, table: str, count: int) -> None:
    """Write them; `client` is aiobotocore's."""
    orders = made_orders(count)

    async def write() -> None:
        while batch := list(islice(orders, _CALL)):
            requests = [{"PutRequest": {"Item": to_item(order_item(it))}} for it in batch]
            while requests:
                answer = await client.batch_write_item(RequestItems={table: requests})
                requests = answer["UnprocessedItems"].get(table, [])

    await asyncio.gather(*(write() for _ in range(_AT_ONCE)))


def _order(number: int, *, status: OrderStatus) -> Order:
    placed_at = _BEGAN + timedelta(days=number // A_DAY, seconds=number % A_DAY * 12)
    passed = _HISTORY[: _HISTORY.index(status) + 1]
    owner = REGULAR if number % ONE_IN == 0 else f"guest:{UUID(int=1_000 + number)}"
    charge = ChargeId(str(UUID(int=number)))
    return replace(
        _PATTERN,
        id=OrderId(str(UUID(int=number))),
        owner=owner,
        day=placed_at.date(),
        call_number=number % A_DAY + 1,
        placed_at=placed_at,
        status=status,
        history=tuple(
            Passage(status=it, at=placed_at + timedelta(minutes=3 * n))
            for n, it in enumerate(passed)
        ),
        pix=Pix(charge_id=charge, code="0" * 120, expires_at=placed_at + timedelta(minutes=30)),
        paid_by=charge,
        paid_at=placed_at + timedelta(minutes=2),
        version=len(passed),
    )


_LINES = tuple(
    Line(product_id=ProductId(slug), name=slug.title(), quantity=2, unit_price=Money.parse("12.50"))
    for slug in ("pastel", "suco")
)
_PATTERN = Order(
    id=OrderId(str(UUID(int=0))),
    shop_id=SHOP,
    owner=REGULAR,
    customer_id=None,
    day=_BEGAN.date(),
    call_number=1,
    lines=_LINES,
    total=Money.parse("50.00"),
    placed_at=_BEGAN,
    name="Ana",
    reservation_id=ReservationId(str(UUID(int=0))),
)
