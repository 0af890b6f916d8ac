"""What is told of an order on both stores: to its customer, on the order, and after an erasure."""

from datetime import timedelta

import pytest

from comanda.envelope import seal
from comanda.events import CustomerErased, CustomerRegistered, OrderCancelled, OrderRecalled
from comanda.ids import CustomerId
from tests.orders_builders import (
    GUEST,
    SHOP,
    approved,
    deliver,
    refunded,
)
from tests.orders_stores import Side, placed_by
from workers.orders.copies import note_contact
from workers.orders.kitchen import Ask, advance, cancel
from workers.orders.mail import LEASE
from workers.orders.model import IllegalTransition, OrderStatus, Step
from workers.orders.notices import NoticeKind
from workers.orders.ports import Page

S = OrderStatus
CUSTOMER = CustomerId("00000000-0000-4000-8000-000000000003")


async def test_a_step_back_is_told_and_written_down_with_who_took_it(side: Side) -> None:
    order = await placed_by(side, GUEST)
    await deliver(approved(order), orders=side.store)
    for step in (Step.START, Step.MAKE_READY, Step.RECALL, Step.UNDO_START):
        await advance(SHOP, order.id, step=step, orders=side.store, by="ana")

    found = await side.read(order)

    assert found.status is S.RECEIVED
    assert [p.by for p in found.history] == [None, None, "ana", "ana", "ana", "ana"]
    recalled = [e.event for e in await side.published() if isinstance(e.event, OrderRecalled)]
    assert [event.status for event in recalled] == ["IN_PREPARATION", "RECEIVED"]
    assert [n.kind for n in found.notices] == [NoticeKind.PAID, NoticeKind.READY]


async def test_a_refused_step_is_recorded_on_the_order_with_who_asked(side: Side) -> None:
    order = await placed_by(side, GUEST)

    with pytest.raises(IllegalTransition):
        await advance(SHOP, order.id, step=Step.START, orders=side.store, by="ana")

    (refusal,) = (await side.read(order)).refusals
    assert (refusal.event_type, refusal.name) == ("orders.step.start", "IllegalTransition")
    assert "ana" in refusal.detail
    assert (await side.store.totals(SHOP, now=side.clock())).refused_transitions == 1


async def test_a_cancelled_order_is_cancelled_once_with_its_reason(side: Side) -> None:
    order = await placed_by(side, GUEST)
    await deliver(approved(order), orders=side.store)
    ask = Ask(
        shop_id=SHOP, order_id=order.id, step=Step.CALL_OFF, by="ana", reason="closing", note="gás"
    )

    for _ in range(2):
        cancelled = await cancel(ask, orders=side.store)

    events = [e.event for e in await side.published() if isinstance(e.event, OrderCancelled)]
    assert [event.reason for event in events] == ["closing"]
    assert (cancelled.status, cancelled.history[-1].note) == (S.CANCELLED, "gás")
    assert await side.store.board(SHOP) == []


async def test_a_customer_is_told_once_of_each_kind_and_mailed_without_an_address_inside(
    side: Side,
) -> None:
    order = await placed_by(side, CUSTOMER, customer=CUSTOMER)
    await placed_by(side, GUEST)
    for event in (approved(order), refunded(order), refunded(order)):
        await deliver(event, orders=side.store)

    mails = await side.letterbox.owed(limit=10)

    kinds = [NoticeKind.PAID, NoticeKind.CANCELLED, NoticeKind.REFUNDED]
    assert [n.kind for n in (await side.read(order)).notices] == kinds
    assert {m.kind for m in mails} == set(kinds)
    assert {m.customer_id for m in mails} == {CUSTOMER}


async def test_a_mail_is_taken_by_one_and_gone_when_sent(side: Side) -> None:
    order = await placed_by(side, CUSTOMER, customer=CUSTOMER)
    await deliver(approved(order), orders=side.store)
    (mail,) = await side.letterbox.owed(limit=10)
    now = side.clock()

    taken = [await side.letterbox.take(mail, now=now) for _ in range(2)]
    again = await side.letterbox.take(mail, now=now + LEASE)
    await side.letterbox.sent(mail)

    assert (taken, again) == ([True, False], True)
    assert await side.letterbox.owed(limit=10) == []
    assert not await side.letterbox.take(mail, now=now + 2 * LEASE)


async def test_an_address_that_was_told_before_does_not_come_back_over_a_newer_one(
    side: Side,
) -> None:
    person = {"shop_id": SHOP, "customer_id": CUSTOMER}
    told = [
        seal(CustomerRegistered(**person, email=email), now=side.clock() + after)
        for email, after in (
            ("ana@novo.com.br", timedelta(days=1)),
            ("ana@exemplo.com.br", timedelta()),
        )
    ]

    for message in told:
        await note_contact(message, orders=side.store)

    known = await side.letterbox.contact(SHOP, CUSTOMER)
    assert known is not None
    assert known.email == "ana@novo.com.br"


async def test_an_erased_customer_leaves_totals_and_no_person(side: Side) -> None:
    person = {"shop_id": SHOP, "customer_id": CUSTOMER}
    await deliver(CustomerRegistered(**person, email="ana@exemplo.com.br"), orders=side.store)
    known = await side.letterbox.contact(SHOP, CUSTOMER)
    order = await placed_by(side, CUSTOMER, customer=CUSTOMER)
    other = await placed_by(side, GUEST)

    await deliver(CustomerErased(**person), orders=side.store, times=2)

    found = await side.read(order)
    assert known is not None
    assert (found.customer_id, found.name, found.total) == (None, "", order.total)
    assert await side.letterbox.contact(SHOP, CUSTOMER) is None
    assert await side.store.of_owner(SHOP, CUSTOMER, page=Page()) == []
    assert (await side.read(other)).owner == GUEST


async def test_an_erasure_that_is_announced_again_reaches_an_order_of_after_it(side: Side) -> None:
    erased = CustomerErased(shop_id=SHOP, customer_id=CUSTOMER)
    announced = await deliver(erased, orders=side.store)
    # An access token outlives the erasure by a quarter of an hour, and messages may overtake it.
    order = await placed_by(side, CUSTOMER, customer=CUSTOMER)
    person = {"shop_id": SHOP, "customer_id": CUSTOMER}
    await deliver(CustomerRegistered(**person, email="ana@exemplo.com.br"), orders=side.store)

    await deliver(announced, orders=side.store)

    found = await side.read(order)
    assert await side.letterbox.contact(SHOP, CUSTOMER) is None
    assert (found.customer_id, found.name, found.total) == (None, "", order.total)
