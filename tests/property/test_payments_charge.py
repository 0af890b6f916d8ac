"""Whatever the order, the repetition and the age of facts, a charge never moves backwards."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from comanda.events import PaymentApproved, PaymentRefunded
from comanda.money import ZERO
from tests.payments_builders import NOW, booked, creating, fact, waiting
from workers.payments.decisions import cancel_order, refuse_charge
from workers.payments.facts import apply_fact
from workers.payments.ledger import EntryKind
from workers.payments.model import TRANSITIONS, Charge, ChargeStatus, Outcome, ProviderStatus

FACTS = st.builds(
    lambda status, minute, has_code: fact(
        status,
        updated_at=NOW + timedelta(minutes=minute),
        pix_code="000201" if has_code else None,
    ),
    st.sampled_from(ProviderStatus),
    st.integers(0, 5),
    st.booleans(),
)
STARTS = st.sampled_from([creating(), waiting()])


def reachable(start: ChargeStatus) -> set[ChargeStatus]:
    seen, left = {start}, [start]
    while left:
        new = TRANSITIONS[left.pop()] - seen
        seen |= new
        left += new
    return seen


def run(charge: Charge, said: list[object]) -> list[Outcome]:
    outcomes = []
    for one in said:
        outcome = _step(charge, one)
        outcomes.append(outcome)
        charge = booked(outcome)
    return outcomes


def _step(charge: Charge, one: object) -> Outcome:
    if one == "cancel":
        return cancel_order(charge, now=NOW)
    if one == "refuse":
        return refuse_charge(charge, reason="limits", now=NOW)
    return apply_fact(charge, fact=one, now=NOW)  # type: ignore[arg-type]


@given(STARTS, st.lists(st.one_of(FACTS, st.sampled_from(["cancel", "refuse"])), max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_sequence_of_facts_moves_a_charge_outside_its_table(
    start: Charge, said: list[object]
) -> None:
    outcomes = run(start, said)

    before = start
    for outcome in outcomes:
        after = outcome.charge
        assert after.status is before.status or after.status in reachable(before.status)
        assert before.provider_updated_at is None or after.provider_updated_at is not None
        before = after


@given(STARTS, st.lists(FACTS, max_size=8), st.data())
@settings(max_examples=300, deadline=None)
def test_shuffled_and_doubled_facts_approve_and_charge_at_most_once(
    start: Charge, said: list[object], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(said + said))

    outcomes = run(start, list(order))

    approvals = [e for o in outcomes for e in o.events if isinstance(e, PaymentApproved)]
    entries = [e for o in outcomes for e in o.entries if e.kind is EntryKind.CHARGED]
    assert len(approvals) <= 1
    assert len(entries) <= 1
    assert len(approvals) <= len(entries)


@given(STARTS, st.lists(FACTS, max_size=8))
@settings(max_examples=300, deadline=None)
def test_money_that_came_is_an_approval_or_an_open_case(start: Charge, said: list[object]) -> None:
    outcomes = run(start, said)

    if any(o.entries for o in outcomes):
        approvals = [e for o in outcomes for e in o.events if isinstance(e, PaymentApproved)]
        is_back = booked(outcomes[-1]).balance.left == ZERO
        assert approvals or is_back or any(o.cases for o in outcomes)


@given(STARTS, st.lists(FACTS, max_size=10))
@settings(max_examples=300, deadline=None)
def test_no_more_is_told_to_have_gone_back_than_came(start: Charge, said: list[object]) -> None:
    outcomes = run(start, said)

    balance = booked(outcomes[-1]).balance if outcomes else start.balance
    told = [e.amount for o in outcomes for e in o.events if isinstance(e, PaymentRefunded)]
    assert sum(told, ZERO) == balance.refunded <= balance.charged
    assert balance.disputed <= balance.charged


def test_no_cycle_leads_back_to_an_unpaid_charge() -> None:
    unpaid = {ChargeStatus.CREATING, ChargeStatus.UNKNOWN, ChargeStatus.WAITING}

    assert not reachable(ChargeStatus.PAID) & unpaid
    assert not reachable(ChargeStatus.PAID_LATE) & (unpaid | {ChargeStatus.PAID})
