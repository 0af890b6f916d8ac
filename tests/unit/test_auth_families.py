"""Of a family of refresh tokens each is good once, and a second use ends them all."""

import pytest

from auth_lambda.chalicelib.families import Families, Owner, OwnerKind
from auth_lambda.chalicelib.refusals import SignInRefused
from auth_lambda.chalicelib.table import Table
from tests import auth_table
from tests.auth_table import ANA, BETO
from tests.identity_builders import Clock

clock = auth_table.clock
table = auth_table.table

MINE = Owner(kind=OwnerKind.CUSTOMER, shop_id=ANA, name="c1")


@pytest.fixture
def families(table: Table, clock: Clock) -> Families:
    return Families(table, clock=clock)


def test_each_refresh_token_is_good_once_and_makes_the_next(families: Families) -> None:
    first = families.begin(MINE, inner="cognito's")
    held = families.open(ANA, first)
    second = families.rotate(held)

    assert held.inner == "cognito's"
    assert families.open(ANA, second).inner == "cognito's"


def test_a_refresh_token_that_comes_back_ends_its_family(families: Families) -> None:
    first = families.begin(MINE, inner="x")
    second = families.rotate(families.open(ANA, first))

    with pytest.raises(SignInRefused):
        families.open(ANA, first)
    with pytest.raises(SignInRefused):
        families.open(ANA, second)


def test_of_two_refreshes_at_once_none_goes_on(families: Families) -> None:
    first = families.begin(MINE, inner="x")
    one, other = families.open(ANA, first), families.open(ANA, first)
    second = families.rotate(one)

    with pytest.raises(SignInRefused):
        families.rotate(other)
    with pytest.raises(SignInRefused):
        families.open(ANA, second)


def test_a_refresh_token_ends_after_seven_days_and_never_leaves_its_shop(
    families: Families, clock: Clock
) -> None:
    token = families.begin(MINE, inner="x")

    with pytest.raises(SignInRefused):
        families.open(BETO, token)
    clock.advance(days=7)
    with pytest.raises(SignInRefused):
        families.open(ANA, token)


@pytest.mark.parametrize("token", ["", "a.b.c", "W10.x.y", "e30.x.y", "....", "é.b.c"])
def test_what_is_no_refresh_token_is_refused(families: Families, token: str) -> None:
    with pytest.raises(SignInRefused):
        families.open(ANA, token)


def test_signing_out_everywhere_ends_all_families_of_one_owner(families: Families) -> None:
    other = Owner(kind=OwnerKind.CUSTOMER, shop_id=ANA, name="c2")
    mine = [families.begin(MINE, inner="x") for _ in range(2)]
    theirs = families.begin(other, inner="y")

    assert families.revoke_all(MINE) == 2
    for token in mine:
        with pytest.raises(SignInRefused):
            families.open(ANA, token)
    assert families.open(ANA, theirs).inner == "y"
