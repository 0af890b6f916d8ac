"""A throttle admits as many as its limit says, whoever counts."""

from datetime import timedelta

import pytest

from auth_lambda.chalicelib.refusals import Throttled
from auth_lambda.chalicelib.table import Table
from auth_lambda.chalicelib.throttle import Limit, Throttle
from tests import auth_table
from tests.auth_table import ANA, BETO
from tests.identity_builders import Clock

clock = auth_table.clock
table = auth_table.table


def test_a_full_window_says_when_the_next_begins(table: Table, clock: Clock) -> None:
    throttle = Throttle(table, clock=clock)
    limit = Limit(purpose="TEST", count=2, window=timedelta(minutes=10))
    clock.advance(minutes=3)
    for _ in range(2):
        throttle.admit(limit, shop_id=ANA, name="n")

    with pytest.raises(Throttled) as refusal:
        throttle.admit(limit, shop_id=ANA, name="n")

    assert refusal.value.retry_after == timedelta(minutes=7)
    throttle.admit(limit, shop_id=BETO, name="n")
    clock.advance(minutes=7)
    throttle.admit(limit, shop_id=ANA, name="n")


def test_a_lease_is_spent_in_memory_and_never_exceeds_the_limit(table: Table, clock: Clock) -> None:
    throttle = Throttle(table, clock=clock)
    limit = Limit(purpose="LEASE", count=25, lease=10)  # A tenth: two at a time.
    admitted = 0

    with pytest.raises(Throttled):
        for _ in range(100):
            throttle.admit(limit, shop_id=ANA, name="n")
            admitted += 1

    assert admitted == 25
    clock.advance(minutes=10)
    throttle.admit(limit, shop_id=ANA, name="n")


def test_a_quiet_container_leaves_little_of_its_leases_unspent(table: Table, clock: Clock) -> None:
    throttle = Throttle(table, clock=clock)
    limit = Limit(purpose="GROWING", count=1000, lease=30)
    taken = []
    for _ in range(40):
        throttle.admit(limit, shop_id=ANA, name="n")
        ((_, item),) = table.items(f"THROTTLE#GROWING#{ANA}#n")
        taken.append(item["tally"])

    # One, then two, four, eight, sixteen, and thirty at most.
    assert [taken[n - 1] for n in (1, 2, 3, 4, 7, 8, 15, 16, 31, 32)] == [
        *(1, 3, 3, 7, 7, 15, 15, 31, 31, 61)
    ]
    assert all(got <= 2 * spent for spent, got in enumerate(taken, start=1))
