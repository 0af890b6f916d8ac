"""The report's arithmetic, and what counts as balanced books."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from comanda.money import ZERO, Money
from local.demo.books import Books
from local.demo.load import LoadResult, Sale
from local.demo.report import print_report, quantile

SOUND = Books(
    provider=Money(500),
    payments=Money(500),
    orders=Money(500),
    orders_placed=1,
    orders_paid=1,
    open_cases=0,
    stock_sold=1,
    stock_held=0,
    stock_faults=0,
    dead_letters=0,
)
SALE = Sale(order_id="o", total="5.00", code_seconds=0.1, kitchen_seconds=0.2)
RESULT = LoadResult(
    sales=(SALE,), failures=("one failed",), sold_out=2, seconds=1.0, paid_seconds=0.5
)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)]
)
def test_a_quantile_is_a_value_that_was_seen(share: float, expected: float) -> None:
    values = [float(n) for n in range(100, 0, -1)]

    assert quantile(values, share) == expected


def test_equal_sums_and_nothing_left_over_balance() -> None:
    assert SOUND.is_balanced


@pytest.mark.parametrize(
    "fault",
    [
        {"provider": Money(501)},
        {"payments": ZERO},
        {"orders": Money(1)},
        {"open_cases": 1},
        {"stock_held": 1},
        {"stock_faults": 1},
        {"dead_letters": 1},
    ],
)
def test_any_difference_unbalances_the_books(fault: dict[str, object]) -> None:
    assert not replace(SOUND, **fault).is_balanced


@pytest.mark.parametrize(
    ("books", "verdict"),
    [(SOUND, "The books balance."), (replace(SOUND, orders=ZERO), "The books differ.")],
)
def test_the_report_says_how_it_ended(books: Books, verdict: str) -> None:
    console = Console(record=True, width=100, file=io.StringIO())

    print_report(console, RESULT, books)

    text = console.export_text()
    assert verdict in text
    assert "one failed" in text
    assert "200 / 200 ms" in text
