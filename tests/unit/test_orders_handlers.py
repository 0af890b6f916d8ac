"""What news does to an order, with the store in memory."""

from dataclasses import replace

import pytest

from comanda.envelope import seal
from comanda.events import (
    Event,
    OrderCancelled,
    OrderPaid,
    OrderStarted,
    PaymentHeld,
    PaymentReleased,
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
    reserved,
    till,
    unknown_order,
)
from workers.orders.handlers import HANDLERS
from workers.orders.kitchen import OrderUnknown, advance
from workers.orders.memory import InMemoryOrders
from workers.orders.model import IllegalTransition, Order, OrderStatus, PaymentOnHold, Step
from workers.orders.placing import Till
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
    assert (await orders.totals(SHOP, now=NOW)).refused_transitions == 1
    assert sent(orders, OrderPaid) == []


@pytest.mark.parametrize("event", [reserved, rejected, charged, approved, failed, refunded])
async def test_an_event_for_an_unknown_order_creates_nothing(
    orders: InMemoryOrders, order: Order, event: object
) -> None:
    before = await orders.totals(SHOP, now=NOW)
    stranger = replace(order, id=unknown_order())
    message = seal(event(stranger), now=NOW)  # type: ignore[operator]

    with pytest.raises(InvalidMessage):
        await deliver(message, orders=orders)

    assert await orders.get(SHOP, unknown_order()) is None
    assert await orders.totals(SHOP, now=NOW) == before


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

    assert menu.items[ProductId("pastel")].price == Money.parse("2.00")


async def test_late_news_does_not_bring_a_removed_product_back(orders: InMemoryOrders) -> None:
    gone = ProductRemoved(shop_id=SHOP, product_id=ProductId("pastel"), version=3)
    await deliver(gone, orders=orders)
    await deliver(changed(version=2), orders=orders)

    removed = (await orders.menu(SHOP)).items[ProductId("pastel")]
    await deliver(changed(version=4), orders=orders)

    assert not removed.can_be_ordered
    assert (await orders.menu(SHOP)).items[ProductId("pastel")].can_be_ordered


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


async def test_a_suspicion_of_fraud_stops_the_kitchen_until_it_is_released(
    orders: InMemoryOrders, order: Order
) -> None:
    await deliver(approved(order), orders=orders)
    facts = {"shop_id": SHOP, "order_id": order.id, "charge_id": ChargeId("c")}
    for _ in range(2):
        await deliver(PaymentHeld(**facts, reason="fraud_alert"), orders=orders)
    with pytest.raises(PaymentOnHold):
        await advance(SHOP, order.id, step=Step.START, orders=orders)
    held = await now_is(orders, order)
    await deliver(PaymentReleased(**facts), orders=orders)

    started = await advance(SHOP, order.id, step=Step.START, orders=orders)

    assert (held.held, held.status) == ("fraud_alert", S.RECEIVED)
    assert (started.held, started.status) == (None, S.IN_PREPARATION)


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
