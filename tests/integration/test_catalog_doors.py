"""Making a menu, counting stock and running a shop over real HTTP; every door is tried by force."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from comanda.events import ProductChanged, ProductRemoved, ShopChanged
from tests.catalog_builders import NOW, SHOP, Store, product
from tests.catalog_http import Client, opened
from workers.catalog.memory import InMemoryCatalog

ROOT = f"/apis/catalog/{SHOP}"
PRODUCTS = f"{ROOT}/products"
MEAL = f"{PRODUCTS}/product-meal"
MEAL_STOCK = f"{ROOT}/stock/product-meal"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"0" * 64
SHEET = "name;category;price\nGuaraná;DRINK;7,50\n"
CSV = {"Content-Type": "text/csv; charset=utf-8"}
BURGER = {
    "name": "X-Bacon",
    "category": "MEAL",
    "price": "28.90",
    "option_groups": [
        {
            "id": "ponto",
            "name": "Ponto",
            "is_required": True,
            "minimum": 1,
            "maximum": 1,
            "options": [{"id": "bem", "name": "Bem passado"}],
        }
    ],
}


@pytest.fixture
async def store() -> Store:
    catalog = InMemoryCatalog(clock=lambda: NOW)
    store = Store(catalog, reader=catalog, topic=catalog)
    await store.stock(product("meal", price="20.00"), quantity=10)
    return store


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Client]:
    assert isinstance(store.catalog, InMemoryCatalog)
    async with opened(store.catalog) as client:
        await client.learn()
        yield client


async def test_a_product_is_made_edited_retired_and_restored(client: Client, store: Store) -> None:
    made = await client.ask("POST", PRODUCTS, by="manager", json=BURGER)
    where = made.headers["location"]
    read = await client.ask("GET", where, by="kitchen")
    dearer = BURGER | {"price": "30.00"}
    tag = {"If-Match": read.headers["etag"]}
    edited = await client.ask("PUT", where, by="manager", json=dearer, headers=tag)
    late = await client.ask("PUT", where, by="owner", json=BURGER, headers=tag)
    retired = await client.ask(
        "DELETE", where, by="manager", headers={"If-Match": edited.headers["etag"]}
    )
    menu = await client.get(f"{ROOT}/menu")
    restored = await client.ask("POST", f"{where}/restore", by="manager")
    prices = await client.ask("GET", f"{where}/prices", by="owner")

    statuses = [a.status_code for a in (made, read, edited, late, retired, restored)]
    assert statuses == [201, 200, 200, 412, 200, 200]
    assert late.headers["etag"] == edited.headers["etag"] == '"2"'
    assert [p["name"] for p in menu.json()["products"]] == ["Meal"]
    assert (restored.json()["version"], restored.json()["is_removed"]) == (4, False)
    assert [(p["price"], p["author"]) for p in prices.json()["prices"]] == [
        ("30.00", "manager"),
        ("28.90", "manager"),
    ]
    assert len(await store.sent(ProductRemoved)) == 1


async def test_an_edit_must_name_what_it_is_based_on(client: Client) -> None:
    answers = [
        await client.ask("PUT", MEAL, by="owner", json=BURGER, headers=headers)
        for headers in ({}, {"If-Match": '"99"'}, {"If-Match": "1"}, {"If-Match": 'W/"1"'})
    ]
    anyhow = await client.ask("PUT", MEAL, by="owner", json=BURGER, headers={"If-Match": "*"})

    assert [answer.status_code for answer in answers] == [428, 412, 412, 412]
    assert anyhow.status_code == 200


async def test_the_kitchen_may_say_sold_out_and_nothing_more(client: Client, store: Store) -> None:
    off = await client.ask(
        "PUT", f"{MEAL}/availability", by="kitchen", json={"is_available": False}
    )
    edit = await client.ask("PUT", MEAL, by="kitchen", json=BURGER, headers={"If-Match": "*"})

    assert (off.status_code, off.json()["is_available"]) == (200, False)
    assert edit.status_code == 403
    told = (await store.sent(ProductChanged))[-1]
    assert isinstance(told, ProductChanged)
    assert (told.is_available, told.version) == (False, 2)


async def test_a_name_stands_once_on_a_menu(client: Client) -> None:
    twin = await client.ask("POST", PRODUCTS, by="owner", json=BURGER | {"name": "MÉAL"})

    assert (twin.status_code, twin.json()["status"]) == (409, 409)


@pytest.mark.parametrize(
    "change",
    [
        {"price": "0"},
        {"price": "-1.00"},
        {"price": "1e3"},
        {"price": 28.9},
        {"price": "100000.00"},
        {"price": "١٢.00"},
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 61},
        {"name": "a\u202eb"},
        {"name": "a\u0000b"},
        {"description": "y" * 281},
        {"category": "TOY"},
        {"position": -1},
        {"position": True},
        {"is_available": "yes"},
        {"colour": "red"},
        {"option_groups": [BURGER["option_groups"][0], BURGER["option_groups"][0]]},  # type: ignore[index]
        {"option_groups": [BURGER["option_groups"][0] | {"maximum": 2}]},  # type: ignore[index]
        {"slots": [{"id": "s", "name": "S", "product_ids": ["nobody"]}]},
        {"slots": [{"id": "../x", "name": "S", "product_ids": ["product-meal"]}]},
    ],
)
async def test_what_no_menu_can_say_is_422_and_names_the_field(
    client: Client, store: Store, change: dict[str, Any]
) -> None:
    answer = await client.ask("POST", PRODUCTS, by="owner", json=BURGER | change)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert next(iter(change)) in answer.json()["errors"][0]["field"]
    assert len(await store.reader.all_products(SHOP)) == 1


@pytest.mark.parametrize("body", [b"", b"{", b'{"name": "\\ud800"}', b"[]", b"\xff\xfe"])
async def test_a_body_that_is_no_product_is_refused(client: Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await client.ask("POST", PRODUCTS, by="owner", data=body, headers=headers)

    assert answer.status_code in (400, 422)


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


async def test_a_picture_is_shown_at_an_address_that_never_changes(client: Client) -> None:
    headers = {"If-Match": "*"}

    kept = await client.ask("PUT", f"{MEAL}/picture", by="manager", data=PNG, headers=headers)
    shown = await client.get(kept.json()["picture_url"])

    assert kept.status_code == 200
    assert (shown.status_code, shown.content) == (200, PNG)
    assert shown.headers["content-type"] == "image/png"
    assert "immutable" in shown.headers["cache-control"]
    assert shown.headers["x-content-type-options"] == "nosniff"


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


@pytest.mark.parametrize("digest", ["0" * 64, "x", "%00", "..%2fmenu"])
async def test_a_picture_that_is_not_there_is_404(client: Client, digest: str) -> None:
    assert (await client.get(f"{ROOT}/pictures/{digest}")).status_code == 404


async def test_the_menu_is_searched_by_step_and_by_words_without_accents(client: Client) -> None:
    await client.ask("POST", PRODUCTS, by="owner", json=BURGER | {"name": "Pão de Açúcar"})

    async def found(**params: str) -> list[str]:
        answer = await client.get(f"{ROOT}/menu", params=params)
        return [each["name"] for each in answer.json()["products"]]

    assert await found(q="ACUCAR pao") == ["Pão de Açúcar"]
    assert await found(q="%") == []
    assert await found(q="\x00") == ["Meal", "Pão de Açúcar"]
    assert await found(category="DRINK") == []
    assert (await client.get(f"{ROOT}/menu?category=TOY")).status_code == 422
    assert (await client.get(f"{ROOT}/menu", params={"q": "x" * 61})).status_code == 422


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


async def test_a_dry_run_lists_every_bad_row_and_changes_nothing(
    client: Client, store: Store
) -> None:
    bad = SHEET + "Suco;DRINK;grátis\nBolo;DOCE;9,00\n"
    options: dict[str, Any] = {"by": "owner", "data": bad.encode(), "headers": CSV}

    dry = await client.ask("POST", f"{ROOT}/menu.csv?is_dry_run=true", **options)
    real = await client.ask("POST", f"{ROOT}/menu.csv", **options)

    assert (dry.status_code, real.status_code) == (200, 422)
    assert [(fault["row"], fault["field"]) for fault in dry.json()["faults"]] == [
        (3, "price"),
        (4, "category"),
    ]
    fields = [error["field"] for error in real.json()["errors"]]
    assert fields == ["row 3: price", "row 4: category"]
    assert len(await store.reader.all_products(SHOP)) == 1


async def test_what_is_exported_can_be_imported_and_changes_nothing(client: Client) -> None:
    sheet = (await client.ask("GET", f"{ROOT}/menu.csv", by="owner")).content
    again = await client.ask("POST", f"{ROOT}/menu.csv", by="owner", data=sheet, headers=CSV)
    new = await client.ask(
        "POST",
        f"{ROOT}/menu.csv",
        by="owner",
        data=SHEET.encode("windows-1252"),
        headers={"Content-Type": "text/csv; charset=windows-1252"},
    )

    assert again.json() | {"faults": []} == {
        "is_dry_run": False,
        "added": 0,
        "changed": 0,
        "unchanged": 1,
        "faults": [],
    }
    assert new.json()["added"] == 1


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (SHEET.encode(), "application/json", 415),
        (SHEET.encode(), "text/csv; charset=utf-7", 415),
        (b"name;\xff", "text/csv", 400),
        (b"n" * (1024 * 1024 + 1), "text/csv", 413),
        (b"", "text/csv", 422),
        (b'"' + b"a" * 200_000, "text/csv", 422),
    ],
)
async def test_what_is_no_sheet_is_refused(
    client: Client, data: bytes, kind: str, status: int
) -> None:
    headers = {"Content-Type": kind}

    answer = await client.ask("POST", f"{ROOT}/menu.csv", by="owner", data=data, headers=headers)

    assert answer.status_code == status
