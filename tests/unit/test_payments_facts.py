"""What a provider's fact may do to a charge, and what it may never do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from comanda.events import ChargeCreated, ChargeRefused, PaymentApproved, PaymentFailed
from tests.payments_builders import NOW, ORDER, PRICE, SHOP, booked, creating, fact, waiting
from tests.payments_facts import apply, in_status
from workers.payments.attempts import AttemptKind
from workers.payments.cases import CaseKind
from workers.payments.decisions import cancel_order, refuse_charge
from workers.payments.ledger import EntryKind
from workers.payments.model import (
    OPEN,
    TRANSITIONS,
    ChargeStatus,
    ProviderStatus,
    Verdict,
    next_check,
)

S, P = ChargeStatus, ProviderStatus


def test_every_status_has_its_row_in_the_table_of_transitions() -> None:
    assert set(TRANSITIONS) == set(ChargeStatus)


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (S.CREATING, P.WAITING, S.WAITING),
        (S.CREATING, P.PAID, S.PAID),
        (S.CREATING, P.EXPIRED, S.EXPIRED),
        (S.UNKNOWN, P.WAITING, S.WAITING),
        (S.UNKNOWN, P.PAID, S.PAID),
        (S.WAITING, P.PAID, S.PAID),
        (S.WAITING, P.EXPIRED, S.EXPIRED),
        (S.WAITING, P.CANCELLED, S.CANCELLED),
        (S.WAITING, P.REJECTED, S.REJECTED),
        (S.EXPIRED, P.PAID, S.PAID_LATE),
        (S.CANCELLED, P.PAID, S.PAID_LATE),
        (S.REJECTED, P.PAID, S.PAID_LATE),
        (S.REFUSED, P.PAID, S.PAID_LATE),
        (S.PAID, P.PARTIALLY_REFUNDED, S.PARTIALLY_REFUNDED),
        (S.PAID, P.REFUNDED, S.REFUNDED),
        (S.PAID, P.DISPUTED, S.DISPUTED),
        (S.DISPUTED, P.PAID, S.PAID),
        (S.DISPUTED, P.CHARGED_BACK, S.CHARGED_BACK),
        (S.PARTIALLY_REFUNDED, P.REFUNDED, S.REFUNDED),
        (S.WAITING, P.REFUNDED, S.REFUNDED),
        (S.EXPIRED, P.REFUNDED, S.REFUNDED),
        (S.CREATING, P.PARTIALLY_REFUNDED, S.PARTIALLY_REFUNDED),
        (S.DISPUTED, P.PARTIALLY_REFUNDED, S.PARTIALLY_REFUNDED),
        (S.PAID, P.CHARGED_BACK, S.CHARGED_BACK),
        (S.WAITING, P.DISPUTED, S.REVIEW),
    ],
)
def test_a_fact_moves_a_charge_along_the_table(
    status: ChargeStatus, said: ProviderStatus, expected: ChargeStatus
) -> None:
    outcome = apply(in_status(status), fact(said))

    assert (outcome.charge.status, outcome.verdict) == (expected, Verdict.APPLIED)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (S.PAID, P.WAITING),
        (S.PAID, P.EXPIRED),
        (S.REFUNDED, P.PAID),
        (S.EXPIRED, P.WAITING),
        (S.REVIEW, P.PAID),
        (S.CHARGED_BACK, P.PAID),
    ],
)
def test_a_step_that_is_not_in_the_table_is_refused_by_name(
    status: ChargeStatus, said: ProviderStatus
) -> None:
    outcome = apply(in_status(status), fact(said))

    assert (outcome.charge.status, outcome.verdict) == (status, Verdict.REFUSED)
    assert outcome.refused is not None
    assert outcome.events == ()


def test_a_fact_older_than_the_last_one_changes_nothing() -> None:
    paid = waiting(status=S.PAID, paid_at=NOW, provider_updated_at=NOW)

    outcome = apply(paid, fact(P.WAITING, updated_at=NOW - timedelta(seconds=1)))

    assert (outcome.charge.status, outcome.verdict) == (S.PAID, Verdict.STALE)
    assert outcome.charge.provider_updated_at == NOW


def test_a_status_that_we_do_not_know_changes_nothing() -> None:
    outcome = apply(waiting(), fact(P.UNRECOGNISED))

    assert (outcome.charge.status, outcome.verdict) == (S.WAITING, Verdict.UNRECOGNISED)
    assert outcome.events == ()
    assert [case.kind for case in outcome.cases] == [CaseKind.UNRECOGNISED_STATUS]


@pytest.mark.parametrize("status", [S.PAID, S.WAITING, S.PAID_LATE, S.REFUNDING])
def test_what_is_known_already_is_not_told_again(status: ChargeStatus) -> None:
    said = P.WAITING if status is S.WAITING else P.PAID

    outcome = apply(in_status(status), fact(said))

    assert (outcome.charge.status, outcome.verdict) == (status, Verdict.UNCHANGED)
    assert (outcome.events, outcome.entries, outcome.refused) == ((), (), None)


def test_the_code_goes_out_with_the_charge() -> None:
    outcome = apply(creating(), fact(P.WAITING))

    (created,) = outcome.events
    assert isinstance(created, ChargeCreated)
    assert (created.pix_code, created.expires_at) == ("000201", NOW + timedelta(minutes=30))
    assert outcome.charge.request is None


def test_an_answer_without_an_end_gets_the_end_that_we_asked_for() -> None:
    outcome = apply(creating(), fact(P.WAITING, expires_at=None))

    (created,) = outcome.events
    assert isinstance(created, ChargeCreated)
    assert created.expires_at == NOW + timedelta(minutes=31)


def test_an_order_made_without_a_code_is_unknown_until_the_code_comes() -> None:
    first = apply(creating(), fact(P.PROCESSING, pix_code=None))
    second = apply(first.charge, fact(P.WAITING, pix_code=None))
    third = apply(second.charge, fact(P.WAITING))

    assert (first.charge.status, first.events) == (S.UNKNOWN, ())
    assert not first.charge.is_to_create
    assert (second.charge.status, second.verdict) == (S.UNKNOWN, Verdict.UNCHANGED)
    assert third.charge.status is S.WAITING


def test_a_payment_approves_and_enters_the_ledger_once() -> None:
    first = apply(waiting(), fact(P.PAID))
    second = apply(booked(first), fact(P.PAID))

    (approved,) = first.events
    assert isinstance(approved, PaymentApproved)
    assert (approved.order_id, approved.amount) == (ORDER, PRICE)
    assert [(e.kind, e.amount) for e in first.entries] == [(EntryKind.CHARGED, PRICE)]
    assert (second.events, second.entries) == ((), ())


def test_a_dispute_that_was_won_does_not_approve_again() -> None:
    outcome = apply(in_status(S.DISPUTED), fact(P.PAID))

    assert outcome.charge.status is S.PAID
    assert outcome.events == ()
    assert [e.kind for e in outcome.entries] == [EntryKind.REGAINED]
    assert [s.kind for s in outcome.settled] == [CaseKind.DISPUTED]


@pytest.mark.parametrize("said", [P.EXPIRED, P.CANCELLED, P.REJECTED])
def test_a_closed_charge_fails_the_payment_with_the_providers_reason(said: ProviderStatus) -> None:
    outcome = apply(waiting(), fact(said, detail="by_payer"))

    (failed,) = outcome.events
    assert isinstance(failed, PaymentFailed)
    assert failed.reason == "by_payer"


def test_late_money_is_in_the_ledger_and_in_a_case_but_approves_nothing() -> None:
    outcome = apply(in_status(S.EXPIRED), fact(P.PAID))

    (case,) = outcome.cases
    assert case.kind is CaseKind.PAID_LATE
    assert [e.kind for e in outcome.entries] == [EntryKind.CHARGED]
    assert [(a.kind, a.amount) for a in outcome.attempts] == [(AttemptKind.REFUND, PRICE)]
    assert outcome.events == ()


def test_money_for_a_cancelled_order_is_late_money() -> None:
    outcome = apply(waiting(order_cancelled_at=NOW), fact(P.PAID))

    assert (outcome.charge.status, outcome.events) == (S.PAID_LATE, ())
    assert len(outcome.cases) == 1


def test_a_cancelled_order_that_was_paid_is_a_case() -> None:
    unpaid = cancel_order(waiting(), now=NOW)
    paid = cancel_order(in_status(S.PAID), now=NOW)

    assert (unpaid.cases, unpaid.charge.order_cancelled_at) == ((), NOW)
    assert [attempt.kind for attempt in unpaid.attempts] == [AttemptKind.CANCEL]
    assert [case.kind for case in paid.cases] == [CaseKind.PAID_AND_CANCELLED]
    assert [(a.kind, a.amount) for a in paid.attempts] == [(AttemptKind.REFUND, PRICE)]


def test_a_refusal_is_told_once_and_only_before_the_charge_is_there() -> None:
    refused = refuse_charge(creating(), reason="limits", now=NOW)
    too_late = refuse_charge(waiting(), reason="limits", now=NOW)

    (event,) = refused.events
    assert isinstance(event, ChargeRefused)
    assert (refused.charge.status, event.shop_id) == (S.REFUSED, SHOP)
    assert (too_late.charge.status, too_late.verdict) == (S.WAITING, Verdict.REFUSED)


def test_checks_come_soon_at_first_then_rarely_and_once_after_the_code_expires() -> None:
    pauses = []
    for checks in (0, 1, 2, 12):
        due = next_check(waiting(checks=checks, expires_at=None), now=NOW)
        assert due is not None
        pauses.append((due - NOW).total_seconds())
    near_the_end = next_check(waiting(checks=9), now=NOW + timedelta(minutes=29))

    assert pauses == [15, 30, 60, 2400]
    assert near_the_end == NOW + timedelta(minutes=30, seconds=20)


def test_only_an_open_charge_is_checked() -> None:
    statuses = {
        s for s in ChargeStatus if next_check(replace(waiting(), status=s), now=NOW) is not None
    }

    assert statuses == OPEN | {S.DISPUTED}
