"""An order is answered once, and what became of its reservation is written down with its reason."""

from comanda.events import StockRejected, StockReserved
from tests.catalog_builders import (
    SHOP,
    Store,
    approved,
    cancelled,
    failed,
    line,
    placed,
    product,
)
from workers.catalog.model import Reservation, ReservationStatus

S = ReservationStatus


async def reservation(store: Store, order_id: str) -> Reservation:
    async with store.catalog.begin() as unit:
        found = await unit.reservation(SHOP, order_id)
    assert found is not None
    return found


async def test_an_order_that_is_held_is_not_answered_again(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal))

    await store.deliver(order)
    await store.deliver(order)

    assert (len(await store.sent(StockReserved)), await store.sent(StockRejected)) == (1, [])
    assert (await store.level(meal)).held == 1


async def test_the_end_of_an_order_not_yet_seen_leaves_a_mark_and_is_no_fault(
    store: Store,
) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    order = placed(line(meal))

    await store.deliver(cancelled(order))

    mark = await reservation(store, order.order_id)
    assert (mark.status, mark.reason, dict(mark.quantities)) == (S.RELEASED, "order_cancelled", {})
    assert await store.reader.refusals(SHOP, limit=10) == []


async def test_a_rejected_order_holds_nothing_and_says_why(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=1)
    order = placed(line(meal, 2))

    await store.deliver(order)

    kept = await reservation(store, order.order_id)
    assert (kept.status, kept.reason, dict(kept.quantities)) == (S.RELEASED, "out_of_stock", {})


async def test_a_reservation_tells_by_what_it_came_to_its_end(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    sold, given_back = placed(line(meal)), placed(line(meal))
    for order in (sold, given_back):
        await store.deliver(order)

    await store.deliver(approved(sold))
    await store.deliver(failed(given_back))

    ends = [await reservation(store, order.order_id) for order in (sold, given_back)]
    assert [(end.status, end.reason) for end in ends] == [
        (S.SOLD, "payments.payment.approved.v1"),
        (S.RELEASED, "payments.payment.failed.v1"),
    ]
