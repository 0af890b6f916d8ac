"""Who may do what is dangerous: only whoever has signed in lately, however good the token."""

from datetime import timedelta
from typing import Any

import pytest

from auth_lambda.chalicelib.callers import Caller, demand_fresh
from auth_lambda.chalicelib.problems import Problem
from comanda.identity.verifier import Identity, Kind
from comanda.ids import ShopId
from tests.identity_builders import NOW, SHOP, customer, signed


def caller(**claims: Any) -> Caller:
    identity = Identity(kind=Kind.CUSTOMER, subject="c1", shop_id=ShopId(SHOP), groups=frozenset())
    return Caller(identity=identity, token=signed(customer(**claims)))


def ago(**since: float) -> int:
    return int((NOW - timedelta(**since)).timestamp())


@pytest.mark.parametrize("minutes", [0, 5, 10])
def test_a_sign_in_of_the_last_ten_minutes_is_enough(minutes: int) -> None:
    assert demand_fresh(caller(auth_time=ago(minutes=minutes)), now=NOW) is None


@pytest.mark.parametrize(
    "told", [ago(minutes=10, seconds=1), ago(days=6), None, "1", True, float(ago(seconds=1))]
)
def test_an_older_or_unknown_one_is_not_though_the_token_is_good(told: object) -> None:
    with pytest.raises(Problem) as refused:
        demand_fresh(caller(auth_time=told), now=NOW)

    assert (refused.value.status, refused.value.title) == (403, "Sign in again")
