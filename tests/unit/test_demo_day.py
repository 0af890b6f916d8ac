"""The evening's reckoning of a day finds every cent and unit that is missing."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from comanda.money import ZERO, Money
from console.audit.books import AuditedCase, AuditedCharge, AuditedOrder, Books, ProviderPaid
from local.demo.day.books import HISTORIES, Evening, Stock, disagreements
from local.demo.day.customers import draw_fates
from local.demo.day.receipts import Drawer, Fate, Receipt
from local.demo.day.sheet import DISHES, PORTIONS, sheet

PRICE = Money.parse("10.00")
STATUSES = {
    Fate.EATEN: "PAID",
    Fate.PAID_LATE: "REFUNDED",
    Fate.WALKED_AWAY: "EXPIRED",
}


def receipt(fate: Fate, number: int) -> Receipt:
    return Receipt(
        order_id=f"order-{number}",
        call_number=number,
        fate=fate,
        total=PRICE,
        units={"scarce": 2},
        statuses=HISTORIES[fate],
    )


def order(of: Receipt) -> AuditedOrder:
    history = HISTORIES[of.fate]
    return AuditedOrder(
        id=of.order_id,
        status=history[-1],
        total=of.total,
        refunded=ZERO,
        paid_by=None,
        history=history,
    )


def charge(of: Receipt) -> AuditedCharge:
    is_paid, is_back = of.fate in (Fate.EATEN, Fate.PAID_LATE), of.fate is Fate.PAID_LATE
    return AuditedCharge(
        id=f"charge-{of.order_id}",
        order_id=of.order_id,
        status=STATUSES[of.fate],
        amount=of.total,
        charged=of.total if is_paid else ZERO,
        refunded=of.total if is_back else ZERO,
        disputed=ZERO,
        provider_id=f"ORD-{of.order_id}",
        open_attempts=0,
        strays={},
    )


def paid(of: Receipt) -> ProviderPaid:
    returned = of.total if of.fate is Fate.PAID_LATE else ZERO
    return ProviderPaid(
        id=f"ORD-{of.order_id}",
        reference=f"charge-{of.order_id}",
        paid=of.total,
        refunded=returned,
    )


@pytest.fixture
def drawer() -> Drawer:
    return Drawer(receipts=[receipt(fate, number) for number, fate in enumerate(Fate, start=1)])


@pytest.fixture
def evening(drawer: Drawer) -> Evening:
    charged = [it for it in drawer.receipts if it.fate is not Fate.TURNED_AWAY]
    books = Books(
        shop="loja",
        orders={it.order_id: order(it) for it in drawer.receipts},
        claims=(),
        charges=tuple(charge(it) for it in charged),
        cases=(),
        levels=(),
        paid=tuple(paid(it) for it in charged if it.fate is not Fate.WALKED_AWAY),
    )
    return Evening(
        books=books,
        stocks={"scarce": Stock(received=2, held=0, sold=2, left=0, is_as_its_ledger=True)},
        scarce="scarce",
        provider_taken=PRICE + PRICE,
        provider_returned=PRICE,
    )


def test_a_good_day_has_nothing_to_say(evening: Evening, drawer: Drawer) -> None:
    assert disagreements(evening, drawer) == []


@pytest.mark.parametrize(
    ("stock", "said"),
    [
        ({"sold": 1}, "2 were eaten, 1 sold"),
        ({"held": 1}, "1 are still held"),
        ({"left": 1}, "does not add up"),
        ({"is_as_its_ledger": False}, "is not what its ledger makes of it"),
        ({"received": 3, "left": 1}, "did not sell out"),
    ],
)
def test_a_unit_astray_is_named(
    evening: Evening, drawer: Drawer, stock: dict[str, int], said: str
) -> None:
    off = replace(evening, stocks={"scarce": replace(evening.stocks["scarce"], **stock)})

    assert any(said in line for line in disagreements(off, drawer))


def test_a_cent_astray_at_the_provider_is_named(evening: Evening, drawer: Drawer) -> None:
    off = replace(evening, provider_taken=evening.provider_taken + Money.parse("0.01"))

    assert disagreements(off, drawer) == ["people ate for R$ 10.00, and Mercado Pago kept R$ 10.01"]


def test_money_that_came_late_and_stayed_is_named(evening: Evening, drawer: Drawer) -> None:
    late = drawer.of(Fate.PAID_LATE)[0].order_id
    charges = tuple(
        replace(it, refunded=ZERO) if it.order_id == late else it for it in evening.books.charges
    )
    off = replace(evening, books=replace(evening.books, charges=charges))

    found = disagreements(off, drawer)

    assert any(late in line and "R$ 0.00 went back" in line for line in found)
    assert any("payments kept R$ 20.00" in line for line in found)


@pytest.mark.parametrize(
    "history",
    [
        ("PENDING_PAYMENT", "RECEIVED", "READY", "COMPLETED"),
        (*HISTORIES[Fate.EATEN], "READY", "COMPLETED"),
        HISTORIES[Fate.EATEN][:-1],
    ],
)
def test_a_kitchen_that_worked_otherwise_is_named(
    evening: Evening, drawer: Drawer, history: tuple[str, ...]
) -> None:
    eaten = drawer.of(Fate.EATEN)[0].order_id
    orders = dict(evening.books.orders)
    orders[eaten] = replace(orders[eaten], history=history)
    off = replace(evening, books=replace(evening.books, orders=orders))

    assert any(f"order {eaten} was eaten" in line for line in disagreements(off, drawer))


def test_orders_that_only_one_side_knows_are_named(evening: Evening, drawer: Drawer) -> None:
    lost = drawer.receipts.pop()
    drawer.receipts.append(receipt(Fate.TURNED_AWAY, 99))

    found = disagreements(evening, drawer)

    assert "order order-99 is in no book" in found
    assert f"nobody knows order {lost.order_id}" in found


def test_two_people_who_hear_the_same_number_are_named(evening: Evening, drawer: Drawer) -> None:
    drawer.receipts[0] = replace(drawer.receipts[0], call_number=2)

    assert "2 orders have call number 2" in disagreements(evening, drawer)


def test_an_open_case_and_an_angry_customer_spoil_the_day(evening: Evening, drawer: Drawer) -> None:
    case = AuditedCase(kind="REVIEW", subject="c", order_id=None, is_open=True)
    drawer.angry.append("gave up")

    found = disagreements(replace(evening, books=replace(evening.books, cases=(case,))), drawer)

    assert found == ["somebody left angry: gave up", "open case REVIEW c"]


@pytest.mark.parametrize("orders", [10, 60, 3000])
def test_five_percent_walk_away_and_two_percent_pay_late(orders: int) -> None:
    fates = Counter(draw_fates(orders, rng=random.Random(1)))

    assert fates.total() == orders
    assert fates[Fate.WALKED_AWAY] == max(1, round(orders * 0.05))
    assert fates[Fate.PAID_LATE] == max(1, round(orders * 0.02))


def test_the_sheet_of_the_day_has_120_products_of_which_one_is_scarce() -> None:
    text = sheet().decode()

    rows = text.splitlines()[1:]

    assert len(rows) == len({row.partition(";")[0] for row in rows}) == DISHES
    assert [row.rpartition(";")[2] for row in rows].count(str(PORTIONS)) == 1
