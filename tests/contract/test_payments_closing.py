"""What closes a day's money, on both stores of payments."""

from datetime import timedelta

from comanda.ids import OrderId, new_id
from comanda.money import Money
from tests.payments_builders import NOW, OTHER_SHOP, SHOP, Counter, notification, reserved
from workers.payments.ledger import EntryKind
from workers.payments.operators import RefundWish, refund_by_operator

HOUR = timedelta(hours=1)
DAY = (NOW - HOUR, NOW + HOUR)


async def test_the_charges_of_a_days_orders_are_found_by_their_ids_alone(counter: Counter) -> None:
    early, first, second, late = (
        OrderId(new_id(NOW + after))
        for after in (-2 * HOUR, -HOUR, HOUR - timedelta(milliseconds=1), HOUR)
    )
    for order_id in (late, second, first, early):
        await counter.deliver(reserved(order_id))
    await counter.paid(second)

    rows = await counter.reader.charges_of_orders(SHOP, window=DAY, after="", limit=9)
    page = await counter.reader.charges_of_orders(SHOP, window=DAY, after=first, limit=1)
    theirs = await counter.reader.charges_of_orders(OTHER_SHOP, window=DAY, after="", limit=9)

    assert [row.charge.order_id for row in rows] == [first, second]
    assert [row.charge.order_id for row in page] == [second]
    assert str(rows[1].charge.balance.charged) == "58.80"
    assert theirs == []


async def test_what_moved_in_a_window_is_added_up_by_kind(counter: Counter) -> None:
    order_id = OrderId(new_id(NOW))
    await counter.deliver(reserved(order_id))
    charge = await counter.paid(order_id)
    paid_by = counter.clock()
    wish = RefundWish(
        shop_id=SHOP,
        charge_id=charge.id,
        key="k",
        amount=Money.parse("8.80"),
        reason="pouco queijo",
        by="ana",
    )
    await refund_by_operator(wish, payments=counter.desk.payments)
    await counter.settle()

    all_of_it = await counter.reader.movements(SHOP, window=(NOW, NOW + HOUR))
    before = await counter.reader.movements(SHOP, window=(NOW, paid_by))
    theirs = await counter.reader.movements(OTHER_SHOP, window=(NOW, NOW + HOUR))

    assert all_of_it.sums[EntryKind.CHARGED] == Money.parse("58.80")
    assert all_of_it.sums[EntryKind.REFUNDED] == Money.parse("8.80")
    assert EntryKind.REFUNDED not in before.sums
    assert (theirs.sums, theirs.cases_opened) == ({}, 0)


async def test_the_cases_of_a_window_are_counted(counter: Counter) -> None:
    counter.provider.orders["a"] = counter.provider.stranger("A")
    await counter.deliver(notification("A", at=counter.clock()))
    opened = await counter.reader.movements(SHOP, window=(NOW, NOW + timedelta(days=1)))
    cases = await counter.reader.open_cases(SHOP, limit=9)

    later = (NOW + timedelta(days=1), NOW + timedelta(days=2))
    after = await counter.reader.movements(SHOP, window=later)

    assert len(cases) == 1
    assert (opened.cases_opened, opened.open_cases) == (1, 1)
    assert (after.cases_opened, after.open_cases) == (0, 1)
