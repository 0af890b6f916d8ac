"""The JSON that the catalog shows of its menu and shop."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from comanda.codec import encode
from comanda.menu import LABELS, Category
from workers.catalog.products import Price, Product
from workers.catalog.shop import ShopRules


class OptionView(BaseModel):
    """One option of a group; the price is what it adds."""

    id: str
    name: str
    price: str


class OptionGroupView(BaseModel):
    """Options of which `minimum` to `maximum` are chosen; none, if it is not required."""

    id: str
    name: str
    is_required: bool
    minimum: int
    maximum: int
    options: list[OptionView]


class SlotView(BaseModel):
    """A place in a combo and the products that fill it."""

    id: str
    name: str
    is_required: bool
    product_ids: list[str]


class ProductView(BaseModel):
    """One product of the menu; the price is reais as text."""

    id: str
    name: str
    description: str
    category: str
    price: str
    is_available: bool
    version: int
    picture_url: str
    option_groups: list[OptionGroupView]
    slots: list[SlotView]

    @classmethod
    def of(cls, product: Product) -> Self:
        """Show a product."""
        return cls(**_said_of(product))


class StaffProductView(ProductView):
    """One product as those see it who edit it."""

    position: int
    is_stocked: bool
    is_removed: bool

    @classmethod
    def of(cls, product: Product) -> Self:
        """Show a product."""
        return cls(
            **_said_of(product),
            position=product.position,
            is_stocked=product.is_stocked,
            is_removed=product.is_removed,
        )


class StaffProductsView(BaseModel):
    """All products of a shop."""

    products: list[StaffProductView]


class StretchView(BaseModel):
    """One stretch of the week; weekday 0 is Monday, times are the shop's own."""

    weekday: int
    opens: str
    closes: str


class RulesView(BaseModel):
    """What a shop decided."""

    version: int
    hours: list[StretchView]
    switch: str
    most_in_flight: int | None
    day_begins_at: int

    @classmethod
    def of(cls, rules: ShopRules) -> Self:
        """Show what a shop decided."""
        return cls(**_decided_by(rules))


class ShopView(RulesView):
    """What a shop decided, and what follows from it now."""

    is_open: bool

    @classmethod
    def at(cls, rules: ShopRules, *, now: datetime) -> Self:
        """Show a shop at an instant."""
        return cls(**_decided_by(rules), is_open=rules.is_open(now))


class StepView(BaseModel):
    """One step in which an order is built, each of which can be left out."""

    category: str
    label: str
    product_ids: list[str]


class MenuView(BaseModel):
    """What a shop sells, in the order of the steps, and whether it takes orders now."""

    is_open: bool
    steps: list[StepView]
    products: list[ProductView]

    @classmethod
    def of(cls, products: Sequence[Product], *, rules: ShopRules, now: datetime) -> Self:
        """Show products that are in the order of the menu."""
        steps = [
            StepView(
                category=category.value,
                label=LABELS[category],
                product_ids=[product.id for product in products if product.category is category],
            )
            for category in Category
        ]
        shown = [ProductView.of(product) for product in products]
        return cls(is_open=rules.is_open(now), steps=steps, products=shown)


class PriceView(BaseModel):
    """What a product cost from an instant on, and who said so."""

    version: int
    price: str
    author: str
    since: datetime

    @classmethod
    def of(cls, price: Price) -> Self:
        """Show a price."""
        return cls(
            version=price.version, price=str(price.price), author=price.author, since=price.since
        )


class PricesView(BaseModel):
    """What a product cost, newest first."""

    prices: list[PriceView]


class FaultView(BaseModel):
    """What is wrong with one cell of a sheet; row 1 is the header."""

    row: int
    field: str
    message: str


class OutcomeView(BaseModel):
    """What a sheet did, or in a dry run would do."""

    is_dry_run: bool
    added: int
    changed: int
    unchanged: int
    faults: list[FaultView]


def _said_of(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "name": product.name,
        "description": product.description,
        "category": product.category.value,
        "price": str(product.price),
        "is_available": product.is_available,
        "version": product.version,
        "picture_url": product.picture_url,
        "option_groups": [encode(group) for group in product.option_groups],
        "slots": [encode(slot) for slot in product.slots],
    }


def _decided_by(rules: ShopRules) -> dict[str, Any]:
    return {
        "version": rules.version,
        "hours": [encode(stretch) for stretch in rules.hours],
        "switch": rules.switch.value,
        "most_in_flight": rules.most_in_flight,
        "day_begins_at": rules.day_begins_at,
    }
