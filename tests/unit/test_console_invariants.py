"""What the audit finds in books that do not agree, and that it finds nothing in those that do."""

from dataclasses import replace
from typing import Any

import pytest

from comanda.money import ZERO, Money
from console.audit.books import (
    AuditedCase,
    AuditedCharge,
    AuditedClaim,
    AuditedLedger,
    AuditedLevel,
    AuditedOrder,
    AuditedReservation,
    Books,
    ProviderPaid,
)
from console.audit.invariants import offenders
from console.audit.stock import uncounted

PRICE = Money.parse("58.80")
ORDER = AuditedOrder(
    id="o1",
    status="RECEIVED",
    total=PRICE,
    refunded=ZERO,
    paid_by="c1",
    history=("PENDING_PAYMENT", "RECEIVED"),
    units={"p": 1},
)
CHARGE = AuditedCharge(
    id="c1",
    order_id="o1",
    status="PAID",
    amount=PRICE,
    charged=PRICE,
    refunded=ZERO,
    disputed=ZERO,
    provider_id="ORD1",
    open_attempts=0,
    strays={},
)
PAID = ProviderPaid(id="ORD1", reference="c1", paid=PRICE, refunded=ZERO)
LEVEL = AuditedLevel(product_id="p", received=9, held=0, sold=1, delivered=9, reserved=0, bought=1)
LEDGER = AuditedLedger(product_id="p", level=(9, 0, 1), booked=(9, 0, 1))
RESERVED = AuditedReservation(order_id="o1", status="SOLD", units={"p": 1})
CASE = AuditedCase(kind="paid_late", subject="c1", order_id="o1", is_open=True)
GOOD = Books(
    shop="shop",
    orders={"o1": ORDER},
    claims=(AuditedClaim(key="k", order_id="o1", is_answered=True),),
    charges=(CHARGE,),
    cases=(),
    levels=(LEVEL,),
    ledger=(LEDGER,),
    reservations=(RESERVED,),
    paid=(PAID,),
)


def broken(books: Books) -> set[int]:
    return {offender.invariant for offender in offenders(books)}


def test_books_that_agree_have_no_offender() -> None:
    assert offenders(GOOD) == []


@pytest.mark.parametrize(
    ("change", "invariant"),
    [
        ({"claims": (*GOOD.claims, replace(GOOD.claims[0], key="k2"))}, 1),
        ({"claims": (replace(GOOD.claims[0], order_id="gone"),)}, 1),
        ({"charges": (CHARGE, replace(CHARGE, id="c2", charged=ZERO, status="WAITING"))}, 2),
        ({"paid": (PAID, replace(PAID, id="900"))}, 2),
        ({"paid": (PAID, replace(PAID, id="900", reference="nobody"))}, 3),
        ({"paid": (replace(PAID, paid=Money.parse("58.79")),)}, 3),
        ({"paid": (replace(PAID, refunded=Money.parse("1.00")),)}, 3),
        ({"orders": {"o1": replace(ORDER, status="CANCELLED")}}, 3),
        ({"orders": {"o1": replace(ORDER, total=Money.parse("60.00"))}}, 3),
        ({"orders": {}}, 3),
        ({"charges": (), "paid": ()}, 3),
        ({"charges": (replace(CHARGE, strays={"900": (PRICE, ZERO)}),)}, 3),
        ({"levels": (replace(LEVEL, sold=2),)}, 4),
        ({"levels": (replace(LEVEL, held=1),)}, 4),
        ({"levels": (replace(LEVEL, received=8),)}, 4),
        ({"ledger": (replace(LEDGER, booked=(8, 0, 1)),)}, 4),
        ({"ledger": (replace(LEDGER, booked=(9, 1, 1)),)}, 4),
        ({"ledger": (replace(LEDGER, booked=(9, 0, 0)),)}, 4),
        ({"reservations": ()}, 4),
        ({"reservations": (replace(RESERVED, units={"p": 2}),)}, 4),
        ({"reservations": (replace(RESERVED, units={"p": 1, "q": 1}),)}, 4),
        ({"reservations": (replace(RESERVED, status="RELEASED"),)}, 4),
        ({"reservations": (replace(RESERVED, status="HELD"),)}, 4),
        ({"reservations": (RESERVED, replace(RESERVED, order_id="o2", status="HELD"))}, 4),
        ({"orders": {"o1": replace(ORDER, history=("PENDING_PAYMENT", "READY"))}}, 5),
        ({"orders": {"o1": replace(ORDER, status="READY")}}, 5),
        ({"charges": (replace(CHARGE, status="WAITING"),)}, 5),
        ({"charges": (replace(CHARGE, status="REFUNDED"),)}, 5),
        ({"charges": (replace(CHARGE, refunded=Money.parse("99.00")),)}, 5),
        ({"paid": (replace(PAID, refunded=PRICE),)}, 3),
        ({"paid": (), "is_whole": True}, 3),
    ],
)
def test_books_that_do_not_agree_name_the_invariant(change: dict[str, Any], invariant: int) -> None:
    assert invariant in broken(replace(GOOD, **change))


