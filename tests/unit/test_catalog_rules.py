"""Rules of stock that only show when one is broken: each kills a mutant of `tests.mutation`."""

from dataclasses import replace
from typing import Any

import pytest

from comanda.events import Line
from comanda.ids import ProductId
from comanda.menu import ChosenOption, ComboSlot, Option, OptionGroup
from comanda.money import ZERO, Money
from tests.catalog_builders import NOW, product
from workers.catalog.model import (
    LARGEST_QUANTITY,
    MoveKind,
    Offer,
    RejectionReason,
    StockAudit,
    StockCorrupted,
    StockLevel,
    StockMove,
    counted_of,
    objection_to,
    quantities_of,
)
from workers.catalog.products import Product

DEAREST = Money(10**12 - 1)
DRINK, FRIES = product("guarana"), product("fritas")
COMBO = replace(
    product("combo"),
    slots=(
        ComboSlot(id="bebida", name="Bebida", is_required=True, product_ids=(DRINK.id,)),
        ComboSlot(id="lado", name="Lado", is_required=False, product_ids=(FRIES.id, DRINK.id)),
    ),
    option_groups=(
        OptionGroup(
            id="extras",
            name="Extras",
            is_required=False,
            minimum=0,
            maximum=1,
            options=(Option(id="ouro", name="Ouro", price=DEAREST),),
        ),
    ),
)
OFFERS = {
    offered.id: Offer(product=offered, level=StockLevel(product_id=offered.id))
    for offered in (COMBO, DRINK, FRIES)
}


def part(group: str, filled: Product, *, named: bool = True) -> ChosenOption:
    product_id = filled.id if named else None
    return ChosenOption(
        group_id=group, option_id=filled.id, name="x", price=ZERO, product_id=product_id
    )


def line(*options: ChosenOption, ordered: Product = COMBO, **changes: Any) -> Line:
    it = Line(product_id=ordered.id, name="x", quantity=1, unit_price=ordered.price)
    return replace(it, options=options, **changes)


def objection(*lines: Line) -> RejectionReason | None:
    total = sum((it.unit_price * it.quantity for it in lines), ZERO)
    quantities = quantities_of(lines, total=total)
    return objection_to(lines, quantities=quantities, offers=OFFERS)


def test_the_parts_of_a_combo_leave_the_store_room_and_its_options_do_not() -> None:
    bacon = ChosenOption(group_id="extras", option_id="bacon", name="Bacon", price=ZERO)
    lines = [line(part("bebida", DRINK), bacon, quantity=2), line(ordered=DRINK)]

    held = quantities_of(lines, total=COMBO.price * 2 + DRINK.price)

    assert held == {COMBO.id: 2, DRINK.id: 3}


def test_the_largest_quantity_can_be_ordered() -> None:
    most = line(ordered=DRINK, quantity=LARGEST_QUANTITY)

    held = quantities_of([most], total=DRINK.price * LARGEST_QUANTITY)

    assert held == {DRINK.id: 1_000_000}


def test_only_what_is_counted_is_held() -> None:
    endless = replace(OFFERS[DRINK.id], product=replace(DRINK, is_stocked=False))

    held = counted_of({DRINK.id: 1, FRIES.id: 2}, offers={**OFFERS, DRINK.id: endless})

    assert held == {FRIES.id: 2}


def test_a_combo_with_its_parts_is_what_the_menu_says() -> None:
    assert objection(line(part("bebida", DRINK), part("lado", FRIES))) is None
    assert objection(line(part("bebida", DRINK), part("lado", DRINK))) is None


def test_a_part_that_the_line_does_not_name_would_leave_no_trace_in_the_stock() -> None:
    silent = line(part("bebida", DRINK, named=False))
    half = line(part("bebida", DRINK), part("lado", DRINK, named=False))
    swapped = line(part("bebida", DRINK), replace(part("lado", FRIES), product_id=DRINK.id))

    assert [objection(it) for it in (silent, half, swapped)] == [
        RejectionReason.OPTIONS_CHANGED
    ] * 3


def test_choices_that_the_menu_does_not_have_are_named_as_such() -> None:
    gold = ChosenOption(group_id="extras", option_id="ouro", name="Ouro", price=DEAREST)
    without_drink, dearer_than_money = line(), line(part("bebida", DRINK), gold)

    assert objection(without_drink) is RejectionReason.OPTIONS_CHANGED
    assert objection(dearer_than_money) is RejectionReason.OPTIONS_CHANGED


def test_the_first_line_that_is_wrong_is_found_behind_good_ones() -> None:
    good, wrong = line(ordered=DRINK), line(ordered=FRIES, unit_price=Money(1))

    assert objection(good, wrong) is RejectionReason.PRICE_CHANGED


@pytest.mark.parametrize(
    "wrong",
    [{"held": -1}, {"sold": -1}, {"received": 2, "held": 1, "sold": 2}, {"received": 0, "sold": 1}],
)
def test_an_impossible_level_cannot_be_built(wrong: dict[str, int]) -> None:
    with pytest.raises(StockCorrupted):
        StockLevel(product_id=DRINK.id, **{"received": 5, **wrong})


def test_what_is_held_and_sold_adds_up_over_several_orders() -> None:
    level = StockLevel(product_id=DRINK.id, received=10)

    after = level.hold(3).hold(2).sell(1).sell(2)

    assert (after.held, after.sold, after.left) == (2, 3, 5)


def test_the_ledger_makes_the_level() -> None:
    level = StockLevel(product_id=DRINK.id)
    moves = [
        (MoveKind.RECEIVED, 10),
        (MoveKind.CORRECTED, -1),
        (MoveKind.HELD, 5),
        (MoveKind.SOLD, 3),
        (MoveKind.RELEASED, 1),
    ]
    for kind, quantity in moves:
        level = level.follow(
            StockMove(product_id=DRINK.id, kind=kind, quantity=quantity, key="k", at=NOW)
        )

    assert (level.received, level.held, level.sold) == (9, 1, 3)


@pytest.mark.parametrize("wrong", ["received", "held", "sold"])
def test_a_level_that_differs_from_its_ledger_is_found(wrong: str) -> None:
    names = ("received", "held", "sold", "delivered", "reserved", "bought")
    told = {"ledger_received": 9, "ledger_held": 1, "ledger_sold": 3}
    sums = {**dict.fromkeys(names, 0), "received": 9, "held": 1, "sold": 3}
    audit = StockAudit(product_id=ProductId("p"), **sums, **told)

    assert audit.agrees_with_ledger
    assert not replace(audit, **{wrong: 4}).agrees_with_ledger
