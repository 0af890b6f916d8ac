"""The kitchen made exactly what was paid for, or it is told what it did not."""

from dataclasses import replace
from typing import Any

import pytest

from comanda.money import ZERO, Money
from console.audit.books import AuditedCase, AuditedCharge, AuditedOrder, Books, ProviderPaid
from local.chaos.kitchen import kitchen_faults, work_off

TEN, FOUR = Money.parse("10.00"), Money.parse("4.00")
ORDER = AuditedOrder(
    id="o",
    status="COMPLETED",
    total=TEN,
    refunded=ZERO,
    paid_by="p",
    history=("PENDING_PAYMENT", "RECEIVED", "IN_PREPARATION", "READY", "COMPLETED"),
)
CHARGE = AuditedCharge(
    id="c",
    order_id="o",
    status="PAID",
    amount=TEN,
    charged=TEN,
    refunded=ZERO,
    disputed=ZERO,
    provider_id="p",
    open_attempts=0,
    strays={},
)
PAID = ProviderPaid(id="p", reference="c", paid=TEN, refunded=ZERO)
CASE = AuditedCase(kind="REVIEW", subject="p", order_id="o", is_open=True)
BOOKS = Books(
    shop="ana",
    orders={"o": ORDER},
    claims=(),
    charges=(CHARGE,),
    cases=(),
    levels=(),
    paid=(PAID,),
)


def with_order(**changes: Any) -> Books:
    return replace(BOOKS, orders={"o": replace(ORDER, **changes)})


@pytest.mark.parametrize(
    ("books", "told"),
    [
        (BOOKS, []),
        (replace(BOOKS, paid=()), ["o was made for 10.00, and 0.00 was paid for it"]),
        (
            replace(BOOKS, paid=(replace(PAID, refunded=TEN),)),
            ["o was made for 10.00, and 0.00 was paid for it"],
        ),
        (
            replace(BOOKS, paid=(replace(PAID, paid=FOUR),)),
            ["o was made for 10.00, and 4.00 was paid for it"],
        ),
        (with_order(status="RECEIVED"), ["o was paid with 10.00, and is RECEIVED"]),
        (with_order(status="CANCELLED"), ["o was paid with 10.00, and is CANCELLED"]),
        (replace(with_order(status="CANCELLED"), cases=(CASE,)), []),
        (replace(with_order(status="CANCELLED"), paid=(replace(PAID, refunded=TEN),)), []),
        (replace(with_order(status="PENDING_PAYMENT"), paid=()), []),
        (with_order(history=(*ORDER.history, "COMPLETED")), ["o was made more than once"]),
        (replace(BOOKS, orders={}), ["o was paid with 10.00, and is no order"]),
        (
            replace(with_order(refunded=FOUR), paid=(replace(PAID, refunded=FOUR),)),
            [],
        ),
    ],
)
def test_what_was_made_is_held_against_what_the_provider_kept(
    books: Books, told: list[str]
) -> None:
    assert kitchen_faults([books]) == told


class Kitchen:
    """A kitchen that notes what it is told to do."""

    def __init__(self) -> None:
        self.did: list[tuple[str, str]] = []

    async def advance(self, order: dict[str, Any], step: str) -> dict[str, Any]:
        self.did.append((order["id"], step))
        return order


@pytest.mark.parametrize(
    ("status", "steps"),
    [
        ("RECEIVED", ["start", "ready", "complete"]),
        ("IN_PREPARATION", ["ready", "complete"]),
        ("READY", ["complete"]),
        ("COMPLETED", []),
        ("CANCELLED", []),
        ("PENDING_PAYMENT", []),
    ],
)
async def test_what_is_on_the_board_is_made_and_nothing_else(status: str, steps: list[str]) -> None:
    kitchen: Any = Kitchen()

    made = await work_off(kitchen, [with_order(status=status)])

    assert kitchen.did == [("o", step) for step in steps]
    assert made == bool(steps)
