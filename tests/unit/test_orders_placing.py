"""Placing an order once, whatever breaks, and waiting for its code, with the store in memory."""

import asyncio
from datetime import date, timedelta

import pytest

from comanda.events import (
    Event,
    OrderPlaced,
)
from comanda.ids import ProductId
from comanda.money import Money
from tests.orders_builders import (
    NOW,
    SHOP,
    Clock,
    changed,
    charged,
    deliver,
    placed,
    request,
    till,
)
from workers.orders.claims import LEASE, LIFETIME, Claim, KeyReused, TwinInFlight
from workers.orders.lines import MenuMissing, NotOnMenu
from workers.orders.memory import InMemoryOrders
from workers.orders.menus import CachedMenus
from workers.orders.model import Order, OrderStatus
from workers.orders.placing import Till
from workers.orders.shop_rules import shop_zone
from workers.orders.watch import OrderWatch
from workers.runtime.errors import Conflict, StoreUnavailable

S = OrderStatus


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def orders(clock: Clock) -> InMemoryOrders:
    return InMemoryOrders(clock=clock)


@pytest.fixture
def counter(orders: InMemoryOrders, clock: Clock) -> Till:
    return till(orders, desk=orders, menus=orders, clock=clock)


@pytest.fixture
async def order(counter: Till) -> Order:
    return await placed(counter)


def sent(orders: InMemoryOrders, kind: type[Event]) -> list[Event]:
    return [e.event for e in orders.published if type(e.event) is kind]


async def test_a_placed_order_carries_the_prices_of_our_menu(
    orders: InMemoryOrders, order: Order
) -> None:
    (event,) = sent(orders, OrderPlaced)

    assert isinstance(event, OrderPlaced)
    assert (event.order_id, event.total) == (order.id, Money.parse("25.00"))
    assert (order.call_number, order.history[0].status) == (1, S.PENDING_PAYMENT)


async def test_the_same_request_twice_is_one_order(orders: InMemoryOrders, counter: Till) -> None:
    await deliver(changed(), orders=orders)
    wanted = request(key="k")

    first = await counter.place(wanted)
    second = await counter.place(wanted)

    assert (second.order, second.answer) == (None, first.answer)
    assert len(sent(orders, OrderPlaced)) == 1


async def test_twenty_twins_at_once_are_one_order(orders: InMemoryOrders, counter: Till) -> None:
    await deliver(changed(), orders=orders)
    wanted = request(key="k")

    answers = await asyncio.gather(
        *(counter.place(wanted) for _ in range(20)), return_exceptions=True
    )

    assert all(isinstance(a, TwinInFlight) or not isinstance(a, Exception) for a in answers)
    assert len(sent(orders, OrderPlaced)) == 1


async def test_a_key_with_another_body_is_refused(orders: InMemoryOrders, counter: Till) -> None:
    await deliver(changed(), orders=orders)
    await counter.place(request(("pastel", 1), key="k"))

    with pytest.raises(KeyReused):
        await counter.place(request(("pastel", 2), key="k"))


async def test_two_customers_may_use_the_same_key(orders: InMemoryOrders, counter: Till) -> None:
    await deliver(changed(), orders=orders)

    await counter.place(request(key="k", owner="one"))
    second = await counter.place(request(key="k", owner="two"))

    assert second.order is not None
    assert second.order.call_number == 2


async def test_a_claim_whose_holder_died_is_finished_as_the_same_order(
    orders: InMemoryOrders, counter: Till, clock: Clock
) -> None:
    await deliver(changed(), orders=orders)
    wanted = request(key="k")
    dead = Claim.fresh(wanted.key, fingerprint=wanted.fingerprint, now=clock())
    await orders.claim(dead, now=clock())

    with pytest.raises(TwinInFlight):
        await counter.place(wanted)
    clock.pass_by(seconds=LEASE.total_seconds())
    finished = await counter.place(wanted)

    assert finished.order is not None
    assert finished.order.id == dead.order_id


async def test_a_slow_holder_and_its_successor_write_one_order(
    orders: InMemoryOrders, counter: Till, clock: Clock
) -> None:
    await deliver(changed(), orders=orders)
    wanted = request(key="k")
    slow = Claim.fresh(wanted.key, fingerprint=wanted.fingerprint, now=clock())
    await orders.claim(slow, now=clock())
    clock.pass_by(seconds=LEASE.total_seconds())
    await counter.place(wanted)

    with pytest.raises(Conflict):
        async with orders.begin() as unit:
            unit.complete(slow, answer="too late")

    assert len(sent(orders, OrderPlaced)) == 1


async def test_a_key_may_be_used_anew_after_a_day(
    orders: InMemoryOrders, counter: Till, clock: Clock
) -> None:
    await deliver(changed(), orders=orders)
    first = await counter.place(request(key="k"))
    clock.pass_by(seconds=LIFETIME.total_seconds())

    second = await counter.place(request(key="k"))

    assert first.order is not None
    assert second.order is not None
    assert first.order.id != second.order.id


