"""Codes, sessions, passes and applications are good for what they were given for, and briefly."""

from itertools import count

import pytest

from auth_lambda.chalicelib.applications import Applications
from auth_lambda.chalicelib.codes import Codes, Holder, new_code
from auth_lambda.chalicelib.passes import Passes
from auth_lambda.chalicelib.sealing import Broken
from auth_lambda.chalicelib.sessions import Sessions, reference_of
from auth_lambda.chalicelib.table import Table
from tests import auth_table
from tests.auth_table import ANA, BETO, MARIA, NAMES
from tests.identity_builders import Clock

clock = auth_table.clock
table = auth_table.table

HERE = Holder(owner="CUSTOMER#c1", place="here")
THERE = Holder(owner="CUSTOMER#c1", place="there")
OTHER = Holder(owner="CUSTOMER#c2", place="here")


@pytest.fixture
def codes(table: Table, clock: Clock) -> Codes:
    drawn = (f"{number:06d}" for number in count(1))
    return Codes(table, pseudonyms=NAMES, clock=clock, draw=lambda: next(drawn))


def test_a_code_has_six_digits() -> None:
    assert all(len(code) == 6 and code.isdigit() for code in (new_code() for _ in range(200)))


def test_a_code_is_right_once(codes: Codes) -> None:
    code = codes.issue(HERE, session="s1")

    assert [codes.is_right(HERE, code, session=s) for s in ("s1", "s2")] == [True, False]


def test_a_code_stays_right_for_the_session_that_used_it_and_does_not_hold_the_next_back(
    codes: Codes,
) -> None:
    code = codes.issue(HERE, session="s1")

    repeats = [codes.is_right(HERE, code, session="s1") for _ in range(5)]
    letter_that_came_twice = codes.issue(HERE, session="s1")
    of_another_session = codes.issue(HERE, session="s2")

    assert repeats == [True] * 5
    assert letter_that_came_twice is None
    assert not codes.is_right(HERE, code, session="s1")
    assert codes.is_right(HERE, of_another_session, session="s2")


def test_three_wrong_answers_use_a_code_up(codes: Codes) -> None:
    code = codes.issue(HERE, session="s1")

    answers = [
        codes.is_right(HERE, given, session="s1") for given in ("999999", "999998", "999997", code)
    ]

    assert answers == [False] * 4


def test_a_code_ends_after_five_minutes(codes: Codes, clock: Clock) -> None:
    code = codes.issue(HERE, session="s1")
    clock.advance(minutes=5)

    assert not codes.is_right(HERE, code, session="s1")


def test_a_code_is_no_use_to_another_customer(codes: Codes) -> None:
    code = codes.issue(HERE, session="s1")
    codes.issue(OTHER, session="s1")

    assert not codes.is_right(OTHER, code, session="s1")


def test_one_code_goes_out_in_a_minute_and_replaces_the_last(codes: Codes, clock: Clock) -> None:
    first = codes.issue(HERE, session="s1")
    within = codes.issue(HERE, session="s1")
    clock.advance(minutes=1)
    second = codes.issue(HERE, session="s1")

    assert within is None
    assert not codes.is_right(HERE, first, session="s1")
    assert codes.is_right(HERE, second, session="s1")


def test_a_withdrawn_code_makes_room_for_the_next(codes: Codes) -> None:
    code = codes.issue(HERE, session="s1")

    assert codes.withdraw(HERE, code)
    assert codes.issue(HERE, session="s1") is not None


def test_somebody_elsewhere_neither_uses_up_a_code_nor_its_minute(codes: Codes) -> None:
    mine = codes.issue(HERE, session="s1")

    theirs = codes.issue(THERE, session="s1")
    guesses = [codes.is_right(THERE, "999999", session="s1") for _ in range(3)]

    assert theirs is not None
    assert guesses == [False] * 3
    assert codes.is_right(HERE, mine, session="s1")


def test_a_session_is_good_for_three_attempts_in_its_shop(table: Table, clock: Clock) -> None:
    sessions = Sessions(table, clock=clock)
    sessions.open(ANA, "token")

    elsewhere = sessions.attempt(BETO, "token")
    rounds = [sessions.attempt(ANA, "token") for _ in range(4)]

    assert elsewhere is None
    assert [played is not None for played in rounds] == [True, True, True, False]


def test_a_session_knows_whose_code_it_awaits_once_it_is_bound(table: Table, clock: Clock) -> None:
    sessions = Sessions(table, clock=clock)
    sessions.open(ANA, "token")
    before = sessions.attempt(ANA, "token")

    sessions.bind(reference_of("token"), HERE, customer_id="c1")
    after = sessions.attempt(ANA, "token")

    assert (before.holder, before.customer_id) == (None, None)
    assert (after.holder, after.customer_id) == (HERE, "c1")


def test_a_session_that_is_gone_is_not_bound(table: Table, clock: Clock) -> None:
    assert not Sessions(table, clock=clock).bind(reference_of("token"), HERE)


def test_a_session_ends_after_five_minutes(table: Table, clock: Clock) -> None:
    sessions = Sessions(table, clock=clock)
    sessions.open(ANA, "token")
    clock.advance(minutes=5)

    assert sessions.attempt(ANA, "token") is None


def test_a_pass_is_good_once_for_its_customer_and_for_a_minute(table: Table, clock: Clock) -> None:
    passes = Passes(table, clock=clock)
    used, late = passes.grant("c1"), passes.grant("c1")

    assert not passes.redeem("c2", used)
    assert [passes.redeem("c1", used) for _ in range(2)] == [True, False]
    clock.advance(minutes=1)
    assert not passes.redeem("c1", late)


def test_an_application_opens_with_its_session_alone() -> None:
    applications = Applications(b"k" * 32)
    sealed = applications.seal(MARIA, session="s1")

    assert applications.open(sealed, session="s1").cpf == MARIA.cpf
    with pytest.raises(Broken):
        applications.open(sealed, session="s2")
