"""The sums of a day, and what is said when two books differ."""

import csv
import io
from datetime import date
from typing import Any

import pytest

from comanda.money import Money
from console.closing import reading
from console.closing.closing import Closing, Why, close
from console.closing.reading import read_papers
from console.closing.sheet import sheet
from console.screens.wording import CHARGES, STATUSES, zone
from tests.console_closing import BEGINS, ScriptedBooks, told_charge, told_day, told_order


async def closed(
    orders: list[dict[str, Any]],
    charges: list[dict[str, Any]],
    *,
    elsewhere: frozenset[str] = frozenset(),
) -> Closing:
    books = ScriptedBooks([told_day(orders)], charges, elsewhere=set(elsewhere))
    return close(await read_papers(books, day=None), zone=zone())


async def test_a_quiet_day_agrees_to_the_cent() -> None:
    orders = [told_order(n) for n in (1, 2, 4)]
    charges = [told_charge(order, fee="0.50") for order in orders]

    day = await closed(orders, charges)

    assert (str(day.sold), str(day.charged), str(day.fees)) == ("149.40", "149.40", "1.50")
    assert (str(day.net), day.fees_unknown) == ("147.90", 0)
    assert day.differences == ()
    assert day.kept_by_orders == day.kept_by_ledger == Money(14940)


async def test_hours_without_a_sale_are_shown_in_their_place() -> None:
    orders = [told_order(18), told_order(20), told_order(21, status="CANCELLED")]

    day = await closed(orders, [])

    assert [(each.name[11:13], each.count) for each in day.hours] == [
        ("22", 1),
        ("23", 0),
        ("00", 1),
        ("01", 0),
    ]


async def test_products_count_what_was_sold_and_not_called_off() -> None:
    juice = {"product_id": "s", "name": "Suco", "quantity": 9, "unit_price": "7.00"}
    orders = [
        told_order(1),
        told_order(2, lines=[juice], total="63.00"),
        told_order(3, status="CANCELLED"),
        told_order(4, status="PENDING_PAYMENT", paid_at=None),
    ]

    day = await closed(orders, [])

    assert [(p.name, p.quantity, str(p.amount)) for p in day.products] == [
        ("Suco", 9, "63.00"),
        ("X-Salada", 2, "49.80"),
    ]


@pytest.mark.parametrize(
    ("order", "charge", "why"),
    [
        ({}, {"charged": "0.00"}, Why.PAID_WITHOUT_MONEY),
        ({"paid_at": None, "status": "CANCELLED"}, {}, Why.MONEY_WITHOUT_SALE),
        ({}, {"charged": "99.60"}, Why.TOO_MUCH),
        ({}, {"refunded": "10.00"}, Why.TOO_LITTLE),
        ({"refunded": "49.80"}, {}, Why.MONEY_WITHOUT_SALE),
    ],
)
async def test_each_difference_has_its_reason(
    order: dict[str, Any], charge: dict[str, Any], why: Why
) -> None:
    fine, odd = told_order(1), told_order(2, **order)

    day = await closed([fine, odd], [told_charge(fine), told_charge(odd, open_cases=1, **charge)])

    (found,) = day.differences
    assert (found.why, found.call_number, found.has_case) == (why, 2, True)
    assert found.by_orders != found.by_ledger


async def test_a_paid_order_without_any_charge_differs() -> None:
    day = await closed([told_order(1)], [])

    assert [each.why for each in day.differences] == [Why.PAID_WITHOUT_MONEY]


@pytest.mark.parametrize(
    ("order", "charge"),
    [
        ({"paid_at": None, "refunded": "49.80"}, {"refunded": "49.80"}),
        ({"refunded": "9.80"}, {"refunded": "9.80"}),
        ({"refunded": "49.80", "status": "CANCELLED"}, {"refunded": "49.80"}),
        ({"paid_at": None, "status": "CANCELLED"}, {"charged": "0.00", "status": "CANCELLED"}),
    ],
)
async def test_what_came_late_and_went_back_is_no_difference(
    order: dict[str, Any], charge: dict[str, Any]
) -> None:
    one = told_order(1, **order)

    day = await closed([one], [told_charge(one, **charge)])

    assert day.differences == ()


async def test_money_whose_order_nobody_knows_is_a_difference_and_a_neighbours_is_not() -> None:
    ours, strange, neighbour, before = (told_order(n) for n in (1, 2, 23, -1))
    charges = [told_charge(each) for each in (ours, strange, neighbour, before)]

    day = await closed([ours], charges, elsewhere=frozenset({neighbour["id"]}))

    assert [(each.why, each.order_id) for each in day.differences] == [
        (Why.NO_ORDER, strange["id"])
    ]
    assert str(day.charged) == "99.60"


async def test_what_is_disputed_is_not_kept_and_what_was_won_is() -> None:
    lost, won = told_order(1), told_order(2)
    charges = [
        told_charge(lost, disputed="49.80", status="CHARGED_BACK"),
        told_charge(won, disputed="49.80", regained="49.80"),
    ]

    day = await closed([lost, won], charges)

    assert (str(day.disputed), str(day.net), day.differences) == ("49.80", "49.80", ())


async def test_pages_of_a_day_stay_in_that_day_though_midnight_comes() -> None:
    pages = [told_day([told_order(1)], cursor="1"), told_day([told_order(2)])]
    books = ScriptedBooks(pages, [], elsewhere=set())

    papers = await read_papers(books, day=None)

    asked = [query for name, query in books.asked if name == "orders/closing"]
    assert [query.get("day") for query in asked] == [None, "2026-11-20"]
    assert [order.call_number for order in papers.orders] == [1, 2]
    assert papers.is_whole


async def test_a_day_beyond_the_bound_says_that_it_is_not_whole() -> None:
    orphan = told_charge(told_order(9))
    books = ScriptedBooks([told_day([told_order(1)], cursor="1")], [orphan], elsewhere=set())

    papers = await read_papers(books, day=date(2026, 11, 20), most_pages=1)

    assert not papers.is_whole
    assert papers.orphans == ()


async def test_more_strange_charges_than_are_looked_up_make_a_day_that_is_not_whole() -> None:
    strange = [told_charge(told_order(1)) for _ in range(201)]
    books = ScriptedBooks([told_day([])], strange, elsewhere=set())

    papers = await read_papers(books, day=date(2026, 11, 20))

    assert len(papers.orphans) == 200
    assert not papers.is_whole


def test_an_order_tells_its_instant_by_its_id() -> None:
    assert reading.begun(told_order(0)["id"]) == BEGINS


async def test_a_sheet_opens_in_a_brazilian_spreadsheet_and_runs_no_formula() -> None:
    evil = {"product_id": "e", "name": "=1+1;x", "quantity": 1, "unit_price": "1234.56"}
    order = told_order(1, lines=[evil], total="1234.56")

    content = sheet(await closed([order], []), statuses=STATUSES, charges=CHARGES)

    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["Seção", "Item", "Quantidade", "Valor (R$)"]
    assert ["Produtos", "'=1+1;x", "1", "1234,56"] in rows
    assert ["Diferenças", "1 pelo livro", "", "0,00"] in rows
    assert all(len(row) == 4 for row in rows)
