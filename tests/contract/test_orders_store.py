"""One suite for the store of orders, run on memory and on DynamoDB's protocol against moto."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiobotocore.session import get_session
from botocore.config import Config

from comanda.events import OrderPaid, OrderPlaced
from comanda.ids import CustomerId, ProductId
from comanda.messaging.memory import InMemoryPublisher
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
    request,
    reserved,
    unknown_order,
)
from tests.orders_stores import TABLE, Side, connection
from workers.orders.claims import Claim
from workers.orders.desk import DynamoDesk
from workers.orders.kitchen import advance
from workers.orders.model import Order, OrderStatus, Step
from workers.orders.repository import DynamoOrderRepository
from workers.orders.table import DynamoTable
from workers.runtime.dynamodb import DynamoUnits
from workers.runtime.errors import AlreadyHandled, Conflict, StoreUnavailable

S = OrderStatus


async def test_an_order_is_read_back_as_it_was_written(side: Side) -> None:
    order = await placed(side.till)

    assert await side.read(order) == order
    assert await side.store.many([(SHOP, order.id), (SHOP, unknown_order())]) == [order]
    assert await side.store.get(SHOP, unknown_order()) is None
    assert await side.store.get(OTHER_SHOP, order.id) is None


async def test_everything_that_news_adds_is_read_back(side: Side) -> None:
    order = await placed(side.till)
    for event in (
        reserved(order),
        charged(order),
        approved(order),
        failed(order),
        refunded(order, amount=Money.parse("1.00")),
    ):
        await deliver(event, orders=side.store)

    found = await side.read(order)

    assert (found.status, found.version) == (S.RECEIVED, 6)
    assert (found.reservation_id, found.paid_by) == ("reservation-1", "charge-1")
    assert found.pix is not None
    assert (found.pix.code, found.pix.expires_at) == (
        charged(order).pix_code,
        charged(order).expires_at,
    )
    assert (found.refunded, found.paid_at) == (Money.parse("1.00"), approved(order).approved_at)
    assert [r.name for r in found.refusals] == ["IllegalTransition"]
    assert [p.status for p in found.history] == [S.PENDING_PAYMENT, S.RECEIVED]


async def test_a_signed_in_customers_order_keeps_the_customer(side: Side) -> None:
    await deliver(changed(), orders=side.store)
    customer = CustomerId("c")

    placement = await side.till.place(replace(request(), customer_id=customer))

    assert placement.order is not None
    assert (await side.read(placement.order)).customer_id == customer


async def test_two_deliveries_of_one_event_are_one_effect(side: Side) -> None:
    order = await placed(side.till)
    message = await deliver(approved(order), orders=side.store)
    before = await side.read(order)

    with pytest.raises(AlreadyHandled):
        async with side.store.begin(message) as unit:
            unit.save(before)

    assert await side.read(order) == before
    assert [type(e.event) for e in await side.published()] == [OrderPlaced, OrderPaid]


async def test_of_two_writers_the_second_is_in_conflict(side: Side) -> None:
    order = await placed(side.till)
    await advance_paid(side, order)
    with pytest.raises(Conflict):
        async with side.store.begin() as unit:
            unit.save(order)
            unit.emit(OrderPaid(shop_id=SHOP, order_id=order.id))

    with pytest.raises(Conflict):
        async with side.store.begin() as unit:
            unit.add(order)

    assert (await side.read(order)).status is S.RECEIVED
    assert len(await side.published()) == 2


async def advance_paid(side: Side, order: Order) -> None:
    await deliver(approved(order), orders=side.store)


async def test_a_unit_that_breaks_writes_nothing(side: Side) -> None:
    order = await placed(side.till)

    with pytest.raises(ZeroDivisionError):
        async with side.store.begin() as unit:
            unit.save(order)
            raise ZeroDivisionError

    assert await side.read(order) == order


async def test_the_board_is_ready_then_in_preparation_then_received_oldest_first(
    side: Side,
) -> None:
    made: dict[str, Order] = {}
    for name in ("ready", "cooking", "old", "new", "unpaid", "done", "failed"):
        made[name] = await placed(side.till)
        side.clock.pass_by(seconds=1)
    for name in ("new", "old", "cooking", "ready", "done"):
        await advance_paid(side, made[name])
    await deliver(failed(made["failed"]), orders=side.store)
    for name, steps in (
        ("cooking", [Step.START]),
        ("ready", [Step.START, Step.MAKE_READY]),
        ("done", [Step.START, Step.MAKE_READY, Step.COMPLETE]),
    ):
        for step in steps:
            await advance(SHOP, made[name].id, step=step, orders=side.store)

    board = await side.store.board(SHOP)

    assert [o.id for o in board] == [made[n].id for n in ("ready", "cooking", "old", "new")]
    assert await side.store.board(OTHER_SHOP) == []


async def test_totals_count_each_status_and_what_was_paid(side: Side) -> None:
    paid, waiting = await placed(side.till), await placed(side.till)
    await advance_paid(side, paid)
    await deliver(failed(paid), orders=side.store)

    totals = await side.store.totals(SHOP, now=NOW)

    assert totals.by_status == {S.RECEIVED: 1, S.PENDING_PAYMENT: 1}
    assert (totals.paid_total, totals.refused_transitions) == (waiting.total, 1)
    assert (await side.store.totals(OTHER_SHOP, now=NOW)).by_status == {}


async def test_totals_go_on_from_where_they_were_left(side: Side) -> None:
    first = await placed(side.till)
    await advance_paid(side, first)
    side.clock.pass_by(minutes=1)
    early = await side.store.totals(SHOP, now=side.clock())
    second = await placed(side.till)
    await deliver(failed(second), orders=side.store)

    seen = [await side.store.totals(SHOP, now=side.clock()) for _ in range(2)]
    side.clock.pass_by(minutes=1)
    seen.append(await side.store.totals(SHOP, now=side.clock()))

    assert early.by_status == {S.RECEIVED: 1}
    assert all(t.by_status == {S.RECEIVED: 1, S.PAYMENT_FAILED: 1} for t in seen)
    assert {t.paid_total for t in seen} == {first.total}


def fresh(key: str = "k", *, now: datetime = NOW, fingerprint: str = "f") -> Claim:
    return Claim.fresh(request(key=key).key, fingerprint=fingerprint, now=now)


async def test_an_older_copy_of_a_product_is_in_conflict(side: Side) -> None:
    await deliver(changed(version=3), orders=side.store)
    menu = await side.store.menu(SHOP)

    with pytest.raises(Conflict):
        async with side.store.begin() as unit:
            unit.save_menu_item(replace(menu.items[ProductId("pastel")], version=2))

    assert (await side.store.menu(SHOP)) == menu
    assert (await side.store.menu(OTHER_SHOP)).items == {}


async def test_a_store_in_reach_can_be_pinged(side: Side) -> None:
    await side.store.ping()


async def test_a_store_out_of_reach_is_an_outage_by_name() -> None:
    options: dict[str, Any] = connection("http://127.0.0.1:1")
    config = Config(retries={"max_attempts": 0})
    async with get_session().create_client("dynamodb", config=config, **options) as client:
        table = DynamoTable(client, name=TABLE)
        units = DynamoUnits(client, table=TABLE, publisher=InMemoryPublisher(), clock=Clock())
        store = DynamoOrderRepository(table, units=units)

        for work in (
            store.ping(),
            store.board(SHOP),
            store.many([(SHOP, unknown_order())]),
            DynamoDesk(table).claim(fresh(), now=datetime.now(UTC) - timedelta(days=1)),
        ):
            with pytest.raises(StoreUnavailable):
                await work
        with pytest.raises(StoreUnavailable):
            async with store.begin() as unit:
                unit.emit(OrderPaid(shop_id=SHOP, order_id=unknown_order()))
