"""Following orders over real HTTP: who sees what, and what the kitchen does."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from comanda.events import OrderCompleted, OrderReady, OrderStarted
from tests.orders_builders import (
    OTHER_SHOP,
    SHOP,
    Clock,
    approved,
    changed,
    charged,
    deliver,
    failed,
)
from tests.orders_http import Client, crew, guest, opened
from workers.orders.memory import InMemoryOrders

BASE = f"/apis/orders/{SHOP}"


ORDERS = f"{BASE}/orders"


GUEST, OTHER_GUEST = f"guest:{UUID(int=1)}", f"guest:{UUID(int=2)}"


CUSTOMER = str(UUID(int=3))


BODY = {"lines": [{"product_id": "pastel", "quantity": 2}]}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[Client]:
    orders = InMemoryOrders(clock=clock)
    for product in (changed(), changed("caldo", price="7.00"), changed("fora", is_available=False)):
        await deliver(product, orders=orders)
    async with opened(orders, clock=clock) as client:
        yield client


@pytest.mark.parametrize("path", ["orders", "board", "totals"])
async def test_without_a_token_it_is_401(client: Client, path: str) -> None:
    method = "POST" if path == "orders" else "GET"

    answer = await client.ask(method, f"{BASE}/{path}", json=BODY)

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_of_another_shop_and_an_unknown_shop_find_nothing(client: Client) -> None:
    other = await client.place(headers=guest(shop=OTHER_SHOP))
    unknown = await client.get("/apis/orders/nowhere/board", headers=crew())
    senseless = await client.get("/apis/orders/X/board", headers=crew())

    assert (other.status, unknown.status, senseless.status) == (404, 404, 404)


async def test_staff_do_not_order_and_guests_do_not_run_the_kitchen(client: Client) -> None:
    order = (await client.place()).body

    by_staff = await client.place(headers=crew())
    board = await client.get(f"{BASE}/board", headers=guest())
    start = await client.ask("POST", f"{ORDERS}/{order['id']}/start", headers=guest())
    owner = await client.ask("POST", f"{ORDERS}/{order['id']}/start", headers=crew("owner"))

    assert [a.status for a in (by_staff, board, start, owner)] == [403, 403, 403, 403]


async def test_another_customers_order_is_404_and_staff_see_it(client: Client) -> None:
    order = (await client.place()).body
    path = f"{ORDERS}/{order['id']}"

    mine = await client.get(path, headers=guest())
    theirs = await client.get(path, headers=guest(OTHER_GUEST))
    staff = await client.get(path, headers=crew())
    unknown = await client.get(f"{ORDERS}/{UUID(int=9)}", headers=guest())
    senseless = await client.get(f"{ORDERS}/x%23y", headers=guest())

    assert (mine.status, staff.status) == (200, 200)
    assert (theirs.status, unknown.status, senseless.status) == (404, 404, 404)
    assert theirs.body == unknown.body
    assert staff.body["refused_transitions"] == []
    assert "refused_transitions" not in mine.body


async def test_the_code_is_drawn_while_it_can_be_paid(client: Client) -> None:
    body = (await client.place()).body
    path = f"{ORDERS}/{body['id']}/pix.svg"
    order = await client.order(body)

    early = await client.get(path, headers=guest())
    await deliver(charged(order), orders=client.orders)
    drawn = await client.get(path, headers=guest())
    foreign = await client.get(path, headers=guest(OTHER_GUEST))
    await deliver(failed(order), orders=client.orders)
    late = await client.get(path, headers=guest())

    assert [a.status for a in (early, drawn, foreign, late)] == [404, 200, 404, 404]
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert b"<svg" in drawn.content


async def test_the_kitchen_takes_an_order_to_the_end(client: Client) -> None:
    body = (await client.place()).body
    path = f"{ORDERS}/{body['id']}"
    too_early = await client.ask("POST", f"{path}/start", headers=crew())
    await deliver(approved(await client.order(body)), orders=client.orders)

    board = await client.get(f"{BASE}/board", headers=crew("owner"))
    steps = [
        await client.ask("POST", f"{path}/{step}", headers=crew())
        for step in ("start", "start", "complete", "ready", "complete")
    ]
    empty = await client.get(f"{BASE}/board", headers=crew())

    assert too_early.status == 409
    assert too_early.headers["content-type"] == "application/problem+json"
    assert [o["id"] for o in board.body["orders"]] == [body["id"]]
    assert [s.status for s in steps] == [200, 409, 409, 200, 200]
    assert (steps[-1].body["status"], steps[-1].body["status_label"]) == ("COMPLETED", "Finalizado")
    assert empty.body == {"orders": []}
    kinds = [type(e.event) for e in client.orders.published][-3:]
    assert kinds == [OrderStarted, OrderReady, OrderCompleted]


@pytest.mark.parametrize("order_id", [str(UUID(int=9)), "senseless"])
async def test_a_step_of_an_unknown_order_is_404(client: Client, order_id: str) -> None:
    answer = await client.ask("POST", f"{ORDERS}/{order_id}/start", headers=crew())

    assert answer.status == 404


async def test_totals_add_up_and_count_what_was_refused(client: Client) -> None:
    paid = await client.order((await client.place(key="1")).body)
    await client.place(key="2")
    await deliver(approved(paid), orders=client.orders)
    await deliver(failed(paid), orders=client.orders)

    totals = (await client.get(f"{BASE}/totals", headers=crew("manager"))).body
    seen = (await client.get(f"{ORDERS}/{paid.id}", headers=crew("manager"))).body

    assert (totals["orders"], totals["paid_total"]) == (2, "25.00")
    assert (totals["by_status"]["RECEIVED"], totals["by_status"]["PENDING_PAYMENT"]) == (1, 1)
    assert totals["refused_transitions"] == 1
    assert seen["refused_transitions"][0]["name"] == "IllegalTransition"


async def test_a_store_that_is_down_is_503_and_loses_nothing(client: Client) -> None:
    order = (await client.place(key="before")).body
    client.orders.is_down = True

    answers = [
        await client.place(key="during"),
        await client.get(f"{ORDERS}/{order['id']}", headers=guest()),
        await client.get(f"{BASE}/board", headers=crew()),
        await client.get(f"{BASE}/totals", headers=crew()),
        await client.ask("POST", f"{ORDERS}/{order['id']}/start", headers=crew()),
        await client.get("/health/ready"),
    ]
    client.orders.is_down = False
    again = await client.place(key="during")

    assert {a.status for a in answers} == {503}
    assert all(int(a.headers["retry-after"]) > 0 for a in answers)
    assert again.status == 201
    assert len(client.placed_events()) == 2


async def test_the_api_describes_itself(client: Client) -> None:
    paths = (await client.get("/apis/orders/openapi.json")).body["paths"]

    prefix = "/apis/orders/{shop}"
    assert set(paths) == {
        prefix + tail
        for tail in (
            "/orders",
            "/orders/{order_id}",
            "/orders/{order_id}/pix.svg",
            "/orders/{order_id}/start",
            "/orders/{order_id}/ready",
            "/orders/{order_id}/complete",
            "/orders/{order_id}/undo-start",
            "/orders/{order_id}/recall",
            "/orders/{order_id}/undo-complete",
            "/orders/{order_id}/cancel",
            "/orders/{order_id}/stream",
            "/estimate",
            "/events",
            "/events/ack",
            "/webhooks",
            "/webhooks/{hook_id}",
            "/webhooks/{hook_id}/enable",
            "/webhooks/{hook_id}/deliveries",
            "/board",
            "/totals",
            "/audit",
            "/closing",
        )
    }
