"""A fact that is not what we asked for is a case, and moves nothing else."""

from typing import Any

import pytest

from comanda.money import Money
from tests.payments_builders import NOW, ORDER, creating, fact, waiting
from tests.payments_facts import apply, in_status
from workers.payments.cases import CaseKind
from workers.payments.decisions import doubt_charge
from workers.payments.model import ChargeStatus, ProviderStatus, Verdict

S, P = ChargeStatus, ProviderStatus


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"amount": Money.parse("58.79")}, CaseKind.AMOUNT_MISMATCH),
        ({"amount": None}, CaseKind.AMOUNT_MISMATCH),
        ({"paid": Money.parse("58.79")}, CaseKind.AMOUNT_MISMATCH),
        ({"paid": None}, CaseKind.AMOUNT_MISMATCH),
        ({"currency": "ARS"}, CaseKind.CURRENCY_MISMATCH),
        ({"receiver": "seller-2"}, CaseKind.RECEIVER_MISMATCH),
        ({"reference": "charge-2"}, CaseKind.REFERENCE_MISMATCH),
        ({"method": "credit_card"}, CaseKind.METHOD_MISMATCH),
    ],
)
def test_a_mismatch_is_a_review_with_an_open_case_and_moves_nothing_else(
    changes: dict[str, Any], kind: CaseKind
) -> None:
    outcome = apply(waiting(), fact(P.PAID, **changes))

    assert (outcome.charge.status, outcome.verdict) == (S.REVIEW, Verdict.MISMATCH)
    (case,) = outcome.cases
    assert (case.kind, case.order_id) == (kind, ORDER)
    assert (outcome.events, outcome.entries, outcome.charge.paid_at) == ((), (), None)


def test_58_8_is_58_80() -> None:
    said = Money.parse("58.8")

    outcome = apply(waiting(), fact(P.PAID, amount=said, paid=said))

    assert outcome.charge.status is S.PAID


def test_a_mismatch_after_the_payment_opens_a_case_and_leaves_the_charge_paid() -> None:
    outcome = apply(in_status(S.PAID), fact(P.PAID, paid=Money.parse("1.00")))

    assert outcome.charge.status is S.PAID
    assert len(outcome.cases) == 1


def test_another_order_of_the_provider_for_our_charge_is_a_case_and_no_more() -> None:
    outcome = apply(waiting(), fact(P.PAID, provider_id="ORD02"))

    assert outcome.charge.status is S.WAITING
    assert outcome.charge.provider_id == "ORD01"
    (case,) = outcome.cases
    assert case.kind is CaseKind.SECOND_PROVIDER_ORDER


def test_a_reference_mismatch_does_not_take_the_foreign_order_for_its_own() -> None:
    outcome = apply(creating(), fact(P.PAID, reference="charge-2"))

    assert (outcome.charge.status, outcome.charge.provider_id) == (S.REVIEW, None)


def test_a_key_that_the_provider_knows_otherwise_is_a_case_and_is_not_sent_again() -> None:
    doubted = doubt_charge(creating(), detail="409", request=b"bare", now=NOW)
    too_late = doubt_charge(waiting(), detail="409", request=b"bare", now=NOW)

    assert (doubted.charge.status, doubted.charge.next_check_at) == (S.UNKNOWN, None)
    assert doubted.charge.request == b"bare"
    assert len(doubted.cases) == 1
    assert too_late.refused is S.UNKNOWN