@pytest.mark.parametrize(
    "change",
    [
        {
            "orders": {
                "o1": replace(ORDER, status="CANCELLED", history=(*ORDER.history, "CANCELLED"))
            }
        },
        {"paid": (PAID, replace(PAID, id="900"))},
        {"paid": (replace(PAID, paid=Money.parse("58.79")),)},
    ],
)
def test_what_a_human_knows_of_is_no_offence(change: dict[str, Any]) -> None:
    assert broken(replace(GOOD, **change, cases=(CASE,))) == set()


def test_a_case_that_closed_by_itself_hides_nothing() -> None:
    over = replace(CASE, is_open=False)
    short = (replace(PAID, paid=Money.parse("58.79")),)

    assert broken(replace(GOOD, paid=short, cases=(over,))) == {3}
    assert broken(replace(GOOD, paid=short, cases=(replace(over, is_resolved=True),))) == set()


def test_our_order_under_anothers_reference_is_told_by_its_own_id() -> None:
    astray = (replace(PAID, reference="somebody-elses"),)

    assert broken(replace(GOOD, paid=astray)) == set()
    assert broken(replace(GOOD, paid=(replace(astray[0], id="ORD2"),))) == {3}


def test_money_that_came_and_went_unseen_is_no_offence() -> None:
    unseen = replace(CHARGE, charged=ZERO, status="REJECTED")
    order = replace(ORDER, status="PAYMENT_FAILED", history=("PENDING_PAYMENT", "PAYMENT_FAILED"))
    released = (replace(RESERVED, status="RELEASED"),)
    came = replace(GOOD, levels=(), ledger=(), paid=(replace(PAID, refunded=PRICE),))

    seen = replace(came, charges=(unseen,), orders={"o1": order}, reservations=released)
    assert broken(seen) == set()


def test_a_second_payment_that_went_back_is_no_offence() -> None:
    charge = replace(CHARGE, strays={"900": (PRICE, PRICE)})
    second = replace(PAID, id="900", refunded=PRICE)

    assert offenders(replace(GOOD, charges=(charge,), paid=(PAID, second))) == []


def test_a_charge_whose_order_a_restore_took_back_is_no_offence_once_it_is_given_up() -> None:
    gone = replace(GOOD, orders={}, claims=(), paid=(replace(PAID, refunded=PRICE),))
    back = replace(CHARGE, status="REFUNDED", refunded=PRICE)

    assert broken(replace(gone, charges=(back,))) == set()
    assert 3 in broken(replace(gone, charges=(CHARGE,), paid=(PAID,)))
    waiting = replace(CHARGE, status="WAITING", charged=ZERO)
    assert 3 in broken(replace(gone, charges=(waiting,), paid=()))


def test_an_offender_is_named() -> None:
    (offender,) = offenders(replace(GOOD, paid=(PAID, replace(PAID, id="900", reference="x"))))

    assert (offender.shop, offender.subject) == ("shop", "900")
    assert "nobody knows" in offender.detail


ENDED = replace(ORDER, status="CANCELLED", history=("PENDING_PAYMENT", "CANCELLED"))
UNPAID = replace(GOOD, orders={"o1": ENDED}, charges=(), paid=())


@pytest.mark.parametrize("status", ["HELD", "SOLD"])
def test_an_order_that_ended_unpaid_keeps_no_stock(status: str) -> None:
    kept = replace(UNPAID, reservations=(replace(RESERVED, status=status),))
    back = replace(UNPAID, reservations=(replace(RESERVED, status="RELEASED"),))

    assert broken(kept) == {4}
    assert broken(back) == set()


def test_what_is_not_counted_is_missing_from_a_reservation_and_no_offence() -> None:
    more = replace(ORDER, units={"p": 1, "coffee": 2})

    assert broken(replace(GOOD, orders={"o1": more})) == set()


def test_where_all_is_counted_the_lines_of_orders_take_what_the_shelf_gave() -> None:
    more = replace(GOOD, orders={"o1": replace(ORDER, units={"p": 2})})
    less = replace(GOOD, reservations=(replace(RESERVED, status="HELD"),))

    assert list(uncounted(GOOD)) == []
    assert list(uncounted(more)) == [("p", "1 are SOLD, the lines of their orders: 2")]
    assert [detail for _, detail in uncounted(less)] == [
        "0 are HELD, the lines of their orders: 1",
        "1 are SOLD, the lines of their orders: 0",
    ]
