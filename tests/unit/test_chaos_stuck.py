"""An unpaid order waits for its payer, or somebody forgot it."""

from dataclasses import replace
from typing import Any

import pytest

from comanda.money import ZERO
from console.audit.books import AuditedCase, AuditedReservation, Books
from local.chaos.stuck import stuck_orders
from tests.unit.test_console_invariants import CHARGE, GOOD, ORDER

WAITING = replace(
    GOOD,
    orders={"o1": replace(ORDER, status="PENDING_PAYMENT", has_code=True)},
    charges=(replace(CHARGE, status="WAITING", charged=ZERO),),
    reservations=(AuditedReservation(order_id="o1", status="HELD", units={"p": 1}),),
    paid=(),
)


def test_an_order_that_can_still_be_paid_is_not_stuck() -> None:
    assert stuck_orders(WAITING) == []
    assert stuck_orders(GOOD) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"reservations": ()}, "its stock is not set aside"),
        (
            {"reservations": (replace(WAITING.reservations[0], status="RELEASED"),)},
            "its stock is RELEASED",
        ),
        ({"charges": ()}, "no charge was made"),
        ({"charges": (replace(WAITING.charges[0], status="EXPIRED"),)}, "its charge is EXPIRED"),
        (
            {"orders": {"o1": replace(WAITING.orders["o1"], has_code=False)}},
            "its customer never got the code",
        ),
    ],
)
def test_what_was_forgotten_is_named_unless_a_case_knows_of_it(
    change: dict[str, Any], told: str
) -> None:
    books: Books = replace(WAITING, **change)
    case = AuditedCase(kind="review", subject="c1", order_id="o1", is_open=True)

    assert stuck_orders(books) == [f"o1 is PENDING_PAYMENT: {told}"]
    assert stuck_orders(replace(books, cases=(case,))) == []


def test_a_code_of_an_order_that_has_ended_is_over_too() -> None:
    ended = replace(WAITING, orders={"o1": replace(ORDER, status="CANCELLED")})
    over = (replace(CHARGE, status="CANCELLED", charged=ZERO),)

    assert stuck_orders(ended) == ["o1 is CANCELLED: its code can still be paid"]
    assert stuck_orders(replace(ended, charges=over)) == []


def test_late_money_is_on_its_way_back_or_a_case_says_why_not() -> None:
    late = replace(CHARGE, status="PAID_LATE")
    case = AuditedCase(kind="paid_late", subject="c1", order_id="o1", is_open=True)
    kept = replace(
        GOOD,
        orders={"o1": replace(ORDER, status="CANCELLED")},
        charges=(late,),
        cases=(case,),
    )

    assert stuck_orders(kept) == [f"o1 was paid late, and {late.amount} is not on its way back"]
    assert stuck_orders(replace(kept, charges=(replace(late, open_attempts=1),))) == []
    failed = replace(case, kind="refund_failed")
    assert stuck_orders(replace(kept, cases=(case, failed))) == []
