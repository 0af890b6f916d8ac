"""What a fact does at the edges of the table: each kills a mutant of `tests.mutation`."""

from datetime import timedelta

import pytest

from comanda.events import ChargeCreated, PaymentApproved, PaymentFailed
from comanda.money import ZERO, Money
from tests.payments_builders import NOW, PRICE, booked, creating, fact, lines, waiting
from workers.payments import moves
from workers.payments.cases import CaseKind
from workers.payments.decisions import NotRefundable, refund_charge
from workers.payments.facts import apply_fact
from workers.payments.ledger import EntryKind
from workers.payments.model import ChargeStatus, ProviderStatus, Verdict

S, P = ChargeStatus, ProviderStatus
TEN, REST, FEE = Money.parse("10.00"), Money.parse("48.80"), Money.parse("0.58")
LATER = NOW + timedelta(minutes=1)


def test_a_payment_is_dated_by_the_provider() -> None:
    outcome = apply_fact(waiting(), fact=fact(P.PAID), now=NOW)

    assert outcome.charge.paid_at == LATER


def test_a_part_that_goes_back_later_does_not_date_the_payment_anew() -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))

    outcome = apply_fact(charge, fact=fact(P.PARTIALLY_REFUNDED, refunded=TEN), now=NOW)

    assert outcome.charge.paid_at == NOW


def test_a_refund_after_a_lost_dispute_is_booked_though_the_table_ends() -> None:
    kept = lines(charged="58.80", disputed="58.80")
    charge = waiting(status=S.CHARGED_BACK, paid_at=NOW, lines=kept)

    outcome = apply_fact(charge, fact=fact(P.REFUNDED, refunded=PRICE), now=NOW)

    assert [(e.kind, e.amount) for e in outcome.entries] == [(EntryKind.REFUNDED, PRICE)]
    assert (outcome.charge.status, outcome.refused) == (S.CHARGED_BACK, S.REFUNDED)


def test_what_never_came_is_not_booked_as_gone() -> None:
    charge = waiting(status=S.CHARGED_BACK, paid_at=NOW)

    outcome = apply_fact(charge, fact=fact(P.REFUNDED, refunded=PRICE), now=NOW)

    assert (outcome.entries, outcome.verdict) == ((), Verdict.REFUSED)


def test_a_partial_refund_of_another_price_is_a_mismatch() -> None:
    said = fact(P.PARTIALLY_REFUNDED, paid=TEN, refunded=Money.parse("1.00"))

    outcome = apply_fact(waiting(), fact=said, now=NOW)

    assert [case.kind for case in outcome.cases] == [CaseKind.AMOUNT_MISMATCH]
    assert outcome.charge.status is S.REVIEW


def test_paid_and_disputed_unseen_is_not_booked_before_a_human_decides() -> None:
    outcome = apply_fact(waiting(), fact=fact(P.DISPUTED), now=NOW)

    assert (outcome.charge.status, outcome.entries) == (S.REVIEW, ())
    assert [case.kind for case in outcome.cases] == [CaseKind.DISPUTED]


@pytest.mark.parametrize("status", [S.PAID_LATE, S.REFUNDING])
def test_a_dispute_about_late_money_is_booked_without_a_refused_step(status: ChargeStatus) -> None:
    charge = waiting(status=status, paid_at=NOW, lines=lines(charged="58.80"))

    outcome = apply_fact(charge, fact=fact(P.DISPUTED), now=NOW)

    assert [(e.kind, e.amount) for e in outcome.entries] == [(EntryKind.DISPUTED, PRICE)]
    assert (outcome.charge.status, outcome.refused, outcome.attempts) == (status, None, ())


def test_a_code_that_nobody_can_pay_any_more_is_not_told() -> None:
    outcome = apply_fact(creating(), fact=fact(P.EXPIRED), now=NOW)

    assert [type(event) for event in outcome.events] == [PaymentFailed]


def test_the_code_of_an_unknown_charge_is_told_when_it_comes() -> None:
    outcome = apply_fact(creating(status=S.UNKNOWN), fact=fact(P.WAITING), now=NOW)

    assert [type(event) for event in outcome.events] == [ChargeCreated]


def test_a_payment_without_a_code_is_told_without_the_code() -> None:
    outcome = apply_fact(creating(), fact=fact(P.PAID, pix_code=None), now=NOW)

    assert [type(event) for event in outcome.events] == [PaymentApproved]


def test_late_money_goes_back_whole_whatever_the_provider_takes_for_it() -> None:
    outcome = apply_fact(waiting(status=S.EXPIRED), fact=fact(P.PAID, fee=FEE), now=NOW)

    assert [(e.kind, e.amount) for e in outcome.entries] == [
        (EntryKind.CHARGED, PRICE),
        (EntryKind.FEE, FEE),
    ]
    assert [attempt.amount for attempt in outcome.attempts] == [PRICE]


@pytest.mark.parametrize(("back", "owed"), [(TEN, [REST]), (PRICE, [])])
def test_of_late_money_only_what_is_left_goes_back(back: Money, owed: list[Money]) -> None:
    said = fact(P.PARTIALLY_REFUNDED, paid=PRICE, refunded=back)

    outcome = apply_fact(waiting(status=S.EXPIRED), fact=said, now=NOW)

    assert [attempt.amount for attempt in outcome.attempts] == owed
    assert booked(outcome).balance.refunded == back


@pytest.mark.parametrize("status", [S.PAID, S.PARTIALLY_REFUNDED, S.PAID_LATE, S.REFUNDING])
def test_what_came_can_be_paid_back_by_hand(status: ChargeStatus) -> None:
    charge = waiting(status=status, paid_at=NOW, lines=lines(charged="58.80"))
    wanted = moves.plan_refund(charge, amount=TEN, reason="why", now=NOW)

    assert refund_charge(charge, wanted=wanted, others=()).amount == TEN


def test_nothing_cannot_be_paid_back() -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))
    wanted = moves.plan_refund(charge, amount=ZERO, reason="why", now=NOW)

    with pytest.raises(NotRefundable):
        refund_charge(charge, wanted=wanted, others=())
