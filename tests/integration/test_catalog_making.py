"""Making a menu over real HTTP: dish by dish, with pictures, and a whole sheet at once."""

from typing import Any

import pytest

from comanda.events import ProductChanged, ProductRemoved
from tests import catalog_desk
from tests.catalog_builders import SHOP, Store
from tests.catalog_desk import BURGER, CSV, MEAL, PNG, PRODUCTS, ROOT, SHEET
from tests.catalog_http import Client

store = catalog_desk.store
client = catalog_desk.client


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


async def test_a_picture_is_shown_at_an_address_that_never_changes(client: Client) -> None:
    headers = {"If-Match": "*"}

    kept = await client.ask("PUT", f"{MEAL}/picture", by="manager", data=PNG, headers=headers)
    shown = await client.get(kept.json()["picture_url"])

    assert kept.status_code == 200
    assert (shown.status_code, shown.content) == (200, PNG)
    assert shown.headers["content-type"] == "image/png"
    assert "immutable" in shown.headers["cache-control"]
    assert shown.headers["x-content-type-options"] == "nosniff"


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
