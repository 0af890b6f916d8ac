"""A day of the shop as whoever closes it reads it, over real HTTP."""

from collections.abc import AsyncIterator

import pytest

from tests.orders_builders import Clock, approved, changed, deliver, refunded, shop_changed
from tests.orders_http import BASE, Client, crew, guest, opened
from workers.orders.memory import InMemoryOrders

OWNER = {"headers": crew("owner")}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = Clock()
    orders = InMemoryOrders(clock=clock)
    await deliver(changed(), orders=orders)
    await deliver(shop_changed(version=1, day_begins_at=4), orders=orders)
    async with opened(orders, clock=clock) as client:
        yield client


async def test_a_day_is_closed_from_what_its_orders_were_and_are(client: Client) -> None:
    order = await client.order((await client.place()).body)
    await deliver(approved(order), orders=client.orders)
    await deliver(refunded(order), orders=client.orders)
    await client.place(key="key-2")

    first = (await client.get(f"{BASE}/closing?limit=1", **OWNER)).body
    rest = (await client.get(f"{BASE}/closing?cursor={first['cursor']}", **OWNER)).body

    assert (first["day"], first["begins_at"], first["ends_at"]) == (
        "2026-03-04",
        "2026-03-04T04:00:00-03:00",
        "2026-03-05T04:00:00-03:00",
    )
    (closed,) = first["orders"]
    assert (closed["total"], closed["refunded"], closed["status"]) == (
        "25.00",
        "25.00",
        "CANCELLED",
    )
    assert [line["quantity"] for line in closed["lines"]] == [2]
    assert [each["call_number"] for each in rest["orders"]] == [2]
    assert rest["cursor"] is None


async def test_a_day_without_orders_is_closed_with_none(client: Client) -> None:
    other = (await client.get(f"{BASE}/closing?day=2026-03-03", **OWNER)).body

    assert (other["day"], other["orders"], other["cursor"]) == ("2026-03-03", [], None)


@pytest.mark.parametrize("day", ["9999-12-31", "1999-12-31", "hoje"])
async def test_a_day_that_no_shop_had_is_refused(client: Client, day: str) -> None:
    answer = await client.get(f"{BASE}/closing?day={day}", **OWNER)

    assert answer.status == 422


async def test_cooks_and_customers_do_not_close_days(client: Client) -> None:
    cook = await client.get(f"{BASE}/closing", headers=crew("kitchen"))
    customer = await client.get(f"{BASE}/closing", headers=guest())

    assert (cook.status, customer.status) == (403, 403)
