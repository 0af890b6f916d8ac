"""What catalog and orders must agree on about a menu: its shelves, options, combos and prices.

Both check a customer's choices by `chosen`: orders against its copy of the menu before an order is
placed, catalog against the menu itself when it holds the stock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from comanda.ids import ProductId
from comanda.money import ZERO, Money

LONGEST_NOTES = 140
MOST_GROUPS = 20
MOST_OPTIONS = 50


class Category(StrEnum):
    """The four shelves of a menu, in the order of the steps in which a customer builds an order."""

    MEAL = "MEAL"
    SIDE = "SIDE"
    DRINK = "DRINK"
    DESSERT = "DESSERT"


LABELS: Mapping[Category, str] = {
    Category.MEAL: "Lanche",
    Category.SIDE: "Acompanhamento",
    Category.DRINK: "Bebida",
    Category.DESSERT: "Sobremesa",
}


class InvalidChoices(ValueError):
    """The choices do not fit the product; `group_id` names the group or slot at fault."""

    def __init__(self, fault: str, *, group_id: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.group_id = group_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One thing that can be had with a product, for this much more (or nothing)."""

    id: str
    name: str
    price: Money = ZERO


@dataclass(frozen=True, kw_only=True, slots=True)
class OptionGroup:
    """Options of which `minimum` to `maximum` different ones are chosen; none if not required."""

    id: str
    name: str
    is_required: bool
    minimum: int
    maximum: int
    options: tuple[Option, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ComboSlot:
    """A place in a combo, filled by one of these products at no further price."""

    id: str
    name: str
    is_required: bool
    product_ids: tuple[ProductId, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What a customer picks: an option of a group, or a product (by its id) for a slot."""

    group_id: str
    option_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenOption:
    """A choice as it was offered; `product_id` is set for a slot, whose product leaves the stock.

    `price` is that of one unit of the line, and is contained in the line's `unit_price`.
    """

    group_id: str
    option_id: str
    name: str
    price: Money
    product_id: ProductId | None = None


def chosen(
    choices: Sequence[Choice],
    *,
    groups: Sequence[OptionGroup],
    slots: Sequence[ComboSlot],
    names: Mapping[ProductId, str],
) -> tuple[ChosenOption, ...]:
    """Check choices and put names and prices on them, in the order of the menu.

    `names` holds the products that can be ordered now. Raises `InvalidChoices`.
    """
    picked: dict[str, list[str]] = {}
    for choice in choices:
        picked.setdefault(choice.group_id, []).append(choice.option_id)
    known = {group.id for group in groups} | {slot.id for slot in slots}
    for group_id in picked:
        if group_id not in known:
            raise InvalidChoices("the product has no such group", group_id=group_id)
    filled = [_filled(slot, picked.get(slot.id, []), names=names) for slot in slots]
    optional = [_options_of(group, picked.get(group.id, [])) for group in groups]
    return tuple(option for part in (*filled, *optional) for option in part)


def unit_price(price: Money, options: Sequence[ChosenOption]) -> Money:
    """Add the options to a product's price; raise `InvalidMoney` for a sum out of range."""
    return sum((option.price for option in options), price)


def _options_of(group: OptionGroup, picked: Sequence[str]) -> list[ChosenOption]:
    if len(set(picked)) < len(picked):
        raise InvalidChoices("each option can be chosen once", group_id=group.id)
    if set(picked) - {option.id for option in group.options}:
        raise InvalidChoices("the group has no such option", group_id=group.id)
    if (picked or group.is_required) and not group.minimum <= len(picked) <= group.maximum:
        need = f"{group.minimum} to {group.maximum} options are needed"
        raise InvalidChoices(need, group_id=group.id)
    return [
        ChosenOption(group_id=group.id, option_id=o.id, name=o.name, price=o.price)
        for o in group.options
        if o.id in picked
    ]


def _filled(
    slot: ComboSlot, picked: Sequence[str], *, names: Mapping[ProductId, str]
) -> list[ChosenOption]:
    if len(picked) > 1 or (slot.is_required and not picked):
        raise InvalidChoices("one product is needed", group_id=slot.id)
    found: list[ChosenOption] = []
    for product_id in map(ProductId, picked):
        if product_id not in slot.product_ids:
            raise InvalidChoices("this product does not fit", group_id=slot.id)
        if product_id not in names:
            raise InvalidChoices("this product cannot be had now", group_id=slot.id)
        found.append(
            ChosenOption(
                group_id=slot.id,
                option_id=product_id,
                name=names[product_id],
                price=ZERO,
                product_id=product_id,
            )
        )
    return found
