"""The audit of ten thousand orders over HTTP: so many answers, none of them large."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from comanda.ids import OrderId, new_id
from tests.orders_builders import NOW, OTHER_SHOP, SHOP, Clock, placed, till
from tests.orders_http import BASE, Answer, Client, crew, opened
from workers.orders.doors import cursor_of
from workers.orders.memory import InMemoryOrders
from workers.orders.ports import Page

MANY = 10_000
AUDIT = f"{BASE}/audit"
MANAGER = crew("manager")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = Clock()
    orders = InMemoryOrders(clock=clock)
    async with opened(orders, clock=clock) as client:
        await placed(till(orders, desk=orders, menus=orders, clock=clock))
        yield client


async def fill(orders: InMemoryOrders, *, count: int = MANY) -> set[str]:
    """Copy the one order that is there until there are so many, each with a key of its own."""
    page = await orders.audit(SHOP, page=Page())
    first, claim = page.orders[0], page.claims[0]
    ids = [OrderId(new_id(NOW + timedelta(seconds=n))) for n in range(count - 1)]
    async with orders.begin() as unit:
        for order_id in ids:
            unit.add(replace(first, id=order_id))
    for order_id in ids:
        key = replace(claim.key, key=order_id)
        await orders.claim(replace(claim, key=key, order_id=order_id), now=NOW)
    return {first.id, *ids}


async def test_ten_thousand_orders_are_read_in_twenty_answers_of_less_than_a_megabyte(
    client: Client,
) -> None:
    ids = await fill(client.orders)

    answers, after = list[Answer](), ""
    while after is not None:
        query = {"limit": "1000", **({"after": after} if after else {})}
        answers.append(await client.get(AUDIT, headers=MANAGER, params=query))
        after = answers[-1].body["next"]

    found = [order["id"] for answer in answers for order in answer.body["orders"]]
    named = [claim["order_id"] for answer in answers for claim in answer.body["claims"]]
    assert (sorted(found), sorted(named)) == (sorted(ids), sorted(ids))
    assert len(answers) == 20
    assert max(len(answer.content) for answer in answers) < 500_000


async def test_whoever_asks_for_no_size_gets_a_page_and_not_the_shop(client: Client) -> None:
    await fill(client.orders, count=300)

    page = (await client.get(AUDIT, headers=MANAGER)).body

    assert len(page["orders"]) + len(page["claims"]) == 500
    assert page["next"] is not None


@pytest.mark.parametrize(
    "after",
    ["!", "no base64", cursor_of(f"{OTHER_SHOP}#ORDER#x"), cursor_of("FEED"), "x" * 401],
)
async def test_a_place_to_go_on_from_must_be_one_of_this_shops_audit(
    client: Client, after: str
) -> None:
    answer = await client.get(AUDIT, headers=MANAGER, params={"after": after})

    assert answer.status == 422
    assert answer.body["errors"][0]["field"] == "query.after"


async def test_no_page_is_larger_than_a_thousand(client: Client) -> None:
    answer = await client.get(AUDIT, headers=MANAGER, params={"limit": "1001"})

    assert answer.status == 422
