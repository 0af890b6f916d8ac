"""Each real of the provider has one place; one that has none is named."""

from dataclasses import replace
from typing import Any

import pytest

from comanda.money import ZERO, Money
from console.audit.books import AuditedCase, AuditedCharge, AuditedOrder, Books, ProviderPaid
from console.audit.invariants import Offender
from local.chaos.astray import Astray
from local.chaos.money import Place, places_of
from local.chaos.provider import Outcome
from local.chaos.settling import Verdict

PRICE = Money.parse("58.80")
ORDER = AuditedOrder(
    id="o1", status="RECEIVED", total=PRICE, refunded=ZERO, paid_by="c1", history=()
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
CASE = AuditedCase(kind="second_payment", subject="900", order_id=None, is_open=True)
BOOKS = Books(
    shop="shop",
    orders={"o1": ORDER},
    claims=(),
    charges=(CHARGE,),
    cases=(),
    levels=(),
    paid=(PAID,),
)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({}, Place.KEPT),
        ({"paid": (replace(PAID, reference="somebody-elses"),)}, Place.KEPT),
        ({"paid": (replace(PAID, refunded=PRICE),)}, Place.BACK),
        ({"paid": (replace(PAID, id="900", reference="x"),), "cases": (CASE,)}, Place.CASE),
        ({"cases": (replace(CASE, order_id="o1"),)}, Place.CASE),
        ({"paid": (replace(PAID, id="900"),)}, Place.NOWHERE),
        ({"paid": (replace(PAID, id="900", reference="x"),)}, Place.NOWHERE),
        ({"charges": (replace(CHARGE, charged=ZERO),)}, Place.NOWHERE),
        ({"orders": {"o1": replace(ORDER, status="CANCELLED")}}, Place.NOWHERE),
        ({"orders": {"o1": replace(ORDER, total=Money.parse("60.00"))}}, Place.NOWHERE),
        ({"orders": {}}, Place.NOWHERE),
    ],
)
def test_what_came_is_in_exactly_one_place(change: dict[str, Any], place: Place) -> None:
    found = places_of([replace(BOOKS, **change)])

    assert {where: amount for where, amount in found.items() if amount > ZERO} == {place: PRICE}


def test_a_part_that_went_back_and_the_rest_that_is_kept_add_up() -> None:
    back = Money.parse("10.00")
    books = replace(
        BOOKS,
        charges=(replace(CHARGE, refunded=back),),
        paid=(replace(PAID, refunded=back),),
    )

    found = places_of([books, replace(BOOKS, shop="another")])

    assert (found[Place.KEPT], found[Place.BACK]) == (Money.parse("107.60"), back)


VERDICT = Verdict(offenders=(), statuses={}, dead=(), redriven=0, open_cases=0, books=(BOOKS,))


def test_a_run_in_which_each_real_has_its_place_is_sound() -> None:
    assert Outcome(done=Astray(), verdict=VERDICT).is_sound


@pytest.mark.parametrize(
    "change",
    [
        {"books": (replace(BOOKS, orders={}),)},
        {"offenders": (Offender(invariant=4, shop="shop", subject="p", detail="d"),)},
        {"dead": ("payments: m1 invalid",)},
    ],
)
def test_a_run_that_lost_a_real_or_left_a_letter_is_not_sound(change: dict[str, Any]) -> None:
    assert not Outcome(done=Astray(), verdict=replace(VERDICT, **change)).is_sound
