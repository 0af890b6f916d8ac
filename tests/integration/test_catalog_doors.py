"""Counting stock and running a shop over real HTTP; every door is tried by force."""

from typing import Any

import pytest

from comanda.events import ShopChanged
from tests import catalog_desk
from tests.catalog_builders import NOW, SHOP, Store, product
from tests.catalog_desk import BURGER, CSV, MEAL, MEAL_STOCK, PNG, PRODUCTS, ROOT, SHEET
from tests.catalog_http import Client, opened
from workers.catalog.memory import InMemoryCatalog

store = catalog_desk.store
client = catalog_desk.client


WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", PRODUCTS, {}),
    ("POST", PRODUCTS, {"json": BURGER}),
    ("GET", MEAL, {}),
    ("PUT", MEAL, {"json": BURGER, "headers": {"If-Match": "*"}}),
    ("DELETE", MEAL, {"headers": {"If-Match": "*"}}),
    ("POST", f"{MEAL}/restore", {}),
    ("PUT", f"{MEAL}/availability", {"json": {"is_available": False}}),
    ("PUT", f"{MEAL}/picture", {"data": PNG, "headers": {"If-Match": "*"}}),
    ("GET", f"{MEAL}/prices", {}),
    ("PUT", f"{ROOT}/shop", {"json": {}, "headers": {"If-Match": "*"}}),
    ("PUT", f"{ROOT}/shop/switch", {"json": {"switch": "CLOSED"}}),
    ("GET", f"{ROOT}/menu.csv", {}),
    ("POST", f"{ROOT}/menu.csv", {"data": SHEET, "headers": CSV}),
    ("GET", f"{MEAL_STOCK}/ledger", {}),
    (
        "POST",
        f"{MEAL_STOCK}/deliveries",
        {"json": {"quantity": 1}, "headers": {"Idempotency-Key": "d"}},
    ),
    (
        "POST",
        f"{MEAL_STOCK}/corrections",
        {"json": {"change": 1, "reason": "found"}, "headers": {"Idempotency-Key": "c"}},
    ),
    ("GET", f"{ROOT}/audit/ledger", {}),
    ("GET", f"{ROOT}/audit/reservations", {}),
]


@pytest.mark.parametrize(("method", "path", "options"), WRITES)
async def test_no_door_for_staff_opens_to_others(
    client: Client, store: Store, method: str, path: str, options: dict[str, Any]
) -> None:
    before = await store.reader.all_products(SHOP), await store.reader.levels(SHOP)
    callers = ("", "forged", "guest", "theirs")

    answers = [await client.ask(method, path, by=by, **options) for by in callers]

    assert [answer.status_code for answer in answers] == [401, 401, 403, 404]
    assert (await store.reader.all_products(SHOP), await store.reader.levels(SHOP)) == before


@pytest.mark.parametrize("product_id", ["nobody", "%00", "..%2f..", "a" * 65, "%E2%82%AC"])
async def test_a_product_that_is_not_there_is_404(client: Client, product_id: str) -> None:
    path = f"{PRODUCTS}/{product_id}"

    read = await client.ask("GET", path, by="owner")
    edit = await client.ask("PUT", path, by="owner", json=BURGER, headers={"If-Match": "*"})

    assert (read.status_code, edit.status_code) == (404, 404)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 415),
        (b"<svg onload=alert(1)>", 415),
        (b"<html>" + PNG, 415),
        (PNG + b"0" * (512 * 1024), 413),
    ],
)
async def test_what_is_no_small_picture_is_refused(
    client: Client, content: bytes, status: int
) -> None:
    headers = {"If-Match": "*", "Content-Type": "image/png"}

    answer = await client.ask("PUT", f"{MEAL}/picture", by="owner", data=content, headers=headers)

    assert answer.status_code == status


async def test_a_delivery_counts_once_under_its_key(client: Client, store: Store) -> None:
    async def deliver(key: str, quantity: int) -> int:
        options = {"json": {"quantity": quantity}, "headers": {"Idempotency-Key": key}}
        path = f"{MEAL_STOCK}/deliveries"
        return (await client.ask("POST", path, by="manager", **options)).status_code

    assert [await deliver("nf-1", 5), await deliver("nf-1", 5), await deliver("nf-2", 1)] == [
        201,
        200,
        201,
    ]
    assert (await store.level(product("meal"))).received == 16
    assert [await deliver("nf-3", quantity) for quantity in (0, -1, 1_000_001)] == [422] * 3


