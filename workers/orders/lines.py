"""From what a customer wants to lines with our own prices, or a refusal that names what is wrong.

The prices come from this context's copy of the menu; the catalog checks them again when it holds
the stock, so a copy that lags costs a customer a second try and never a wrong charge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from comanda.events import Line
from comanda.ids import ProductId, ShopId
from comanda.menu import (
    LONGEST_NOTES,
    Choice,
    ComboSlot,
    InvalidChoices,
    OptionGroup,
    chosen,
    unit_price,
)
from comanda.money import ZERO, InvalidMoney, Money
from workers.orders.shop_rules import ShopRules

MOST_LINES = 50
MOST_OF_ONE = 99
MOST_CHOICES = 50


class InvalidLines(ValueError):
    """The lines cannot be an order; `product_id` names the faulty one, if it is one."""

    def __init__(self, fault: str, *, product_id: ProductId | None = None) -> None:
        super().__init__(fault)
        self.product_id = product_id

    def concerns(self, line: "Wanted") -> bool:
        """Tell whether this line is one of the faulty ones."""
        return line.product_id == self.product_id


class WrongChoices(InvalidLines):
    """What was chosen for this line does not fit its product; `group_id` names the group."""

    def __init__(self, fault: str, *, line: "Wanted", group_id: str) -> None:
        super().__init__(fault, product_id=line.product_id)
        self.line = line
        self.group_id = group_id


class NotOnMenu(Exception):
    """These products are unknown, removed or not available now."""

    def __init__(self, product_ids: Sequence[ProductId]) -> None:
        super().__init__(f"not on the menu: {len(product_ids)} products")
        self.product_ids = tuple(product_ids)


class MenuMissing(Exception):
    """This context knows no product of the shop yet, so it cannot say what is on the menu."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """So many of one product, with these choices."""

    product_id: ProductId
    quantity: int
    choices: tuple[Choice, ...] = ()
    notes: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MenuItem:
    """Our copy of what the catalog said last of a product; a higher version is newer."""

    product_id: ProductId
    shop_id: ShopId
    version: int
    name: str
    category: str
    price: Money
    is_available: bool
    is_removed: bool = False
    groups: tuple[OptionGroup, ...] = ()
    slots: tuple[ComboSlot, ...] = ()

    @property
    def can_be_ordered(self) -> bool:
        """Tell whether a customer may have it now."""
        return self.is_available and not self.is_removed


@dataclass(frozen=True, kw_only=True, slots=True)
class Menu:
    """All products of a shop, also removed ones, and when it takes orders."""

    rules: ShopRules
    items: Mapping[ProductId, MenuItem]

    def names(self) -> dict[ProductId, str]:
        """Name the products that can be ordered now."""
        return {i.product_id: i.name for i in self.items.values() if i.can_be_ordered}


def merged(wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """Merge lines that are alike but for their quantity, in the order of their first mention."""
    if not 1 <= len(wanted) <= MOST_LINES:
        raise InvalidLines(f"an order has 1 to {MOST_LINES} lines")
    alike: dict[Wanted, int] = {}
    quantities: dict[ProductId, int] = {}
    for line in wanted:
        _check(line)
        kind = replace(line, quantity=0, choices=tuple(sorted(line.choices, key=_by_ids)))
        alike[kind] = alike.get(kind, 0) + line.quantity
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    for product_id, quantity in quantities.items():
        if quantity > MOST_OF_ONE:
            raise InvalidLines(_QUANTITY_FAULT, product_id=product_id)
    return tuple(replace(kind, quantity=quantity) for kind, quantity in alike.items())


def priced(wanted: Sequence[Wanted], *, menu: Menu) -> tuple[Line, ...]:
    """Put names and prices of the menu on each line.

    Raises `NotOnMenu`, `MenuMissing`, `WrongChoices` or `InvalidLines`.
    """
    if not menu.items:
        raise MenuMissing
    names = menu.names()
    missing = [line.product_id for line in wanted if line.product_id not in names]
    if missing:
        raise NotOnMenu(missing)
    return tuple(_priced(line, item=menu.items[line.product_id], names=names) for line in wanted)


def total_of(lines: Sequence[Line]) -> Money:
    """Add the lines up; raise `InvalidLines` for a sum that no shop can charge."""
    try:
        return sum((line.unit_price * line.quantity for line in lines), ZERO)
    except InvalidMoney as exc:
        raise InvalidLines("the total is out of range") from exc


def _check(line: Wanted) -> None:
    # `True` is an `int` to Python, so the exact type decides.
    if type(line.quantity) is not int or not 1 <= line.quantity <= MOST_OF_ONE:
        raise InvalidLines(_QUANTITY_FAULT, product_id=line.product_id)
    if len(line.notes) > LONGEST_NOTES:
        fault = f"notes have at most {LONGEST_NOTES} characters"
        raise InvalidLines(fault, product_id=line.product_id)
    if len(line.choices) > MOST_CHOICES:
        raise InvalidLines(f"at most {MOST_CHOICES} choices", product_id=line.product_id)


def _priced(line: Wanted, *, item: MenuItem, names: Mapping[ProductId, str]) -> Line:
    try:
        options = chosen(line.choices, groups=item.groups, slots=item.slots, names=names)
        price = unit_price(item.price, options)
    except InvalidChoices as exc:
        raise WrongChoices(exc.fault, line=line, group_id=exc.group_id) from exc
    except InvalidMoney as exc:
        raise InvalidLines("the total is out of range", product_id=line.product_id) from exc
    return Line(
        product_id=line.product_id,
        name=item.name,
        quantity=line.quantity,
        unit_price=price,
        options=options,
        notes=line.notes,
    )


def _by_ids(choice: Choice) -> tuple[str, str]:
    return choice.group_id, choice.option_id


_QUANTITY_FAULT = f"the quantity of one product is a whole number from 1 to {MOST_OF_ONE}"
