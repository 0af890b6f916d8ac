"""Menus as spreadsheets: every bad row is named, and what is exported can be imported."""

from dataclasses import replace

import pytest

from comanda.menu import Category
from comanda.money import Money
from tests.catalog_builders import NOW, SHOP, product
from workers.catalog.products import Product
from workers.catalog.sheet import Plan, planned, written

HEADER = "name;category;price"
KNOWN = product("x-salada", price="24.90")


def plan_of(*rows: str, header: str = HEADER, products: tuple[Product, ...] = ()) -> Plan:
    return planned("\r\n".join((header, *rows)), shop_id=SHOP, products=products, now=NOW)


def faults_of(plan: Plan) -> list[tuple[int, str]]:
    return [(fault.row, fault.field) for fault in plan.faults]


def test_a_sheet_of_a_brazilian_spreadsheet_is_read() -> None:
    header = "Nome;Categoria;Preço;Disponível;Estoque inicial"

    plan = plan_of("Pão de queijo;Acompanhamento;R$ 7,50;não;40", header="\ufeff" + header)

    (entry,) = plan.entries
    assert (entry.product.name, entry.product.category) == ("Pão de queijo", Category.SIDE)
    assert (entry.product.price, entry.product.is_available) == (Money.parse("7.50"), False)
    assert (entry.initial_stock, plan.faults) == (40, ())


def test_every_bad_row_is_named_by_its_number_and_field() -> None:
    plan = plan_of(
        "X-Tudo;MEAL;32.90",
        "X-Nada;MEAL;free",
        ";DRINK;5.00",
        "Suco;TOY;-1",
        "Pudim;DESSERT;0",
        "Água;DRINK;5.00;6;7",
    )

    assert [entry.row for entry in plan.entries] == [2]
    assert faults_of(plan) == [
        (3, "price"),
        (4, "name"),
        (5, "category"),
        (5, "price"),
        (6, "price"),
        (7, ""),
    ]


def test_two_rows_about_one_name_are_a_fault_of_the_second() -> None:
    plan = plan_of("Guaraná;DRINK;7.50", "guarana;DRINK;8.00")

    assert faults_of(plan) == [(3, "name")]


def test_a_row_finds_its_product_by_name_whatever_its_accents_and_keeps_the_rest() -> None:
    known = replace(KNOWN, description="Com tudo", position=3)

    plan = plan_of("X-SALADA;MEAL;26,00", products=(known,))

    (entry,) = plan.entries
    assert entry.product == replace(known, name="X-SALADA", price=Money.parse("26.00"))


def test_two_products_can_trade_names_by_their_ids() -> None:
    one, two = product("um"), product("dois")
    header = "id;name;category;price"
    rows = (f"{one.id};{two.name};MEAL;24.90", f"{two.id};{one.name};MEAL;24.90")

    plan = plan_of(*rows, header=header, products=(one, two))

    assert plan.faults == ()
    assert {entry.product.id: entry.product.name for entry in plan.entries} == {
        one.id: two.name,
        two.id: one.name,
    }


def test_an_unknown_id_and_stock_for_an_old_product_are_faults() -> None:
    header = "id;name;category;price;initial_stock"

    plan = plan_of(
        "nobody;Suco;DRINK;5;",
        f"{KNOWN.id};{KNOWN.name};MEAL;24.90;5",
        header=header,
        products=(KNOWN,),
    )

    assert faults_of(plan) == [(2, "id"), (3, "initial_stock")]


@pytest.mark.parametrize(
    "text",
    ["", "nome;preço", "name;category;price;colour", "name;name;category;price", '"a\x00;b'],
)
def test_a_sheet_without_a_good_header_is_a_fault_of_row_one(text: str) -> None:
    plan = planned(text, shop_id=SHOP, products=(), now=NOW)

    assert [fault.row for fault in plan.faults] == [1]
    assert plan.entries == ()


def test_more_rows_than_a_menu_holds_are_refused() -> None:
    plan = plan_of(*(f"Prato {i};MEAL;10" for i in range(1001)))

    assert faults_of(plan) == [(1, "")]


def test_what_is_written_is_read_back_as_nothing_new() -> None:
    menu = (
        replace(KNOWN, name="=cmd|calc", description='Diz "oi"; com\nnada'.replace("\n", " ")),
        replace(product("agua"), category=Category.DRINK, is_available=False, position=9),
        replace(product("aspas"), name="'+55", position=10),
    )

    plan = planned(written(menu), shop_id=SHOP, products=menu, now=NOW)

    assert plan.faults == ()
    assert {entry.product for entry in plan.entries} == set(menu)
    assert "'=cmd" in written(menu)