async def test_a_correction_says_who_and_why_and_takes_only_what_is_left(client: Client) -> None:
    path = f"{MEAL_STOCK}/corrections"

    async def correct(change: int, reason: str = "dropped") -> Any:
        options = {
            "json": {"change": change, "reason": reason},
            "headers": {"Idempotency-Key": str(change)},
        }
        return await client.ask("POST", path, by="owner", **options)

    done, much, mute = await correct(-3), await correct(-8), await correct(-1, reason="")
    ledger = await client.ask("GET", f"{MEAL_STOCK}/ledger", by="owner")
    keyless = await client.ask("POST", path, by="owner", json={"change": 1, "reason": "found"})
    audit = await client.ask("GET", f"{ROOT}/audit/ledger", by="owner")

    assert [each.status_code for each in (done, much, mute, keyless)] == [201, 409, 422, 422]
    assert "only 7 are left" in much.json()["detail"]
    last = ledger.json()["moves"][-1]
    assert (last["quantity"], last["author"], last["reason"]) == (-3, "owner", "dropped")
    assert [level["agrees"] for level in audit.json()["levels"]] == [True]


async def test_the_shop_is_closed_by_a_switch_and_the_menu_says_so(
    client: Client, store: Store
) -> None:
    before = await client.get(f"{ROOT}/menu")
    closed = await client.ask("PUT", f"{ROOT}/shop/switch", by="manager", json={"switch": "CLOSED"})
    tag = {"If-None-Match": before.headers["etag"]}
    after = await client.get(f"{ROOT}/menu", headers=tag)

    assert (closed.status_code, closed.headers["etag"]) == (200, '"1"')
    assert (before.json()["is_open"], after.json()["is_open"]) == (True, False)
    assert len(await store.sent(ShopChanged)) == 1


async def test_the_shops_hours_are_edited_on_what_was_read(client: Client) -> None:
    hours = [{"weekday": 0, "opens": "18:00", "closes": "02:00"}]
    body = {"hours": hours, "most_in_flight": 40, "day_begins_at": 5}
    read = await client.get(f"{ROOT}/shop")
    tag = {"If-Match": read.headers["etag"]}

    done = await client.ask("PUT", f"{ROOT}/shop", by="owner", json=body, headers=tag)
    late = await client.ask("PUT", f"{ROOT}/shop", by="owner", json=body, headers=tag)
    shown = await client.get(f"{ROOT}/shop")

    assert (done.status_code, late.status_code) == (200, 412)
    assert (shown.json()["hours"], shown.json()["most_in_flight"]) == (hours, 40)


@pytest.mark.parametrize(("hour", "expected"), [(13, False), (14, True), (17, True), (18, False)])
async def test_the_hours_are_those_of_the_shops_own_clock(
    store: Store, hour: int, *, expected: bool
) -> None:
    assert isinstance(store.catalog, InMemoryCatalog)
    # NOW is a Wednesday; 14:00 in UTC is 11:00 in Sao Paulo.
    body = {"hours": [{"weekday": 2, "opens": "11:00", "closes": "15:00"}]}
    headers = {"If-Match": "*"}

    async with opened(store.catalog, clock=lambda: NOW.replace(hour=hour)) as client:
        await client.ask("PUT", f"{ROOT}/shop", by="owner", json=body, headers=headers)
        menu = await client.get(f"{ROOT}/menu")

    assert menu.json()["is_open"] is expected


@pytest.mark.parametrize(
    "body",
    [
        {"hours": [{"weekday": 7, "opens": "11:00", "closes": "12:00"}]},
        {"hours": [{"weekday": 0, "opens": "25:00", "closes": "12:00"}]},
        {"hours": [{"weekday": 0, "opens": "11:00", "closes": "12:00"}] * 29},
        {"most_in_flight": 0},
        {"day_begins_at": 24},
        {"switch": "MAYBE"},
    ],
)
async def test_rules_that_no_shop_can_mean_are_422(client: Client, body: dict[str, Any]) -> None:
    headers = {"If-Match": "*"}

    answer = await client.ask("PUT", f"{ROOT}/shop", by="owner", json=body, headers=headers)

    assert answer.status_code == 422
