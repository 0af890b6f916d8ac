"""What reconciliation takes for known, for overdue and for lost."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comanda.mercadopago.values import Flavour
from comanda.money import ZERO, Money
from tests.payments_builders import (
    NOW,
    PROVIDER_ID,
    creating,
    fact,
    lines,
    waiting,
)
from workers.payments.attempts import AttemptKind
from workers.payments.cases import CaseKind
from workers.payments.ledger import EntryKind
from workers.payments.ledger import Line as LedgerLine
from workers.payments.model import (
    Charge,
    ChargeStatus,
    Outcome,
    ProviderFact,
    ProviderStatus,
    Verdict,
)
from workers.payments.moves import plan_refund
from workers.payments.reconciliation import close_overdue, note_lost
from workers.payments.sweeping import is_known

S, P = ChargeStatus, ProviderStatus
SAID = {
    P.WAITING: {S.CREATING, S.UNKNOWN, S.WAITING},
    P.PROCESSING: {S.CREATING, S.UNKNOWN, S.WAITING},
    P.EXPIRED: {S.EXPIRED, S.CANCELLED, S.REJECTED},
    P.CANCELLED: {S.EXPIRED, S.CANCELLED, S.REJECTED},
    P.REJECTED: {S.EXPIRED, S.CANCELLED, S.REJECTED},
    P.PAID: {S.PAID, S.DISPUTED},
    P.PARTIALLY_REFUNDED: {S.PARTIALLY_REFUNDED},
    P.REFUNDED: {S.REFUNDED},
    P.DISPUTED: {S.DISPUTED},
    P.CHARGED_BACK: {S.CHARGED_BACK},
    P.UNRECOGNISED: set(),
}
# These are followed to their end by other means, so the list has no news of them.
FOLLOWED = {S.PAID_LATE, S.REFUNDING, S.REVIEW}


@pytest.mark.parametrize("said", list(ProviderStatus))
def test_a_list_agrees_with_our_books_where_both_say_the_same(said: ProviderStatus) -> None:
    agreeing = {s for s in S if is_known(waiting(status=s), fact(said))}

    assert agreeing == SAID[said] | FOLLOWED


@pytest.mark.parametrize("status", [S.REFUNDED, S.PAID_LATE])
@pytest.mark.parametrize(
    ("booked", "told", "known"), [("10.00", "10.00", True), ("9.99", "10.00", False)]
)
def test_a_refund_that_is_not_booked_is_news(
    status: ChargeStatus, booked: str, told: str, *, known: bool
) -> None:
    charge = waiting(status=status, lines=lines(charged="58.80", refunded=booked))

    assert is_known(charge, fact(P.REFUNDED, refunded=Money.parse(told))) is known


def test_an_answer_without_a_sum_says_nothing_of_refunds() -> None:
    assert is_known(waiting(status=S.PAID), fact(P.PAID, refunded=None))


@pytest.mark.parametrize(
    ("charged", "refunded", "told", "known"),
    [
        (None, None, ZERO, False),
        (Money(1), None, ZERO, True),
        (Money(1), Money(1), Money(1), True),
        (Money(2), Money(1), Money(2), False),
        (Money(2), Money(2), None, True),
    ],
)
def test_a_second_payment_is_known_once_it_and_its_refunds_are_booked(
    charged: Money | None, refunded: Money | None, told: Money | None, *, known: bool
) -> None:
    sums = ((EntryKind.CHARGED, charged), (EntryKind.REFUNDED, refunded))
    kept = [LedgerLine(kind=k, amount=a, resource_id="900") for k, a in sums if a is not None]
    charge = waiting(status=S.PAID, lines=(*lines(charged="58.80"), *kept))

    assert is_known(charge, fact(P.PAID, provider_id="900", refunded=told)) is known


def behind(**changes: Any) -> ProviderFact:
    said = {"provider_id": "900", "flavour": Flavour.PAYMENTS, "parent_id": PROVIDER_ID, **changes}
    return replace(fact(P.PAID), **said)


@pytest.mark.parametrize(
    ("charge", "said", "known"),
    [
        (waiting(status=S.PAID), behind(), True),
        (waiting(), behind(), False),
        (waiting(), behind(status=P.WAITING), True),
        (waiting(status=S.PAID), behind(status=P.WAITING), True),
        (waiting(status=S.PAID), behind(parent_id="another"), False),
        (waiting(status=S.PAID), behind(flavour=Flavour.ORDERS), False),
        (creating(), behind(parent_id=None), False),
    ],
)
def test_a_payment_behind_our_order_is_known_by_the_orders_own_line(
    charge: Charge, said: ProviderFact, *, known: bool
) -> None:
    assert is_known(charge, said) is known


@pytest.mark.parametrize(("seconds", "planned"), [(0, 0), (1, 1)])
def test_a_code_that_is_open_ten_minutes_after_its_end_is_closed_by_us(
    seconds: int, planned: int
) -> None:
    charge = waiting()
    late = NOW + timedelta(minutes=40, seconds=seconds)

    outcome = close_overdue(Outcome(charge=charge, verdict=Verdict.UNCHANGED), at=late)

    assert [plan.kind for plan in outcome.attempts] == [AttemptKind.CANCEL] * planned


@pytest.mark.parametrize(
    "charge", [waiting(expires_at=None), waiting(status=S.PAID), waiting(status=S.EXPIRED)]
)
def test_what_has_no_end_or_waits_no_more_is_not_closed_by_us(charge: Charge) -> None:
    outcome = Outcome(charge=charge, verdict=Verdict.UNCHANGED)

    assert close_overdue(outcome, at=NOW + timedelta(days=1)) is outcome


def test_closing_keeps_what_was_planned_before() -> None:
    plan = plan_refund(waiting(), amount=Money(1), reason="why", now=NOW)
    before = Outcome(charge=waiting(), verdict=Verdict.UNCHANGED, attempts=(plan,))

    outcome = close_overdue(before, at=NOW + timedelta(days=1))

    assert [a.kind for a in outcome.attempts] == [AttemptKind.REFUND, AttemptKind.CANCEL]


@pytest.mark.parametrize(("checks", "kinds"), [(7, []), (8, [CaseKind.LOST_BY_PROVIDER])])
def test_an_order_that_was_not_there_eight_times_is_a_case(
    checks: int, kinds: list[CaseKind], caplog: pytest.LogCaptureFixture
) -> None:
    charge = waiting(checks=checks)

    outcome = note_lost(charge, now=NOW)

    assert (outcome.charge, outcome.verdict) == (charge, Verdict.UNCHANGED)
    assert [case.kind for case in outcome.cases] == kinds
    assert vars(caplog.records[0])["charge_id"] == charge.id
