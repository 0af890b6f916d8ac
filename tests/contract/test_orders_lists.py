"""Lists, days, the feed and who may order on both stores, and what reading costs."""

from datetime import timedelta

import pytest

from comanda.ids import CustomerId
from tests.orders_builders import (
    GUEST,
    NOW,
    OTHER_SHOP,
    SHOP,
    approved,
    charged,
    deliver,
    failed,
    placed,
    refunded,
    request,
    reserved,
    shop_changed,
)
from tests.orders_stores import Side, opened_side, placed_by
from workers.orders.feed import BEGINNING, SETTLED_AFTER, EntryKind, settled_until
from workers.orders.kitchen import advance
from workers.orders.model import OrderStatus, Step
from workers.orders.ports import Page
from workers.orders.shop_rules import KitchenFull, ShopClosed

S = OrderStatus
DAY = NOW.date()
CUSTOMER = CustomerId("00000000-0000-4000-8000-000000000003")


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