async def test_a_refused_request_leaves_its_key_free(orders: InMemoryOrders, counter: Till) -> None:
    with pytest.raises(MenuMissing):
        await counter.place(request(key="k"))
    await deliver(changed(), orders=orders)
    with pytest.raises(NotOnMenu):
        await counter.place(request(("nothing", 1), key="k"))

    placement = await counter.place(request(key="k"))

    assert placement.order is not None


class BrokenAtCommit(InMemoryOrders):
    """A store that fails whoever commits."""

    def begin(self, cause=None):  # type: ignore[no-untyped-def]
        raise StoreUnavailable


async def test_a_store_that_breaks_half_way_leaves_no_order_and_no_lock(
    orders: InMemoryOrders, clock: Clock
) -> None:
    await deliver(changed(), orders=orders)
    broken = BrokenAtCommit(clock=clock)
    half = till(broken, desk=orders, menus=orders, clock=clock)
    with pytest.raises(StoreUnavailable):
        await half.place(request(key="k"))

    placement = await till(orders, desk=orders, menus=orders, clock=clock).place(request(key="k"))

    assert placement.order is not None
    assert len(sent(orders, OrderPlaced)) == 1


async def test_who_lost_its_claim_while_working_is_told_of_the_twin(
    orders: InMemoryOrders, clock: Clock
) -> None:
    await deliver(changed(), orders=orders)
    contested = Contested(clock=clock)
    contested.conflicts = 1
    slow = till(contested, desk=orders, menus=orders, clock=clock)

    with pytest.raises(TwinInFlight):
        await slow.place(request(key="k"))

    assert sent(orders, OrderPlaced) == []


class TakenOver(InMemoryOrders):
    """A desk at which another successor is always first."""

    async def take_over(self, claim: Claim, *, of: str) -> bool:
        return False


async def test_of_two_successors_the_second_is_told_of_the_twin(clock: Clock) -> None:
    orders = TakenOver(clock=clock)
    wanted = request(key="k")
    dead = Claim.fresh(wanted.key, fingerprint=wanted.fingerprint, now=clock())
    await orders.claim(dead, now=clock())
    clock.pass_by(seconds=LEASE.total_seconds())

    with pytest.raises(TwinInFlight):
        await till(orders, desk=orders, menus=orders, clock=clock).place(wanted)


async def test_call_numbers_begin_anew_with_the_shops_day(
    orders: InMemoryOrders, counter: Till, clock: Clock
) -> None:
    await deliver(changed(), orders=orders)
    clock.now = NOW.replace(hour=2, minute=59)
    evening = await counter.place(request())
    clock.pass_by(minutes=1)

    morning = await counter.place(request())

    assert evening.order is not None
    assert morning.order is not None
    assert (evening.order.call_number, morning.order.call_number) == (1, 1)
    assert NOW.replace(hour=2, minute=59).astimezone(shop_zone()).date() == date(2026, 3, 3)


class Contested(InMemoryOrders):
    """A store in which others are first, so many times."""

    conflicts = 0

    def begin(self, cause=None):  # type: ignore[no-untyped-def]
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict
        return super().begin(cause)


async def test_a_menu_is_read_once_while_it_is_fresh(orders: InMemoryOrders) -> None:
    seconds = {"now": 0.0}
    menus = CachedMenus(orders, fresh_for=timedelta(seconds=1), clock=lambda: seconds["now"])
    assert (await menus.menu(SHOP)).items == {}
    await deliver(changed(), orders=orders)
    await asyncio.gather(menus.menu(SHOP), menus.menu(SHOP))
    await deliver(changed(version=2, price="9.00"), orders=orders)

    fresh = await menus.menu(SHOP)
    seconds["now"] = 1.0
    newer = await menus.menu(SHOP)

    assert (fresh.items[ProductId("pastel")].version, newer.items[ProductId("pastel")].version) == (
        1,
        2,
    )


async def test_who_waits_is_answered_when_the_code_is_there(
    orders: InMemoryOrders, order: Order
) -> None:
    watch = OrderWatch(orders)
    waiting = asyncio.create_task(watch.until_settled(order, limit=timedelta(seconds=5)))
    await asyncio.sleep(0.1)
    orders.is_down = True
    await asyncio.sleep(0.1)
    orders.is_down = False
    await deliver(charged(order), orders=orders)

    settled = await waiting

    assert settled.pix is not None


async def test_who_waits_in_vain_is_answered_in_time(orders: InMemoryOrders, order: Order) -> None:
    settled = await OrderWatch(orders).until_settled(order, limit=timedelta(seconds=0.1))

    assert settled is order
