"""Least privilege: what programs ask is allowed, and each right is needed for something asked.

What was asked stands in a record of whole runs of the laptop; what would be answered is said by
the evaluator of the guard that held those runs to their policies.
"""

import pytest

from local.iam.laptop import policies
from local.iam.rights import rights_of, without
from terraform.policies import workloads
from tests.policies_record import Replay, Right, reasons, replay, used


@pytest.fixture(scope="module")
def today() -> Replay:
    return replay(policies(), used())


def every_right() -> list[Right]:
    return [(name, *right) for name, policy in policies().items() for right in rights_of(policy)]


def test_whatever_a_program_was_seen_to_ask_is_allowed(today: Replay) -> None:
    assert today.denied == frozenset()


def test_each_right_of_each_workload_is_needed_or_has_a_reason(today: Replay) -> None:
    spare = [right for right in every_right() if right not in today.needed]

    assert [it for it in spare if not any(one.covers(it) for one in reasons())] == []


def test_no_reason_outlives_the_right_that_it_speaks_of(today: Replay) -> None:
    spare = [right for right in every_right() if right not in today.needed]

    assert [one for one in reasons() if not any(map(one.covers, spare))] == []


def test_no_reason_covers_a_right_that_is_used(today: Replay) -> None:
    assert [(one, it) for one in reasons() for it in today.needed if one.covers(it)] == []


def test_every_workload_was_seen_at_work_but_those_that_call_nothing() -> None:
    silent = set(workloads()) - {it.workload for it in used()}

    # Cognito's triggers that decide by their event alone, and the migrations of databases.
    assert silent == {
        "auth-claims",
        "auth-create",
        "auth-define",
        "catalog-migrate",
        "payments-migrate",
    }


def test_any_right_that_is_taken_away_is_missed() -> None:
    """Not by the list of needed rights, but by the first test above, as whoever deletes one would.

    One of each workload, wherever in its policy; the evaluator itself goes through all of them.
    """
    whole, entries = policies(), used()
    first = {right[0]: right for right in sorted(replay(whole, entries).needed)}

    poorer = {name: without(whole[name], *right) for name, (_, *right) in first.items()}
    denied = replay({**whole, **poorer}, entries).denied
    assert {it.workload for it in denied} == set(first)
