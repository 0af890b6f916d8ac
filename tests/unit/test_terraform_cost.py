"""The bill is estimated from what will be applied, and grows with what is sold."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from benchmarks.scale import order
from terraform import cost
from terraform.cost import monthly_cost, nodes, render

ROOT = Path(__file__).resolve().parents[2]
PRICES = json.loads((ROOT / "terraform/prices.json").read_text())


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


def test_an_order_costs_here_what_it_was_counted_to_ask() -> None:
    """`benchmarks/scale/order.py` counts it from topology.json and the access patterns."""
    assert round(order.write_units()) == cost.TABLE_WRITES
    assert cost.TABLE_READS == order.READ_UNITS
    assert order.publishes() == cost.SNS_PUBLISHES
    assert order.deliveries() == cost.SQS_DELIVERIES
    assert (cost.EDGE_CALLS, cost.POD_CALLS) == (
        order.AUTH_CALLS + order.WEBHOOK_CALLS,
        order.POD_CALLS,
    )
    assert cost.CUSTOMERS_PER_ORDER == order.KNOWN_CUSTOMERS


def test_the_access_patterns_say_the_same_number() -> None:
    text = (ROOT / "docs/access-patterns.md").read_text()
    (writes,) = re.findall(r"(\d+) write units", text)

    assert int(writes) == cost.TABLE_WRITES


def test_calls_of_pods_are_not_billed_as_calls_of_the_gateway() -> None:
    line = next(it for it in monthly_cost("lean", orders=1_000_000) if it.name == "API Gateway")

    assert line.dollars == pytest.approx(PRICES["api_gateway_million"] * cost.EDGE_CALLS)


def test_every_price_says_where_and_when_it_was_read() -> None:
    facts = {"as_of", "region", "currency", "note", "hours_a_month", "sources"}

    assert set(PRICES["sources"]) == set(PRICES) - facts
    for name, it in PRICES["sources"].items():
        assert date.fromisoformat(it["as_of"]) <= date.fromisoformat(PRICES["as_of"]), name
        assert len(it["source"]) > 20, name
