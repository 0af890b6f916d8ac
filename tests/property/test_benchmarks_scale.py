"""More orders a day never need less of anything, and never meet fewer limits."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scale.model import measured
from benchmarks.scale.needs import met, needs_of

COSTS = measured()


@settings(max_examples=50, deadline=None)
@given(st.integers(1_000, 200_000_000), st.floats(1.01, 50))
def test_more_orders_never_need_less(orders: int, factor: float) -> None:
    few, many = (needs_of(day, costs=COSTS) for day in (orders, math.ceil(orders * factor)))

    assert all(many.sized.processes[name] >= n for name, n in few.sized.processes.items())
    for name in (
        "nodes",
        "shops",
        "write_units",
        "published",
        "connections",
        "partitions",
        "dollars",
    ):
        assert getattr(many, name) >= getattr(few, name), name
    assert {it.name for it in met(many.orders, costs=COSTS)} >= {
        it.name for it in met(few.orders, costs=COSTS)
    }
