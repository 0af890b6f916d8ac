"""The bill is estimated from what will be applied, and grows with what is sold."""

import pytest

from terraform.cost import monthly_cost, nodes, render


def total(profile: str, orders: int) -> float:
    return sum(line.dollars for line in monthly_cost(profile, orders=orders))


def test_ten_thousand_orders_on_lean_stay_near_the_reference() -> None:
    assert 450 < total("lean", 10_000) < 650


def test_production_costs_more_than_lean_for_the_same_orders() -> None:
    assert total("production", 10_000) > 2 * total("lean", 10_000)


def test_no_line_shrinks_when_more_is_sold() -> None:
    few, many = (monthly_cost("production", orders=it) for it in (1_000, 1_000_000))

    assert all(a.dollars <= b.dollars for a, b in zip(few, many, strict=True))
    assert nodes(0) == 2


def test_the_table_ends_with_the_sum_and_the_share_of_an_order() -> None:
    lines = monthly_cost("lean", orders=10_000)

    last = render(lines, orders=10_000).splitlines()[-1]
    assert f"{total('lean', 10_000):.2f}" in last
    assert "an order" in last


def test_orders_are_counted_from_nothing() -> None:
    assert total("lean", 0) > 0
    with pytest.raises(ValueError, match="0 or more"):
        monthly_cost("lean", orders=-1)
