"""An order's life under shuffled, doubled and lost news: forward only, paid once."""

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from comanda.envelope import Envelope, seal
from comanda.events import OrderCancelled, OrderPaid
from comanda.ids import ChargeId
from comanda.money import ZERO, Money
from tests.orders_builders import (
    NOW,
    SHOP,
    Clock,
    approved,
    charged,
    deliver,
    failed,
    placed,
    refunded,
    refused,
    rejected,
    reserved,
    till,
)
from workers.orders.kitchen import Ask, advance, cancel
from workers.orders.memory import InMemoryOrders
from workers.orders.model import PAID, IllegalTransition, Order, OrderStatus, Step
from workers.orders.steps import FORWARD, STEPS_BACK, TRANSITIONS

S = OrderStatus
KITCHEN = (Step.START, Step.MAKE_READY, Step.COMPLETE, *sorted(STEPS_BACK))
CANCELLING = (Step.CANCEL, Step.CALL_OFF)
NEWS = {
    "reserved": reserved,
    "rejected": rejected,
    "charged": charged,
    "charged again": lambda order: charged(order, charge_id=ChargeId("charge-2")),
    "refused": refused,
    "approved": approved,
    "approved again": lambda order: approved(order, charge_id=ChargeId("charge-2")),
    "approved wrongly": lambda order: approved(order, amount=Money.parse("0.01")),
    "failed": failed,
    "refunded": refunded,
}


def reachable(start: OrderStatus) -> set[OrderStatus]:
    found: set[OrderStatus] = set()
    ahead = set(FORWARD[start])
    while ahead:
        found |= ahead
        ahead = {target for status in ahead for target in FORWARD[status]} - found
    return found


async def life(happenings: Sequence[str | Step]) -> tuple[Order, InMemoryOrders]:
    clock = Clock()
    orders = InMemoryOrders(clock=clock)
    order = await placed(till(orders, desk=orders, menus=orders, clock=clock))
    messages: dict[str, Envelope] = {name: seal(say(order), now=NOW) for name, say in NEWS.items()}
    for happening in happenings:
        before = await orders.get(SHOP, order.id)
        assert before is not None
        await happen(happening, order=order, orders=orders, messages=messages)
        after = await orders.get(SHOP, order.id)
        assert after is not None
        assert after.status is before.status or after.status in TRANSITIONS[before.status]
        assert after.version >= before.version
        assert after.history[: len(before.history)] == before.history
    last = await orders.get(SHOP, order.id)
    assert last is not None
    return last, orders


async def happen(
    happening: str | Step,
    *,
    order: Order,
    orders: InMemoryOrders,
    messages: dict[str, Envelope],
) -> None:
    if isinstance(happening, Step):
        ask = Ask(shop_id=SHOP, order_id=order.id, step=happening, reason="because")
        try:
            if happening in CANCELLING:
                await cancel(ask, orders=orders)
            else:
                await advance(SHOP, order.id, step=happening, orders=orders)
        except IllegalTransition:
            return
    elif happening.startswith("once more "):
        # The same fact under another event id, as a second sender would tell it.
        await deliver(NEWS[happening.removeprefix("once more ")](order), orders=orders)
    else:
        await deliver(messages[happening], orders=orders)


names = st.sampled_from(sorted(NEWS))
happenings = st.lists(
    st.one_of(names, names.map("once more ".__add__), st.sampled_from(KITCHEN + CANCELLING)),
    max_size=14,
)


def test_no_fact_leads_a_status_back_to_itself() -> None:
    for status in OrderStatus:
        assert status not in reachable(status)


@settings(max_examples=250, deadline=None)
@given(happenings=happenings)
def test_an_order_never_moves_backwards_but_by_name_and_is_paid_at_most_once(
    happenings: list[str | Step],
) -> None:
    order, orders = asyncio.run(life(happenings))

    facts = [type(e.event) for e in orders.published]
    assert facts.count(OrderPaid) == (1 if order.paid_by else 0)
    assert facts.count(OrderCancelled) == (1 if order.status is S.CANCELLED else 0)
    assert [p.status for p in order.history][-1] is order.status
    if order.status in PAID:
        assert order.paid_by is not None
    told = [notice.kind for notice in order.notices]
    assert len(told) == len(set(told))
    totals = asyncio.run(orders.totals(SHOP, now=NOW))
    assert totals.by_status == {order.status: 1}
    assert totals.paid_total == (order.total if order.status in PAID else ZERO)


@settings(max_examples=150, deadline=None)
@given(
    order=st.permutations(["reserved", "charged", "approved"]),
    doubles=st.lists(st.sampled_from(["reserved", "charged", "approved"]), max_size=5),
)
def test_in_any_order_and_however_often_a_paid_order_is_received(
    order: list[str], doubles: list[str]
) -> None:
    last, orders = asyncio.run(life([*order, *doubles]))

    assert (last.status, last.refusals) == (S.RECEIVED, ())
    assert last.pix is not None
    assert [type(e.event) for e in orders.published].count(OrderPaid) == 1


@settings(max_examples=100, deadline=None)
@given(order=st.permutations(["charged", "failed", "once more failed", "refused", "reserved"]))
def test_in_any_order_an_unpaid_order_ends_unpaid(order: list[str]) -> None:
    last, _ = asyncio.run(life(order))

    assert (last.status, last.refusals) == (S.PAYMENT_FAILED, ())


@settings(max_examples=60, deadline=None)
@given(order=st.permutations(["charged", "approved", "refunded", "reserved"]))
def test_in_any_order_money_that_went_back_cancels(order: list[str]) -> None:
    last, _ = asyncio.run(life(order))

    assert last.status is S.CANCELLED


@settings(max_examples=100, deadline=None)
@given(happenings=happenings)
def test_what_an_order_would_not_follow_is_recorded(happenings: list[str | Step]) -> None:
    with_late = [*happenings, "once more approved wrongly"]

    order, _ = asyncio.run(life(with_late))

    if order.paid_by is None:
        assert order.refusals[-1].name == "AmountMismatch"
    elif order.paid_by == "charge-2":
        assert order.refusals[-1].name == "SecondPayment"
