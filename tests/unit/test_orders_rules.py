"""Rules of orders that only show when one is broken: each kills a mutant of `tests.mutation`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comanda.events import Line
from comanda.ids import EventId, OrderId, ProductId, ReservationId
from comanda.money import Money
from tests.orders_builders import GUEST, NOW, SHOP, charged
from workers.orders.model import (
    IllegalTransition,
    Order,
    OrderStatus,
    Passage,
    Refusal,
    Step,
    TooLate,
)
from workers.orders.notices import Notice, NoticeKind
from workers.orders.steps import DEAD, FORWARD, PAID, STEPS, WAITING

S = OrderStatus
MINUTE = timedelta(minutes=1)


def order(status: OrderStatus = S.PENDING_PAYMENT, **fields: Any) -> Order:
    line = Line(product_id=ProductId("p"), name="P", quantity=1, unit_price=Money.parse("25.00"))
    return Order(
        id=OrderId("o"),
        shop_id=SHOP,
        owner=GUEST,
        customer_id=None,
        day=NOW.date(),
        call_number=1,
        lines=(line,),
        total=Money.parse("25.00"),
        placed_at=NOW,
        status=status,
        **fields,
    )


def passages(*statuses: OrderStatus) -> tuple[Passage, ...]:
    """Come to each status a minute after the one before it."""
    return tuple(Passage(status=s, at=NOW + n * MINUTE) for n, s in enumerate(statuses, start=1))


def test_each_step_begins_and_ends_where_the_design_says() -> None:
    assert {step: (rule.sources, rule.target) for step, rule in STEPS.items()} == {
        Step.APPROVE: ({S.PENDING_PAYMENT}, S.RECEIVED),
        Step.FAIL_PAYMENT: ({S.PENDING_PAYMENT}, S.PAYMENT_FAILED),
        Step.REJECT_STOCK: ({S.PENDING_PAYMENT}, S.CANCELLED),
        Step.TAKE_BACK: ({S.PENDING_PAYMENT, S.RECEIVED}, S.CANCELLED),
        Step.CANCEL: ({S.PENDING_PAYMENT, S.RECEIVED}, S.CANCELLED),
        Step.CALL_OFF: ({S.PENDING_PAYMENT, S.RECEIVED, S.IN_PREPARATION, S.READY}, S.CANCELLED),
        Step.START: ({S.RECEIVED}, S.IN_PREPARATION),
        Step.MAKE_READY: ({S.IN_PREPARATION}, S.READY),
        Step.COMPLETE: ({S.READY}, S.COMPLETED),
        Step.UNDO_START: ({S.IN_PREPARATION}, S.RECEIVED),
        Step.RECALL: ({S.READY}, S.IN_PREPARATION),
        Step.UNDO_COMPLETE: ({S.COMPLETED}, S.READY),
    }


def test_what_is_heard_from_elsewhere_leads_forward_only() -> None:
    assert {
        S.PENDING_PAYMENT: {S.RECEIVED, S.PAYMENT_FAILED, S.CANCELLED},
        S.RECEIVED: {S.IN_PREPARATION, S.CANCELLED},
        S.IN_PREPARATION: {S.READY, S.CANCELLED},
        S.READY: {S.COMPLETED, S.CANCELLED},
        S.COMPLETED: set(),
        S.PAYMENT_FAILED: set(),
        S.CANCELLED: set(),
    } == FORWARD


def test_every_status_is_paid_or_dead_or_waits_for_its_payment() -> None:
    assert {S.RECEIVED, S.IN_PREPARATION, S.READY, S.COMPLETED} == PAID
    assert {S.CANCELLED, S.PAYMENT_FAILED} == DEAD
    assert {S.PENDING_PAYMENT, S.RECEIVED, S.IN_PREPARATION} == WAITING
    assert set(OrderStatus) - {S.PENDING_PAYMENT} == PAID | DEAD


def test_an_order_is_awaited_until_its_code_is_there_or_its_end() -> None:
    fresh = order()

    assert fresh.is_awaited
    assert not fresh.attach(charged(fresh)).is_awaited
    assert not order(S.CANCELLED).is_awaited


@pytest.mark.parametrize("dead", [S.CANCELLED, S.PAYMENT_FAILED])
def test_nobody_is_shown_the_code_of_a_dead_order(dead: OrderStatus) -> None:
    waiting = order().attach(charged(order()))

    assert replace(waiting, status=dead).payable_pix is None
    assert waiting.payable_pix == waiting.pix is not None


@pytest.mark.parametrize(
    ("history", "minutes"),
    [
        ((), 9),
        ((S.RECEIVED, S.IN_PREPARATION), 9),
        ((S.RECEIVED, S.IN_PREPARATION, S.READY, S.COMPLETED), 3),
        ((S.RECEIVED, S.IN_PREPARATION, S.READY, S.IN_PREPARATION), 9),
        ((S.RECEIVED, S.IN_PREPARATION, S.READY, S.IN_PREPARATION, S.READY), 5),
        ((S.RECEIVED, S.CANCELLED), 2),
    ],
)
def test_a_recall_makes_the_customer_wait_again(
    history: tuple[OrderStatus, ...], minutes: int
) -> None:
    waited = order(history=passages(*history)).waiting(now=NOW + 9 * MINUTE)

    assert waited == minutes * MINUTE


def test_cooking_is_measured_from_the_payment_to_the_first_time_ready() -> None:
    through = (S.PENDING_PAYMENT, S.RECEIVED, S.IN_PREPARATION, S.READY, S.COMPLETED, S.READY)

    assert order(history=passages(*through)).cooking_time == 2 * MINUTE
    assert order(history=passages(S.RECEIVED, S.IN_PREPARATION)).cooking_time is None
    assert order(history=passages(S.READY)).cooking_time is None


def test_the_first_reservation_is_the_one_that_is_kept() -> None:
    kept = order().reserve(ReservationId("r-1")).reserve(ReservationId("r-2"))

    assert kept.reservation_id == "r-1"


def test_a_second_rejection_of_stock_changes_nothing() -> None:
    rejected = order().reject_stock("out_of_stock", at=NOW)

    assert rejected.reject_stock("again", at=NOW + MINUTE) is rejected
    with pytest.raises(IllegalTransition):
        order(S.RECEIVED).reject_stock("out_of_stock", at=NOW)


def test_a_hold_keeps_its_first_reason_and_ends_once() -> None:
    held = order(S.RECEIVED).hold("fraud")
    free = held.release()

    assert (held.hold("again"), held.held) == (held, "fraud")
    assert (free.held, free.release() is free) == (None, True)


@pytest.mark.parametrize("step", [Step.CANCEL, Step.CALL_OFF])
def test_an_order_is_cancelled_once_and_keeps_who_and_why(step: Step) -> None:
    dead = order(S.RECEIVED).cancel(step, reason="customer", at=NOW, by="ana", note="cold")

    assert (dead.status, dead.reason) == (S.CANCELLED, "customer")
    assert dead.history == (Passage(status=S.CANCELLED, at=NOW, by="ana", note="cold"),)
    assert dead.cancel(step, reason="shop", at=NOW + MINUTE, by="bia") is dead


def test_each_notice_is_told_once() -> None:
    told = order().tell(NoticeKind.PAID, at=NOW).tell(NoticeKind.READY, at=NOW + MINUTE)

    assert told.notices == (
        Notice(kind=NoticeKind.PAID, at=NOW),
        Notice(kind=NoticeKind.READY, at=NOW + MINUTE),
    )
    assert told.tell(NoticeKind.READY, at=NOW + 2 * MINUTE) is told


def test_of_a_storm_of_refusals_the_newest_fifty_are_kept() -> None:
    stormy = order()
    for number in range(52):
        refusal = Refusal(
            event_id=EventId(str(number)),
            event_type="t",
            name="n",
            detail="",
            status=S.READY,
            at=NOW,
        )
        stormy = stormy.record(refusal)

    assert [refusal.event_id for refusal in stormy.refusals] == [str(n) for n in range(2, 52)]


@pytest.mark.parametrize("minutes", [15, 16])
def test_what_was_handed_over_is_taken_back_within_a_quarter_of_an_hour(minutes: int) -> None:
    history = passages(S.READY, S.IN_PREPARATION, S.READY, S.COMPLETED)
    late = history[-1].at + minutes * MINUTE
    done = order(S.COMPLETED, history=history)

    if minutes == 15:
        assert done.advance(Step.UNDO_COMPLETE, at=late, by="ana").status is S.READY
        return
    with pytest.raises(TooLate):
        done.advance(Step.UNDO_COMPLETE, at=late, by="ana")


def test_a_quarter_of_an_hour_ends_with_its_last_second() -> None:
    done = order(S.COMPLETED, history=passages(S.COMPLETED))

    with pytest.raises(TooLate):
        done.advance(Step.UNDO_COMPLETE, at=NOW + 16 * MINUTE + timedelta(seconds=1))


@pytest.mark.parametrize("step", [Step.UNDO_START, Step.RECALL])
def test_what_is_still_here_is_taken_back_however_late(step: Step) -> None:
    (begin,) = STEPS[step].sources
    standing = order(begin, history=passages(begin))

    assert standing.advance(step, at=NOW + 90 * MINUTE).status is STEPS[step].target


def test_an_order_without_a_history_can_be_taken_back() -> None:
    assert order(S.COMPLETED).advance(Step.UNDO_COMPLETE, at=NOW).status is S.READY


@pytest.mark.parametrize("step", [Step.UNDO_START, Step.RECALL, Step.UNDO_COMPLETE])
def test_after_sixty_moves_an_order_is_moved_back_no_more_but_goes_on(step: Step) -> None:
    (begin,) = STEPS[step].sources
    often = order(begin, history=passages(*[begin] * 60))
    now = often.history[-1].at

    with pytest.raises(TooLate):
        often.advance(step, at=now)
    assert replace(often, history=often.history[1:]).advance(step, at=now).status is not begin


def test_an_order_that_moved_too_often_is_still_handed_over() -> None:
    often = order(S.READY, history=passages(*[S.READY] * 60))

    assert often.advance(Step.COMPLETE, at=NOW).status is S.COMPLETED
