"""From what a customer wants to lines with our own prices, or a refusal that names what is wrong.

The prices come from this context's copy of the menu; the catalog checks them again when it holds
the stock, so a copy that lags costs a customer a second try and never a wrong charge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from comanda.events import Line
from comanda.ids import ProductId, ShopId
from comanda.money import ZERO, InvalidMoney, Money

MOST_LINES = 50
MOST_OF_ONE = 99


class InvalidLines(ValueError):
    """The lines cannot be an order; `product_id` names the faulty one, if it is one."""

    def __init__(self, fault: str, *, product_id: ProductId | None = None) -> None:
        super().__init__(fault)
        self.product_id = product_id

    def concerns(self, line: "Wanted") -> bool:
        """Tell whether this line is one of the faulty ones."""
        return line.product_id == self.product_id


class NotOnMenu(Exception):
    """These products are unknown, removed or not available now."""

    def __init__(self, product_ids: Sequence[ProductId]) -> None:
        super().__init__(f"not on the menu: {len(product_ids)} products")
        self.product_ids = tuple(product_ids)


class MenuMissing(Exception):
    """This context knows no product of the shop yet, so it cannot say what is on the menu."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """So many of one product."""

    product_id: ProductId
    quantity: int


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

    @property
    def can_be_ordered(self) -> bool:
        """Tell whether a customer may have it now."""
        return self.is_available and not self.is_removed


def merged(wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """Merge lines of the same product, in the order of their first mention."""
    if not 1 <= len(wanted) <= MOST_LINES:
        raise InvalidLines(f"an order has 1 to {MOST_LINES} lines")
    quantities: dict[ProductId, int] = {}
    for line in wanted:
        # `True` is an `int` to Python, so the exact type decides.
        if type(line.quantity) is not int or not 1 <= line.quantity <= MOST_OF_ONE:
            raise InvalidLines(_QUANTITY_FAULT, product_id=line.product_id)
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    for product_id, quantity in quantities.items():
        if quantity > MOST_OF_ONE:
            raise InvalidLines(_QUANTITY_FAULT, product_id=product_id)
    return tuple(Wanted(product_id=i, quantity=q) for i, q in quantities.items())


def priced(wanted: Sequence[Wanted], *, menu: Mapping[ProductId, MenuItem]) -> tuple[Line, ...]:
    """Put name and price of the menu on each line; raise `NotOnMenu`, or `MenuMissing`."""
    if not menu:
        raise MenuMissing
    missing = [
        line.product_id
        for line in wanted
        if (item := menu.get(line.product_id)) is None or not item.can_be_ordered
    ]
    if missing:
        raise NotOnMenu(missing)
    return tuple(
        Line(
            product_id=line.product_id,
            name=menu[line.product_id].name,
            quantity=line.quantity,
            unit_price=menu[line.product_id].price,
        )
        for line in wanted
    )


def total_of(lines: Sequence[Line]) -> Money:
    """Add the lines up; raise `InvalidLines` for a sum that no shop can charge."""
    try:
        return sum((line.unit_price * line.quantity for line in lines), ZERO)
    except InvalidMoney as exc:
        raise InvalidLines("the total is out of range") from exc


_QUANTITY_FAULT = f"the quantity of one product is a whole number from 1 to {MOST_OF_ONE}"
