"""What a customer may choose: options, combos, and what they cost."""

from dataclasses import replace
from datetime import datetime

import pytest

from comanda.hours import InvalidHours, OpeningHours, ShopSwitch, check, is_open
from comanda.ids import ProductId
from comanda.menu import (
    Choice,
    ComboSlot,
    InvalidChoices,
    Option,
    OptionGroup,
    chosen,
    unit_price,
)
from comanda.money import ZERO, Money

BACON = Option(id="bacon", name="Bacon", price=Money.parse("4.50"))
EGG = Option(id="ovo", name="Ovo", price=Money.parse("3.00"))
EXTRAS = OptionGroup(
    id="extras", name="Adicionais", is_required=False, minimum=0, maximum=2, options=(BACON, EGG)
)
POINT = OptionGroup(
    id="ponto",
    name="Ponto",
    is_required=True,
    minimum=1,
    maximum=1,
    options=(Option(id="bem", name="Bem passado"), Option(id="mal", name="Mal passado")),
)
GUARANA, WATER = ProductId("guarana"), ProductId("agua")
DRINK = ComboSlot(id="bebida", name="Bebida", is_required=True, product_ids=(GUARANA, WATER))
NAMES = {GUARANA: "Guaraná", WATER: "Água"}


def pick(group: str, *options: str) -> list[Choice]:
    return [Choice(group_id=group, option_id=option) for option in options]


def test_choices_come_back_with_names_and_prices_in_the_order_of_the_menu() -> None:
    picked = pick("extras", "ovo", "bacon") + pick("ponto", "bem")

    options = chosen(picked, groups=(POINT, EXTRAS), slots=(), names={})

    assert [(o.group_id, o.name) for o in options] == [
        ("ponto", "Bem passado"),
        ("extras", "Bacon"),
        ("extras", "Ovo"),
    ]
    assert unit_price(Money.parse("20.00"), options) == Money.parse("27.50")


def test_a_slot_is_filled_by_a_product_at_no_further_price() -> None:
    (option,) = chosen(pick("bebida", "agua"), groups=(), slots=(DRINK,), names=NAMES)

    assert (option.product_id, option.name, option.price) == (WATER, "Água", ZERO)


@pytest.mark.parametrize(
    ("picked", "group_id"),
    [
        ([], "ponto"),
        (pick("ponto", "bem", "mal"), "ponto"),
        (pick("ponto", "cru"), "ponto"),
        (pick("ponto", "bem") + pick("molho", "alho"), "molho"),
        (pick("ponto", "bem") + pick("extras", "ovo", "ovo"), "extras"),
    ],
)
def test_choices_that_do_not_fit_name_their_group(picked: list[Choice], group_id: str) -> None:
    with pytest.raises(InvalidChoices) as refused:
        chosen(picked, groups=(POINT, EXTRAS), slots=(), names={})

    assert refused.value.group_id == group_id


@pytest.mark.parametrize(
    "picked", [[], pick("bebida", "agua", "guarana"), pick("bebida", "cerveja")]
)
def test_a_slot_takes_one_of_its_products(picked: list[Choice]) -> None:
    with pytest.raises(InvalidChoices):
        chosen(picked, groups=(), slots=(DRINK,), names=NAMES)


def test_a_product_that_cannot_be_had_now_fills_no_slot() -> None:
    with pytest.raises(InvalidChoices, match="cannot be had"):
        chosen(pick("bebida", "agua"), groups=(), slots=(DRINK,), names={GUARANA: "Guaraná"})


def test_what_is_not_required_may_be_left_out_but_not_half_chosen() -> None:
    pair = replace(EXTRAS, minimum=2)

    assert chosen([], groups=(pair,), slots=(), names={}) == ()
    with pytest.raises(InvalidChoices):
        chosen(pick("extras", "ovo"), groups=(pair,), slots=(), names={})


# 2026-03-02 is a Monday.
LUNCH = OpeningHours(weekday=0, opens="11:00", closes="15:00")
NIGHT = OpeningHours(weekday=6, opens="18:00", closes="02:00")


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [
        (2, "10:59", False),
        (2, "11:00", True),
        (2, "14:59", True),
        (2, "15:00", False),
        (3, "12:00", False),
        (1, "18:00", True),
        (2, "01:59", True),
        (2, "02:00", False),
        (1, "01:00", False),
    ],
)
def test_hours_begin_on_the_minute_and_may_run_past_midnight(
    day: int, hour: str, *, expected: bool
) -> None:
    local = datetime.fromisoformat(f"2026-03-{day:02d}T{hour}:00")

    assert is_open((LUNCH, NIGHT), switch=ShopSwitch.BY_HOURS, local=local) is expected


def test_the_switch_overrules_the_hours_and_no_hours_is_always_open() -> None:
    noon = datetime.fromisoformat("2026-03-02T12:00:00")

    assert not is_open((LUNCH,), switch=ShopSwitch.CLOSED, local=noon)
    assert is_open((NIGHT,), switch=ShopSwitch.OPEN, local=noon)
    assert is_open((), switch=ShopSwitch.BY_HOURS, local=noon)


@pytest.mark.parametrize(
    "bad", [{"weekday": 7}, {"weekday": -1}, {"opens": "24:00"}, {"closes": "9:00"}]
)
def test_hours_that_no_clock_shows_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InvalidHours):
        check([replace(LUNCH, **bad)])
