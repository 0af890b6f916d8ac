"""A second payment goes back, is a case or changes nothing; each rule kills a mutant."""

from typing import Any

import pytest

from comanda.mercadopago.values import Flavour
from comanda.money import ZERO, Money
from tests.payments_builders import NOW, PRICE, booked, fact, lines, waiting
from workers.payments.cases import CaseKind
from workers.payments.model import ChargeStatus, ProviderFact, ProviderStatus, Verdict
from workers.payments.strays import apply_stray

S, P = ChargeStatus, ProviderStatus
TEN, REST = Money.parse("10.00"), Money.parse("48.80")


def second(status: ProviderStatus = P.PAID, **changes: Any) -> ProviderFact:
    said = {"provider_id": "900", "flavour": Flavour.PAYMENTS, "paid": PRICE, **changes}
    return fact(status, **said)


@pytest.mark.parametrize(
    "changes",
    [{"receiver": "another"}, {"currency": "ARS"}, {"paid": None}, {"paid": ZERO}],
)
def test_a_second_payment_that_is_not_ours_or_empty_is_a_case_and_moves_nothing(
    changes: dict[str, Any],
) -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))

    outcome = apply_stray(charge, fact=second(**changes), now=NOW)

    assert [case.kind for case in outcome.cases] == [CaseKind.SECOND_PROVIDER_ORDER]
    assert (outcome.attempts, outcome.entries, outcome.charge) == ((), (), charge)


def test_a_second_payment_that_went_back_already_owes_nothing() -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))

    outcome = apply_stray(charge, fact=second(P.PARTIALLY_REFUNDED, refunded=PRICE), now=NOW)

    assert outcome.attempts == ()


def test_of_a_second_payment_only_what_is_left_goes_back() -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))
    said = second(P.PARTIALLY_REFUNDED, refunded=TEN)

    outcome = apply_stray(charge, fact=said, now=NOW)

    assert [(a.amount, a.resource_id) for a in outcome.attempts] == [(REST, "900")]
    assert booked(outcome).balance_of("900").left == REST
    assert booked(outcome).balance.refunded == ZERO


def test_a_second_payment_that_went_back_is_booked_once_and_its_case_is_over() -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))

    first = apply_stray(charge, fact=second(P.REFUNDED, refunded=PRICE), now=NOW)
    again = apply_stray(booked(first), fact=second(P.REFUNDED, refunded=PRICE), now=NOW)

    assert (first.verdict, again.verdict) == (Verdict.APPLIED, Verdict.UNCHANGED)
    assert [(s.kind, s.subject) for s in first.settled] == [(CaseKind.SECOND_PAYMENT, "900")]
    assert booked(first).balance_of("900").left == ZERO


def test_a_dispute_about_a_second_payment_is_a_case_once() -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))

    first = apply_stray(charge, fact=second(P.DISPUTED), now=NOW)
    again = apply_stray(booked(first), fact=second(P.DISPUTED), now=NOW)

    assert [(c.kind, c.subject) for c in first.cases] == [(CaseKind.DISPUTED, "900")]
    assert (first.attempts, first.settled) == ((), ())
    assert (again.verdict, again.cases) == (Verdict.UNCHANGED, ())


@pytest.mark.parametrize("said", [P.WAITING, P.EXPIRED, P.CANCELLED])
def test_a_second_code_that_nobody_paid_changes_nothing(said: ProviderStatus) -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))

    outcome = apply_stray(charge, fact=second(said, paid=ZERO), now=NOW)

    assert (outcome.verdict, outcome.cases, outcome.settled) == (Verdict.UNCHANGED, (), ())


def test_a_second_payment_that_is_known_plans_nothing_again() -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))
    first = apply_stray(charge, fact=second(), now=NOW)

    again = apply_stray(booked(first), fact=second(), now=NOW)

    assert [attempt.amount for attempt in first.attempts] == [PRICE]
    assert [(c.kind, c.subject) for c in first.cases] == [(CaseKind.SECOND_PAYMENT, "900")]
    assert (again.verdict, again.attempts, again.cases) == (Verdict.UNCHANGED, (), ())


def test_a_payment_beside_an_open_charge_is_for_a_human() -> None:
    outcome = apply_stray(waiting(), fact=second(), now=NOW)

    assert [c.kind for c in outcome.cases] == [CaseKind.SECOND_PROVIDER_ORDER]
    assert outcome.attempts == ()


def test_a_second_payment_of_another_amount_is_booked_as_it_came() -> None:
    charge = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))

    outcome = apply_stray(charge, fact=second(paid=TEN), now=NOW)

    assert [(e.amount, e.resource_id) for e in outcome.entries] == [(TEN, "900")]
    assert [attempt.amount for attempt in outcome.attempts] == [TEN]
