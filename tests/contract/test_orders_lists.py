"""Lists, feed, totals, notices and mail on both stores, and what they cost."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from comanda.envelope import seal
from comanda.events import CustomerErased, CustomerRegistered, OrderCancelled, OrderRecalled
from comanda.ids import CustomerId
from tests.orders_builders import (
    GUEST,
    NOW,
    OTHER_SHOP,
    SHOP,
    approved,
    changed,
    charged,
    deliver,
    failed,
    placed,
    refunded,
    request,
    reserved,
    shop_changed,
)
from tests.orders_stores import Side, dynamodb_stand_in, opened_side
from workers.orders.copies import note_contact
from workers.orders.feed import BEGINNING, SETTLED_AFTER, EntryKind, settled_until
from workers.orders.kitchen import Ask, advance, cancel
from workers.orders.mail import LEASE
from workers.orders.model import IllegalTransition, Order, OrderStatus, Step
from workers.orders.notices import NoticeKind
from workers.orders.ports import Page
from workers.orders.shop_rules import KitchenFull, ShopClosed

S = OrderStatus
DAY = NOW.date()
CUSTOMER = CustomerId("00000000-0000-4000-8000-000000000003")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with dynamodb_stand_in() as url:
        yield url


@pytest.fixture(params=["memory", "dynamodb"])
async def side(request: pytest.FixtureRequest, endpoint: str) -> AsyncIterator[Side]:
    async with opened_side(request.param, endpoint) as side:
        yield side


async def placed_by(side: Side, owner: str, *, customer: CustomerId | None = None) -> Order:
    await deliver(changed(), orders=side.store)
    wanted = replace(request(owner=owner), customer_id=customer, name="Ana")
    placement = await side.till.place(wanted)
    assert placement.order is not None
    side.clock.pass_by(seconds=1)
    return placement.order


async def test_a_customer_pages_through_the_own_history_newest_first(side: Side) -> None:
    mine = [await placed_by(side, "me") for _ in range(5)]
    await placed_by(side, "somebody else")

    first = await side.store.of_owner(SHOP, "me", page=Page(limit=3))
    rest = await side.store.of_owner(
        SHOP, "me", page=Page(limit=3, after=first[-1].placed_position)
    )

    assert [o.id for o in (*first, *rest)] == [o.id for o in reversed(mine)]
    assert await side.store.of_owner(OTHER_SHOP, "me", page=Page()) == []


async def test_staff_list_a_day_by_call_number_and_by_status(side: Side) -> None:
    orders = [await placed_by(side, GUEST) for _ in range(4)]
    await deliver(approved(orders[1]), orders=side.store)
    await deliver(approved(orders[3]), orders=side.store)

    page = Page(limit=2)
    first = await side.store.of_day(SHOP, DAY, page=page)
    rest = await side.store.of_day(SHOP, DAY, page=Page(limit=9, after=first[-1].day_position))
    received = await side.store.of_day(SHOP, DAY, page=Page(), status=S.RECEIVED)
    called = await side.store.called(SHOP, DAY, number=3)

    assert [o.call_number for o in (*first, *rest)] == [1, 2, 3, 4]
    assert [o.id for o in received] == [orders[1].id, orders[3].id]
    assert [o.id for o in called] == [orders[2].id]
    assert await side.store.called(SHOP, DAY, number=30) == []
    assert await side.store.of_day(SHOP, DAY + timedelta(days=1), page=page) == []


async def test_what_waits_or_is_made_is_in_flight(side: Side) -> None:
    waiting, received, ready, dead = [await placed_by(side, GUEST) for _ in range(4)]
    for order in (received, ready):
        await deliver(approved(order), orders=side.store)
    for step in (Step.START, Step.MAKE_READY):
        await advance(SHOP, ready.id, step=step, orders=side.store)
    await deliver(failed(dead), orders=side.store)

    assert waiting.status is S.PENDING_PAYMENT
    assert await side.store.in_flight(SHOP, DAY) == 2


async def test_the_feed_tells_each_change_once_in_order(side: Side) -> None:
    order = await placed_by(side, GUEST)
    await deliver(approved(order), orders=side.store)
    side.clock.pass_by(minutes=5)
    await advance(SHOP, order.id, step=Step.START, orders=side.store)
    side.clock.pass_by(minutes=5)
    await advance(SHOP, order.id, step=Step.MAKE_READY, orders=side.store)
    await deliver(failed(order), orders=side.store)

    entries = await side.store.feed(SHOP, after=BEGINNING, before="~", limit=100)
    first = await side.store.feed(SHOP, after=BEGINNING, before="~", limit=2)
    rest = await side.store.feed(SHOP, after=first[-1].position, before="~", limit=100)

    assert [(e.before, e.after) for e in entries[:4]] == [
        (None, S.PENDING_PAYMENT),
        (S.PENDING_PAYMENT, S.RECEIVED),
        (S.RECEIVED, S.IN_PREPARATION),
        (S.IN_PREPARATION, S.READY),
    ]
    assert (entries[4].kind, entries[4].after) == (EntryKind.REFUSED, S.READY)
    assert entries[3].cooked_seconds == 600
    assert [*first, *rest] == entries
    assert await side.store.feed(OTHER_SHOP, after=BEGINNING, before="~", limit=9) == []


async def test_what_may_still_be_overtaken_is_not_given_yet(side: Side) -> None:
    await placed_by(side, GUEST)

    young = await side.store.feed(
        SHOP, after=BEGINNING, before=settled_until(side.clock()), limit=9
    )
    side.clock.pass_by(seconds=SETTLED_AFTER.total_seconds())
    old = await side.store.feed(SHOP, after=BEGINNING, before=settled_until(side.clock()), limit=9)

    assert (len(young), len(old)) == (0, 1)


async def test_who_asks_from_the_future_on_is_told_nothing_and_not_refused(side: Side) -> None:
    await placed_by(side, GUEST)

    assert await side.store.feed(SHOP, after="2027", before="2026", limit=9) == []


async def test_a_reader_is_moved_on_and_never_back(side: Side) -> None:
    assert await side.store.acknowledged(SHOP, "till-1") == BEGINNING
    for position in ("2026-03", "2026-01"):
        await side.store.acknowledge(SHOP, "till-1", position=position)

    assert await side.store.acknowledged(SHOP, "till-1") == "2026-03"
    assert await side.store.acknowledged(SHOP, "till-2") == BEGINNING
    assert await side.store.acknowledged(OTHER_SHOP, "till-1") == BEGINNING


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


async def test_a_closed_shop_and_a_full_kitchen_take_no_order(side: Side) -> None:
    await deliver(shop_changed(version=1, most_in_flight=1), orders=side.store)
    counter = side.till
    await placed(counter)
    full = pytest.raises(KitchenFull)
    with full:
        await side.till.place(request())
    await deliver(shop_changed(version=3, switch="CLOSED"), orders=side.store)
    await deliver(shop_changed(version=2), orders=side.store)

    with pytest.raises(ShopClosed):
        await side.till.place(request())

    assert len(await side.store.of_day(SHOP, DAY, page=Page())) == 1


async def test_call_numbers_begin_anew_at_the_hour_that_the_shop_sets(side: Side) -> None:
    await deliver(shop_changed(version=1, day_begins_at=5), orders=side.store)
    side.clock.now = NOW.replace(hour=7, minute=59)  # 04:59 in São Paulo.
    night = await placed(side.till)
    side.clock.pass_by(minutes=1)
    morning = await placed(side.till)

    assert (night.call_number, morning.call_number) == (1, 1)
    assert (morning.day - night.day) == timedelta(days=1)


async def test_no_read_grows_with_the_day(endpoint: str) -> None:
    async with opened_side("dynamodb", endpoint) as side:
        costs = [await _cost_of_reads(side, after=count) for count in (5, 30)]

    assert costs[0] == costs[1], costs


async def _cost_of_reads(side: Side, *, after: int) -> dict[str, int]:
    """Count what is looked at for three orders of mine among `after` orders that are over."""
    for _ in range(after):
        await deliver(failed(await placed_by(side, GUEST)), orders=side.store)
    side.clock.pass_by(minutes=1)
    me = f"me-{after}"
    mine = [await placed_by(side, me) for _ in range(3)]
    side.clock.pass_by(minutes=1)
    await side.store.totals(SHOP, now=side.clock())
    await deliver(approved(mine[0]), orders=side.store)
    reads = {
        "board": side.store.board(SHOP),
        "history": side.store.of_owner(SHOP, me, page=Page()),
        "page of a day": side.store.of_day(SHOP, DAY, page=Page(limit=5)),
        "status": side.store.of_day(SHOP, DAY, page=Page(limit=2), status=S.PENDING_PAYMENT),
        "number": side.store.called(SHOP, DAY, number=mine[0].call_number),
        "feed": side.store.feed(SHOP, after=BEGINNING, before="~", limit=5),
        "totals": side.store.totals(SHOP, now=side.clock()),
    }
    costs = {}
    for name, read in reads.items():
        before = side.calls["items looked at"]
        await read
        costs[name] = side.calls["items looked at"] - before
    for order in mine:
        await deliver(failed(order), orders=side.store)
    await deliver(refunded(mine[0]), orders=side.store)
    return costs


async def test_what_an_order_and_a_step_cost_the_store(endpoint: str) -> None:
    async with opened_side("dynamodb", endpoint) as side:
        order = await placed(side.till)
        await deliver(approved(order), orders=side.store)
        await side.published()
        side.calls.clear()
        counter = side.till
        await counter.place(request())
        placing = dict(side.calls)
        side.calls.clear()
        await advance(SHOP, order.id, step=Step.START, orders=side.store)
        step = dict(side.calls)
        second = await placed(side.till)
        await side.published()
        side.calls.clear()
        for event in (reserved(second), charged(second)):
            await deliver(event, orders=side.store)
        news = dict(side.calls)

    writes = {"put_item": 1, "update_item": 1, "transact_write_items": 1}
    assert {name: placing.get(name, 0) for name in writes} == writes
    assert placing.get("get_item", 0) == 0
    assert (step["get_item"], step["transact_write_items"]) == (1, 1)
    assert (news["transact_write_items"], news.get("get_item", 0)) == (2, 0)
    assert set(step) <= {"get_item", "transact_write_items", "batch_write_item", "items looked at"}
