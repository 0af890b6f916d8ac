"""How a refund or a cancellation ends, judged by what the provider lists."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comanda.mercadopago.values import RefundState
from comanda.money import Money
from tests.payments_builders import CHARGE_ID, NOW, PRICE, lines, waiting
from workers.payments.attempts import Attempt, AttemptStatus
from workers.payments.cases import CaseKind
from workers.payments.endings import Ending, end_of_cancel, end_of_refund
from workers.payments.model import Charge, ChargeStatus, RefundFact
from workers.payments.moves import plan_cancel, plan_refund

S, A = ChargeStatus, AttemptStatus
TEN = Money.parse("10.00")
PAID = waiting(status=S.PAID, paid_at=NOW, lines=lines(charged="58.80"))
REFUND = replace(plan_refund(PAID, amount=TEN, reason="why", now=NOW), status=A.SENT)
CANCEL = replace(plan_cancel(waiting(), reason="why", now=NOW), status=A.SENT)
LATER = NOW + timedelta(minutes=5)
NEXT = LATER + timedelta(seconds=2)


def listed(name: str, state: RefundState = RefundState.DONE, amount: Money = TEN) -> RefundFact:
    return RefundFact(id=name, amount=amount, state=state)


def end(*refunds: RefundFact, attempt: Attempt = REFUND, **changes: Any) -> Ending:
    said: dict[str, Any] = {"charge": PAID, "others": (), "refusal": None, "now": LATER, **changes}
    return end_of_refund(attempt, listed=refunds, **said)


def test_a_refund_that_is_listed_as_done_is_done() -> None:
    ending = end(listed("r-1"))

    done = ending.attempt
    assert (done.status, done.provider_refund_id, done.detail) == (A.DONE, "r-1", "")
    assert (done.settled_at, done.next_try_at) == (LATER, None)
    assert [(s.kind, s.subject) for s in ending.settled] == [(CaseKind.REFUND_STUCK, CHARGE_ID)]


def test_a_refund_that_the_provider_gave_up_is_a_case() -> None:
    ending = end(listed("r-1", RefundState.FAILED))

    failed = ending.attempt
    assert (failed.status, failed.detail) == (A.FAILED, "the provider gave it up")
    assert (failed.settled_at, failed.next_try_at) == (LATER, None)
    assert [case.kind for case in ending.cases] == [CaseKind.REFUND_FAILED]


def test_a_refund_in_process_is_followed_whatever_the_refusal_said() -> None:
    ending = end(listed("r-1", RefundState.IN_PROCESS), refusal="not_found")

    followed = ending.attempt
    assert (followed.status, followed.provider_refund_id) == (A.IN_PROCESS, "r-1")
    assert (followed.detail, followed.next_try_at) == ("not_found", NEXT)
    assert (followed.settled_at, ending.cases, ending.settled) == (None, (), ())


def test_a_refund_of_which_nothing_is_heard_is_tried_again() -> None:
    assert end().attempt == replace(REFUND, next_try_at=NEXT)
    assert end(refusal="internal_error").attempt.detail == "internal_error"
    assert end(refusal="internal_error").attempt.status is A.SENT


@pytest.mark.parametrize(
    "refusal",
    [
        "refund_amount_exceeds",
        "invalid_transaction_id",
        "transaction_not_found",
        "order_not_found",
        "cannot_refund_order",
        "3024",
        "not_found",
        "idempotency_key_already_used",
    ],
)
def test_a_refusal_that_cannot_be_a_refund_in_disguise_ends_it(refusal: str) -> None:
    ending = end(refusal=refusal)

    assert (ending.attempt.status, ending.attempt.detail) == (A.FAILED, refusal)
    assert [case.kind for case in ending.cases] == [CaseKind.REFUND_FAILED]


@pytest.mark.parametrize(("refusal", "detail"), [(None, "paid back elsewhere"), ("x", "x")])
def test_what_somebody_else_paid_back_is_done(refusal: str | None, detail: str) -> None:
    charge = replace(PAID, lines=lines(charged="58.80", refunded="48.81"))

    ended = end(charge=charge, refusal=refusal).attempt

    assert (ended.status, ended.detail, ended.provider_refund_id) == (A.DONE, detail, None)


def test_as_long_as_just_enough_is_left_the_refund_goes_on() -> None:
    charge = replace(PAID, lines=lines(charged="58.80", refunded="48.80"))

    assert end(charge=charge).attempt.status is A.SENT


def test_the_newest_of_our_amount_that_is_nobody_elses_is_ours() -> None:
    other = replace(REFUND, id="another", provider_refund_id="r-3")
    itself = replace(REFUND, provider_refund_id="r-2")
    refunds = [listed("r-1"), listed("r-2"), listed("r-3"), listed("r-4", amount=PRICE)]

    ended = end(*refunds, others=[other, itself]).attempt

    assert ended.provider_refund_id == "r-2"


def test_a_refund_that_is_known_by_its_id_is_no_other() -> None:
    known = replace(REFUND, provider_refund_id="r-1")

    assert end(listed("r-1"), listed("r-2"), attempt=known).attempt.provider_refund_id == "r-1"
    assert end(listed("r-2"), attempt=known).attempt.status is A.SENT


@pytest.mark.parametrize("refusal", [None, "already_cancelled"])
@pytest.mark.parametrize(
    ("charge", "status"), [(waiting(), A.SENT), (waiting(status=S.CANCELLED), A.DONE)]
)
def test_a_cancellation_ends_when_the_charge_waits_no_more(
    charge: Charge, status: AttemptStatus, refusal: str | None
) -> None:
    ending = end_of_cancel(CANCEL, charge=charge, refusal=refusal, now=LATER)

    assert (ending.attempt.status, ending.attempt.detail) == (status, refusal or "")
    kinds = [settlement.kind for settlement in ending.settled]
    assert kinds == ([CaseKind.CANCEL_STUCK] if status is A.DONE else [])


@pytest.mark.parametrize(
    ("attempt", "kind"), [(REFUND, CaseKind.REFUND_STUCK), (CANCEL, CaseKind.CANCEL_STUCK)]
)
def test_what_is_open_for_an_hour_is_a_case_by_its_name(attempt: Attempt, kind: CaseKind) -> None:
    late = NOW + timedelta(hours=1)
    if attempt is REFUND:
        ending = end(now=late)
    else:
        ending = end_of_cancel(attempt, charge=waiting(), refusal=None, now=late)

    assert [case.kind for case in ending.cases] == [kind]
