"""When the provider is asked again, and what may follow what: the numbers, written out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from comanda.money import Money
from tests.payments_builders import NOW, creating, fact, lines, waiting
from workers.payments.attempts import AttemptStatus, next_try
from workers.payments.decisions import refuse_charge
from workers.payments.facts import apply_fact
from workers.payments.model import (
    CLOSED,
    OPEN,
    TRANSITIONS,
    ChargeStatus,
    ProviderStatus,
    next_check,
)
from workers.payments.moves import plan_refund

S = ChargeStatus
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
REFUND = plan_refund(waiting(), amount=Money(1), reason="why", now=NOW)


def test_the_transitions_are_those_of_the_design() -> None:
    settled = {S.PAID, S.PAID_LATE, S.REVIEW, *CLOSED}
    assert {
        S.CREATING: {S.WAITING, S.REFUSED, S.UNKNOWN, *settled},
        S.UNKNOWN: {S.WAITING, S.REFUSED, *settled},
        S.WAITING: settled,
        S.PAID: {S.PARTIALLY_REFUNDED, S.REFUNDED, S.DISPUTED},
        S.REFUSED: {S.PAID_LATE},
        S.EXPIRED: {S.PAID_LATE},
        S.CANCELLED: {S.PAID_LATE},
        S.REJECTED: {S.PAID_LATE},
        S.REVIEW: set(),
        S.PAID_LATE: {S.REFUNDING, S.REFUNDED},
        S.REFUNDING: {S.REFUNDED},
        S.PARTIALLY_REFUNDED: {S.REFUNDED, S.DISPUTED},
        S.REFUNDED: set(),
        S.DISPUTED: {S.PAID, S.REFUNDED, S.CHARGED_BACK},
        S.CHARGED_BACK: set(),
    } == TRANSITIONS
    assert {S.EXPIRED, S.CANCELLED, S.REJECTED} == CLOSED
    assert {S.CREATING, S.UNKNOWN, S.WAITING} == OPEN


def test_a_charge_whose_answer_was_lost_can_still_be_refused() -> None:
    outcome = refuse_charge(creating(status=S.UNKNOWN), reason="limits", now=NOW)

    assert outcome.charge.status is S.REFUSED


@pytest.mark.parametrize(
    ("status", "said", "after"),
    [
        (S.PARTIALLY_REFUNDED, ProviderStatus.DISPUTED, S.DISPUTED),
        (S.DISPUTED, ProviderStatus.REFUNDED, S.REFUNDED),
    ],
)
def test_a_dispute_comes_after_a_part_went_back_and_may_end_in_a_refund(
    status: ChargeStatus, said: ProviderStatus, after: ChargeStatus
) -> None:
    charge = waiting(status=status, paid_at=NOW, lines=lines(charged="58.80"))

    assert apply_fact(charge, fact=fact(said), now=NOW).charge.status is after


@pytest.mark.parametrize(
    ("checks", "seconds"), [(0, 10), (1, 20), (2, 40), (3, 80), (4, 120), (50, 120)]
)
def test_unanswered_bytes_are_sent_again_soon_and_then_every_two_minutes(
    checks: int, seconds: int
) -> None:
    assert next_check(creating(checks=checks), now=NOW) == NOW + seconds * SECOND


@pytest.mark.parametrize(("checks", "seconds"), [(0, 1), (1, 2), (10, 1024), (50, 1024)])
def test_a_code_that_is_being_made_is_asked_for_after_a_second(checks: int, seconds: int) -> None:
    made = waiting(status=S.UNKNOWN, pix_code=None, expires_at=None, checks=checks)

    assert next_check(made, now=NOW) == NOW + seconds * SECOND


def test_a_dispute_is_looked_at_every_six_hours() -> None:
    assert next_check(waiting(status=S.DISPUTED), now=NOW) == NOW + 6 * HOUR


def test_the_last_look_after_the_end_of_the_code_is_not_taken_twice() -> None:
    last_look = NOW + timedelta(minutes=30, seconds=20)

    assert next_check(waiting(), now=last_look - SECOND) == last_look
    assert next_check(waiting(), now=last_look) == last_look + 15 * SECOND


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 2), (1, 4), (2, 8), (10, 2048), (11, 3600), (99, 3600)]
)
def test_a_refund_is_carried_on_with_soon_and_then_hourly(tries: int, seconds: int) -> None:
    assert next_try(tries, now=NOW) == NOW + seconds * SECOND


def test_a_refund_is_stuck_after_an_hour_unless_its_end_is_known() -> None:
    assert REFUND.is_stuck(now=NOW + HOUR)
    assert not REFUND.is_stuck(now=NOW + HOUR - SECOND)


def test_a_refund_is_open_until_its_end_is_known() -> None:
    is_open = {status for status in AttemptStatus if replace(REFUND, status=status).is_open}

    assert is_open == {AttemptStatus.PLANNED, AttemptStatus.SENT, AttemptStatus.IN_PROCESS}


def test_a_fetch_covers_what_was_told_before_it_began_and_not_in_that_moment() -> None:
    charge = waiting(fetch_began_at=NOW)

    assert charge.is_fetched_since(NOW - SECOND)
    assert not charge.is_fetched_since(NOW)
