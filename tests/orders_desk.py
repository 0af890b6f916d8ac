"""A menu with options and combos, and a client of the orders API before it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from comanda.ids import ProductId
from comanda.menu import ComboSlot, Option, OptionGroup
from comanda.money import Money
from tests.orders_builders import Clock, changed, deliver
from tests.orders_http import Client, opened
from workers.orders.memory import InMemoryOrders

BREAD = OptionGroup(
    id="bread",
    name="Pão",
    is_required=True,
    minimum=1,
    maximum=1,
    options=(
        Option(id="plain", name="Comum"),
        Option(id="brioche", name="Brioche", price=Money.parse("2.50")),
    ),
)
DRINK = ComboSlot(
    id="drink", name="Bebida", is_required=True, product_ids=(ProductId("suco"), ProductId("fora"))
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[Client]:
    orders = InMemoryOrders(clock=clock)
    menu = (
        changed(),
        changed("suco", price="7.00"),
        changed("fora", is_available=False),
        replace(changed("burger", price="20.00"), option_groups=(BREAD,)),
        replace(changed("combo", price="30.00"), slots=(DRINK,)),
    )
    for product in menu:
        await deliver(product, orders=orders)
    async with opened(orders, clock=clock) as client:
        yield client


def line(product: str, *options: tuple[str, str], **more: Any) -> dict[str, Any]:
    chosen = [{"group_id": group, "option_id": option} for group, option in options]
    return {"product_id": product, "quantity": 1, "options": chosen, **more}
