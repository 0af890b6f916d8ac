"""What news does to an order, with the store in memory."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest

from comanda.envelope import seal
from comanda.events import (
    Event,
    OrderCancelled,
    OrderPaid,
    OrderPlaced,
    OrderStarted,
    ProductRemoved,
)
from comanda.ids import ChargeId, ProductId
from comanda.money import Money
from tests.orders_builders import (
    NOW,
    OTHER_SHOP,
    SHOP,
    Clock,
    approved,
    changed,
    charged,
    deliver,
    failed,
    placed,
    refunded,
    refused,
    rejected,
    request,
    reserved,
    till,
    unknown_order,
)
from workers.orders.claims import LEASE, LIFETIME, Claim, KeyReused, TwinInFlight
from workers.orders.handlers import HANDLERS, OrderUnknown, advance
from workers.orders.lines import MenuMissing, NotOnMenu
from workers.orders.memory import InMemoryOrders
from workers.orders.menus import CachedMenus
from workers.orders.model import IllegalTransition, Order, OrderStatus, Step
from workers.orders.placing import Till, shop_zone
from workers.orders.ports import StoreUnavailable
from workers.orders.watch import OrderWatch
from workers.runtime.errors import Conflict, InvalidMessage

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


async def now_is(orders: InMemoryOrders, order: Order) -> Order:
    found = await orders.get(order.shop_id, order.id)
    assert found is not None
    return found


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


async def test_the_happy_road_pays_an_order_once(orders: InMemoryOrders, order: Order) -> None:
    for event in (reserved(order), charged(order), approved(order)):
        await deliver(event, orders=orders, times=3)

    found = await now_is(orders, order)

    assert found.status is S.RECEIVED
    assert (found.reservation_id, found.paid_at) == ("reservation-1", approved(order).approved_at)
    assert sent(orders, OrderPaid) == [OrderPaid(shop_id=SHOP, order_id=order.id)]
    assert found.refusals == ()


async def test_a_payment_that_comes_before_its_charge_is_a_payment(
    orders: InMemoryOrders, order: Order
) -> None:
    await deliver(approved(order), orders=orders)
    await deliver(charged(order), orders=orders)

    found = await now_is(orders, order)

    assert found.status is S.RECEIVED
    assert found.pix is not None


async def test_stock_that_cannot_be_held_cancels_with_the_reason(
    orders: InMemoryOrders, order: Order
) -> None:
    await deliver(rejected(order), orders=orders, times=2)
    await deliver(rejected(order), orders=orders)

    found = await now_is(orders, order)

    assert (found.status, found.reason) == (S.CANCELLED, "out_of_stock")
    assert len(sent(orders, OrderCancelled)) == 1


async def test_a_refused_charge_ends_the_order(orders: InMemoryOrders, order: Order) -> None:
    await deliver(refused(order), orders=orders)
    await deliver(failed(order), orders=orders)

    found = await now_is(orders, order)

    assert (found.status, found.reason, found.refusals) == (S.PAYMENT_FAILED, "limits", ())


async def test_a_late_event_cannot_move_an_order_backwards(
    orders: InMemoryOrders, order: Order
) -> None:
    await deliver(approved(order), orders=orders)
    await advance(SHOP, order.id, step=Step.START, orders=orders)
    for late in (failed(order), rejected(order), refused(order), charged(order), approved(order)):
        await deliver(late, orders=orders)

    found = await now_is(orders, order)

    assert found.status is S.IN_PREPARATION
    assert {r.name for r in found.refusals} == {"IllegalTransition"}
    assert len(found.refusals) == 3
    assert len(sent(orders, OrderPaid)) == 1


@pytest.mark.parametrize("ending", [failed, rejected])
async def test_a_payment_for_a_dead_order_is_refused_and_seen(
    orders: InMemoryOrders, order: Order, ending: object
) -> None:
    await deliver(ending(order), orders=orders)  # type: ignore[operator]
    await deliver(approved(order), orders=orders)

    found = await now_is(orders, order)

    (refusal,) = found.refusals
    assert (refusal.name, refusal.event_type) == (
        "IllegalTransition",
        "payments.payment.approved.v1",
    )
    assert (found.status in (S.PAYMENT_FAILED, S.CANCELLED), found.paid_at) == (True, None)
    assert (await orders.totals(SHOP)).refused_transitions == 1
    assert sent(orders, OrderPaid) == []


@pytest.mark.parametrize("event", [reserved, rejected, charged, approved, failed, refunded])
async def test_an_event_for_an_unknown_order_creates_nothing(
    orders: InMemoryOrders, order: Order, event: object
) -> None:
    before = await orders.totals(SHOP)
    stranger = replace(order, id=unknown_order())
    message = seal(event(stranger), now=NOW)  # type: ignore[operator]

    with pytest.raises(InvalidMessage):
        await deliver(message, orders=orders)

    assert await orders.get(SHOP, unknown_order()) is None
    assert await orders.totals(SHOP) == before


async def test_another_shops_news_does_not_reach_an_order(
    orders: InMemoryOrders, order: Order
) -> None:
    foreign = replace(approved(order), shop_id=OTHER_SHOP)

    with pytest.raises(InvalidMessage):
        await deliver(foreign, orders=orders)

    assert (await now_is(orders, order)).status is S.PENDING_PAYMENT


async def test_a_wrong_amount_and_a_second_charge_are_recorded(
    orders: InMemoryOrders, order: Order
) -> None:
    await deliver(approved(order, amount=Money.parse("1.00")), orders=orders)
    await deliver(charged(order), orders=orders)
    await deliver(charged(order, charge_id=ChargeId("charge-2")), orders=orders)

    found = await now_is(orders, order)

    assert [r.name for r in found.refusals] == ["AmountMismatch", "SecondCharge"]
    assert found.status is S.PENDING_PAYMENT


async def test_refund_and_approval_end_alike_in_any_order(
    orders: InMemoryOrders, counter: Till
) -> None:
    one, two = await placed(counter), await placed(counter)

    await deliver(approved(one), orders=orders)
    await deliver(refunded(one), orders=orders)
    await deliver(refunded(two), orders=orders)
    await deliver(approved(two), orders=orders)

    assert {(await now_is(orders, o)).status for o in (one, two)} == {S.CANCELLED}
    assert len(sent(orders, OrderCancelled)) == 2


async def test_news_of_another_kind_is_refused(orders: InMemoryOrders, order: Order) -> None:
    message = seal(approved(order), now=NOW)

    for handle in {h for kind, h in HANDLERS.items() if kind is not type(message.event)}:
        with pytest.raises(InvalidMessage):
            await handle(message, orders=orders)


async def test_older_news_of_a_product_changes_nothing(orders: InMemoryOrders) -> None:
    await deliver(changed(price="2.00", version=2), orders=orders)
    await deliver(changed(price="1.00", version=1), orders=orders)

    menu = await orders.menu(SHOP)

    assert menu[ProductId("pastel")].price == Money.parse("2.00")


async def test_late_news_does_not_bring_a_removed_product_back(orders: InMemoryOrders) -> None:
    gone = ProductRemoved(shop_id=SHOP, product_id=ProductId("pastel"), version=3)
    await deliver(gone, orders=orders)
    await deliver(changed(version=2), orders=orders)

    removed = (await orders.menu(SHOP))[ProductId("pastel")]
    await deliver(changed(version=4), orders=orders)

    assert not removed.can_be_ordered
    assert (await orders.menu(SHOP))[ProductId("pastel")].can_be_ordered


async def test_the_kitchen_moves_an_order_on_and_tells(
    orders: InMemoryOrders, order: Order
) -> None:
    await deliver(approved(order), orders=orders)

    started = await advance(SHOP, order.id, step=Step.START, orders=orders)

    assert (started.status, started.version) == (S.IN_PREPARATION, 3)
    assert len(sent(orders, OrderStarted)) == 1
    with pytest.raises(IllegalTransition):
        await advance(SHOP, order.id, step=Step.START, orders=orders)
    with pytest.raises(OrderUnknown):
        await advance(SHOP, unknown_order(), step=Step.START, orders=orders)


class Contested(InMemoryOrders):
    """A store in which others are first, so many times."""

    conflicts = 0

    def begin(self, cause=None):  # type: ignore[no-untyped-def]
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict
        return super().begin(cause)


async def test_the_kitchen_tries_again_when_another_writer_was_first(clock: Clock) -> None:
    orders = Contested(clock=clock)
    order = await placed(till(orders, desk=orders, menus=orders, clock=clock))
    await deliver(approved(order), orders=orders)
    orders.conflicts = 3

    started = await advance(SHOP, order.id, step=Step.START, orders=orders)

    assert started.status is S.IN_PREPARATION


async def test_a_menu_is_read_once_while_it_is_fresh(orders: InMemoryOrders) -> None:
    seconds = {"now": 0.0}
    menus = CachedMenus(orders, fresh_for=timedelta(seconds=1), clock=lambda: seconds["now"])
    assert await menus.menu(SHOP) == {}
    await deliver(changed(), orders=orders)
    await asyncio.gather(menus.menu(SHOP), menus.menu(SHOP))
    await deliver(changed(version=2, price="9.00"), orders=orders)

    fresh = await menus.menu(SHOP)
    seconds["now"] = 1.0
    newer = await menus.menu(SHOP)

    assert (fresh[ProductId("pastel")].version, newer[ProductId("pastel")].version) == (1, 2)


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
