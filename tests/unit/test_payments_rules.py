"""Rules of money that only show when one is broken: each kills a mutant of `tests.mutation`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comanda.events import ChargeRefused
from comanda.money import ZERO, Money
from tests.payments_builders import NOW, PRICE, PROVIDER_ID, booked, creating, fact, lines, waiting
from workers.payments import moves
from workers.payments.attempts import Attempt, AttemptStatus
from workers.payments.cases import CaseKind
from workers.payments.decisions import NotRefundable, cancel_order, refund_charge, refuse_charge
from workers.payments.facts import apply_fact
from workers.payments.ledger import EntryKind
from workers.payments.model import FIRST_CHECK, RESEND_AFTER, ChargeStatus, ProviderStatus, Verdict

S, P = ChargeStatus, ProviderStatus
TEN, REST = Money.parse("10.00"), Money.parse("48.80")


def test_a_fetch_that_began_earlier_does_not_take_back_that_a_later_one_did() -> None:
    later = NOW + timedelta(hours=1)
    charge = waiting(fetch_began_at=later)

    outcome = apply_fact(charge, fact=fact(P.WAITING), now=NOW)

    assert outcome.charge.fetch_began_at == later


def test_a_charge_in_review_keeps_the_id_of_what_the_provider_made() -> None:
    outcome = apply_fact(creating(), fact=fact(P.WAITING, amount=TEN), now=NOW)

    assert (outcome.charge.status, outcome.charge.provider_id) == (S.REVIEW, PROVIDER_ID)


@pytest.mark.parametrize("paid", [PRICE, REST])
def test_what_came_and_what_is_left_after_a_refund_are_both_the_price(paid: Money) -> None:
    said = fact(P.PARTIALLY_REFUNDED, paid=paid, refunded=TEN)

    outcome = apply_fact(waiting(), fact=said, now=NOW)

    assert outcome.charge.status is S.PARTIALLY_REFUNDED
    assert (booked(outcome).balance.charged, booked(outcome).balance.left) == (PRICE, REST)


def test_paid_without_an_amount_is_a_mismatch() -> None:
    outcome = apply_fact(waiting(), fact=fact(P.PAID, paid=None), now=NOW)

    assert [case.kind for case in outcome.cases] == [CaseKind.AMOUNT_MISMATCH]


@pytest.mark.parametrize(
    ("said", "reason"),
    [(P.PAID, "the dispute was won"), (P.CHARGED_BACK, "the dispute was lost: see its own case")],
)
def test_the_end_of_a_dispute_says_who_won(said: ProviderStatus, reason: str) -> None:
    charge = waiting(status=S.DISPUTED, paid_at=NOW, lines=lines(charged="58.80", disputed="58.80"))

    outcome = apply_fact(charge, fact=fact(said), now=NOW)

    assert [(s.kind, s.reason) for s in outcome.settled] == [(CaseKind.DISPUTED, reason)]


def test_a_chargeback_that_is_known_is_not_told_again() -> None:
    charge = waiting(
        status=S.CHARGED_BACK, paid_at=NOW, lines=lines(charged="58.80", disputed="58.80")
    )

    outcome = apply_fact(charge, fact=fact(P.CHARGED_BACK), now=NOW)

    assert (outcome.verdict, outcome.refused) == (Verdict.UNCHANGED, None)


def test_a_chargeback_does_not_become_a_dispute_again() -> None:
    charge = waiting(
        status=S.CHARGED_BACK, paid_at=NOW, lines=lines(charged="58.80", disputed="58.80")
    )

    outcome = apply_fact(charge, fact=fact(P.DISPUTED), now=NOW)

    assert (outcome.charge.status, outcome.refused) == (S.CHARGED_BACK, S.DISPUTED)


@pytest.mark.parametrize(
    ("status", "back", "owed"),
    [
        (S.PAID, "0.00", [PRICE]),
        (S.PARTIALLY_REFUNDED, "10.00", [REST]),
        (S.PARTIALLY_REFUNDED, "58.80", []),
        (S.DISPUTED, "0.00", []),
    ],
)
def test_a_cancelled_order_owes_what_is_left_unless_the_bank_has_it(
    status: ChargeStatus, back: str, owed: list[Money]
) -> None:
    kept = lines(charged="58.80", refunded=back) if back != "0.00" else lines(charged="58.80")

    outcome = cancel_order(waiting(status=status, paid_at=NOW, lines=kept), now=NOW)

    assert [attempt.amount for attempt in outcome.attempts] == owed
    assert outcome.charge.order_cancelled_at == NOW


def test_a_refusal_of_a_cancelled_orders_charge_is_told_to_nobody() -> None:
    told = refuse_charge(creating(), reason="no", now=NOW)
    kept = refuse_charge(creating(order_cancelled_at=NOW), reason="no", now=NOW)

    assert [type(event) for event in told.events] == [ChargeRefused]
    assert (kept.events, kept.charge.status) == ((), S.REFUSED)


def test_an_order_cancelled_while_its_money_is_disputed_is_a_case() -> None:
    charge = waiting(status=S.DISPUTED, paid_at=NOW, lines=lines(charged="58.80"))

    outcome = cancel_order(charge, now=NOW)

    assert [c.kind for c in outcome.cases] == [CaseKind.PAID_AND_CANCELLED]


def a_refund(**changes: Any) -> Attempt:
    plan = moves.plan_refund(waiting(), amount=PRICE, reason="why", now=NOW)
    return replace(plan, **changes)


def test_money_that_the_bank_disputes_is_not_paid_back_by_hand() -> None:
    charge = waiting(status=S.DISPUTED, paid_at=NOW, lines=lines(charged="58.80"))

    with pytest.raises(NotRefundable):
        refund_charge(charge, wanted=a_refund(), others=())


@pytest.mark.parametrize(
    ("other", "allowed"),
    [
        (a_refund(amount=TEN), REST),
        (a_refund(amount=TEN, resource_id="900"), PRICE),
        (a_refund(amount=TEN, status=AttemptStatus.FAILED), PRICE),
        (moves.plan_cancel(waiting(), reason="why", now=NOW), PRICE),
    ],
)
def test_only_refunds_under_way_of_the_same_money_lessen_what_is_left(
    other: Attempt, allowed: Money
) -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))

    refund = refund_charge(charge, wanted=a_refund(is_whole=True), others=[other])

    assert refund.amount == allowed


@pytest.mark.parametrize(
    ("status", "said", "kinds"),
    [
        (S.REVIEW, P.REFUNDED, []),
        (S.REVIEW, P.PAID, [CaseKind.AMOUNT_MISMATCH]),
        (S.PAID, P.REFUNDED, [CaseKind.AMOUNT_MISMATCH]),
    ],
)
def test_a_review_that_went_back_from_the_panel_is_no_second_case(
    status: ChargeStatus, said: ProviderStatus, kinds: list[CaseKind]
) -> None:
    charge = waiting(status=status, paid_at=NOW)

    outcome = apply_fact(charge, fact=fact(said, amount=TEN, paid=TEN), now=NOW)

    assert [case.kind for case in outcome.cases] == kinds
    assert outcome.charge.status is status


@pytest.mark.parametrize("told", [ZERO, PRICE])
def test_all_went_back_though_the_answer_leaves_the_sum_out(told: Money) -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))

    outcome = apply_fact(charge, fact=fact(P.REFUNDED, refunded=told), now=NOW)

    assert [(e.kind, e.amount) for e in outcome.entries] == [(EntryKind.REFUNDED, PRICE)]


def test_a_dispute_that_was_won_after_a_part_went_back_is_regained() -> None:
    kept = lines(charged="58.80", refunded="10.00", disputed="58.80")
    charge = waiting(status=S.DISPUTED, paid_at=NOW, lines=kept)

    outcome = apply_fact(charge, fact=fact(P.PARTIALLY_REFUNDED, paid=PRICE, refunded=TEN), now=NOW)

    assert [(e.kind, e.amount) for e in outcome.entries] == [(EntryKind.REGAINED, PRICE)]
    assert outcome.charge.status is S.PARTIALLY_REFUNDED


def test_what_a_human_looks_at_is_not_booked() -> None:
    outcome = apply_fact(waiting(status=S.REVIEW), fact=fact(P.PAID), now=NOW)

    assert (outcome.entries, outcome.charge.status) == ((), S.REVIEW)


def test_a_step_begins_the_schedule_anew_and_forgets_the_bytes() -> None:
    made = apply_fact(creating(checks=5), fact=fact(P.WAITING), now=NOW).charge
    paid = apply_fact(waiting(checks=5), fact=fact(P.PAID), now=NOW).charge

    assert (made.checks, made.request, made.next_check_at) == (0, None, NOW + FIRST_CHECK)
    assert (paid.checks, paid.next_check_at) == (0, None)


def test_what_is_still_to_be_sent_keeps_its_bytes() -> None:
    unknown = moves.moved(creating(), to=S.UNKNOWN, now=NOW)

    assert (unknown.request, unknown.next_check_at) == (b"{}", NOW + RESEND_AFTER)


def test_what_an_answer_leaves_out_is_not_forgotten() -> None:
    known = waiting(payment_id="PAY1")
    silent = fact(P.WAITING, payment_id=None, pix_code=None, expires_at=None)

    after = apply_fact(known, fact=silent, now=NOW).charge
    first = apply_fact(creating(), fact=fact(P.WAITING, payment_id="PAY1"), now=NOW).charge

    assert (after.payment_id, after.pix_code) == ("PAY1", known.pix_code)
    assert after.expires_at == known.expires_at
    assert (after.provider_id, after.provider_updated_at) == (PROVIDER_ID, silent.updated_at)
    assert (first.payment_id, first.pix_code) == ("PAY1", "000201")
    assert first.expires_at == fact().expires_at


def test_a_second_part_that_goes_back_is_booked_without_a_refused_step() -> None:
    kept = lines(charged="58.80", refunded="10.00")
    charge = waiting(status=S.PARTIALLY_REFUNDED, paid_at=NOW, lines=kept)
    twenty = Money.parse("20.00")

    outcome = apply_fact(charge, fact=fact(P.PARTIALLY_REFUNDED, refunded=twenty), now=NOW)

    assert [(e.kind, e.amount) for e in outcome.entries] == [(EntryKind.REFUNDED, TEN)]
    assert (outcome.charge.status, outcome.refused) == (S.PARTIALLY_REFUNDED, None)


@pytest.mark.parametrize("status", [S.EXPIRED, S.CANCELLED, S.REJECTED, S.REFUSED])
@pytest.mark.parametrize("said", [P.DISPUTED, P.CHARGED_BACK])
def test_late_money_that_the_bank_disputes_is_a_case_and_is_not_paid_back_by_us(
    status: ChargeStatus, said: ProviderStatus
) -> None:
    outcome = apply_fact(waiting(status=status), fact=fact(said), now=NOW)

    assert outcome.charge.status is S.PAID_LATE
    assert outcome.attempts == ()
    assert {case.kind for case in outcome.cases} == {CaseKind.PAID_LATE, CaseKind.DISPUTED}
