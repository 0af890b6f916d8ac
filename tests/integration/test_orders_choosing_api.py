"""What a customer may choose, write and be refused, over real HTTP on the store in memory."""

import asyncio
from typing import Any

import pytest

from comanda.identity.verifier import Kind
from tests import orders_desk
from tests.orders_builders import changed, charged, deliver, failed, shop_changed
from tests.orders_desk import line
from tests.orders_http import ORDERS, Client, crew, guest, token

clock = orders_desk.clock
client = orders_desk.client


async def test_options_and_combos_are_priced_by_us(client: Client) -> None:
    body = {
        "lines": [
            line("burger", ("bread", "brioche"), notes="sem cebola", quantity=2),
            line("burger", ("bread", "plain")),
            line("combo", ("drink", "suco")),
        ],
        "service": "takeaway",
        "name": "Ana",
    }

    order = (await client.place(body)).body

    assert (order["total"], order["service"], order["name"]) == ("95.00", "takeaway", "Ana")
    assert [(li["unit_price"], li["quantity"]) for li in order["lines"]] == [
        ("22.50", 2),
        ("20.00", 1),
        ("30.00", 1),
    ]
    assert order["lines"][0]["options"][0]["name"] == "Brioche"
    assert order["lines"][0]["notes"] == "sem cebola"


@pytest.mark.parametrize(
    "faulty",
    [
        line("burger"),
        line("burger", ("bread", "brioche"), ("bread", "plain")),
        line("burger", ("bread", "gold")),
        line("burger", ("roof", "plain")),
        line("combo"),
        line("combo", ("drink", "fora")),
        line("combo", ("drink", "burger")),
        line("pastel", notes="x" * 141),
        line("pastel", notes="a\x00b"),
        line("pastel", price="0.01"),
    ],
)
async def test_choices_that_the_menu_does_not_offer_are_422_with_their_field(
    client: Client, faulty: dict[str, Any]
) -> None:
    answer = await client.place({"lines": [faulty]})

    assert answer.status == 422
    assert answer.body["errors"][0]["field"].startswith("body.lines.0.")
    assert client.placed_events() == []


@pytest.mark.parametrize("name", ["x" * 41, "a\nb", 5, None])
async def test_a_name_that_cannot_be_called_out_is_refused(client: Client, name: object) -> None:
    answer = await client.place({"lines": [line("pastel")], "name": name})

    assert answer.status == 422


async def test_half_a_character_is_refused(client: Client) -> None:
    body = '{"lines": [{"product_id": "pastel", "quantity": 1}], "name": "\\ud800"}'

    answer = await client.place(body)

    assert answer.status == 422


async def test_staff_without_a_group_see_nothing(client: Client) -> None:
    order = (await client.place()).body
    nobody = {"Authorization": f"Bearer {token(Kind.STAFF, 'eva', groups=('cleaning',))}"}

    listed = await client.get(ORDERS, headers=nobody)
    shown = await client.get(f"{ORDERS}/{order['id']}", headers=nobody)
    cancelled = await client.ask("POST", f"{ORDERS}/{order['id']}/cancel", headers=nobody)

    assert [a.status for a in (listed, shown, cancelled)] == [403, 403, 403]


async def test_what_a_customer_wrote_stays_with_the_order(client: Client) -> None:
    order = (await client.place({"lines": [line("pastel", notes="sem sal")], "name": "Ana"})).body

    assert order["lines"][0]["notes"] == "sem sal"
    assert all("sem sal" not in e.to_json() for e in client.orders.published)
    assert all('"Ana"' not in e.to_json() for e in client.orders.published)


async def test_a_payment_that_ends_after_a_cancellation_is_no_surprise(client: Client) -> None:
    body = (await client.place()).body
    await client.ask("POST", f"{ORDERS}/{body['id']}/cancel", headers=guest())
    await deliver(failed(await client.order(body)), orders=client.orders)

    seen = (await client.get(f"{ORDERS}/{body['id']}", headers=crew())).body

    assert (seen["status"], seen["refused_transitions"]) == ("CANCELLED", [])


async def test_a_closed_shop_is_409_and_a_full_kitchen_503_and_the_key_stays_free(
    client: Client,
) -> None:
    await deliver(shop_changed(version=1, switch="CLOSED"), orders=client.orders)
    closed = await client.place(key="k")
    await deliver(shop_changed(version=2, most_in_flight=0), orders=client.orders)
    client.orders._state.menu.clear()  # The copy of the menu is kept for a second.
    await asyncio.sleep(1.05)
    for product in (changed(version=9),):
        await deliver(product, orders=client.orders)
    full = await client.place(key="k")

    assert (closed.status, closed.body["title"]) == (409, "The shop is closed")
    assert (full.status, full.body["title"]) == (503, "The kitchen is full")
    assert int(full.headers["retry-after"]) > 0


async def test_an_order_without_a_code_says_so_in_plain_words(client: Client) -> None:
    order = (await client.place()).body
    await deliver(charged(await client.order(order)), orders=client.orders)
    later = (await client.get(f"{ORDERS}/{order['id']}", headers=guest())).body

    assert order["pix"] is None
    assert "ainda não está pronto" in order["hint"]
    assert "Pague o Pix" in later["hint"]
