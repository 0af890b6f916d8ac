"""The JSON that people send to the catalog; its rules are checked by the model."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from comanda.hours import OpeningHours, ShopSwitch
from comanda.ids import ProductId, ShopId
from comanda.menu import MOST_GROUPS, MOST_OPTIONS, Category, ComboSlot, Option, OptionGroup
from comanda.money import Money
from workers.catalog.model import LARGEST_QUANTITY
from workers.catalog.products import LAST_POSITION, LONGEST_DESCRIPTION, LONGEST_NAME, Product, tidy
from workers.catalog.shop import MOST_IN_FLIGHT, MOST_STRETCHES

Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,4})(\.[0-9]{1,2})?$", examples=["24.90"])]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
PartId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", examples=["ponto"])]


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class Body(BaseModel):
    """A body in which a misspelt field is an error, not a wish that is ignored."""

    model_config = ConfigDict(extra="forbid")


class OptionBody(Body):
    """One option; the price is reais as text."""

    id: PartId
    name: Name
    price: Amount = "0.00"


class OptionGroupBody(Body):
    """Options of which `minimum` to `maximum` are chosen."""

    id: PartId
    name: Name
    is_required: StrictBool = False
    minimum: Annotated[StrictInt, Field(ge=0, le=MOST_OPTIONS)] = 0
    maximum: Annotated[StrictInt, Field(ge=1, le=MOST_OPTIONS)] = 1
    options: Annotated[list[OptionBody], Field(min_length=1, max_length=MOST_OPTIONS)]


class SlotBody(Body):
    """A place in a combo and the products that fill it."""

    id: PartId
    name: Name
    is_required: StrictBool = True
    product_ids: Annotated[
        list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=MOST_OPTIONS)
    ]


class ProductBody(Body):
    """All that people say of a product."""

    model_config = _like(
        name="X-Salada",
        description="Pão, hambúrguer, queijo, alface e tomate",
        category="MEAL",
        price="24.90",
        is_available=True,
        is_stocked=True,
        position=10,
        option_groups=[
            {
                "id": "ponto",
                "name": "Ponto da carne",
                "is_required": True,
                "minimum": 1,
                "maximum": 1,
                "options": [{"id": "bem-passado", "name": "Bem passado", "price": "0.00"}],
            }
        ],
        slots=[],
    )

    name: Annotated[Name, Field(examples=["X-Salada"])]
    description: Annotated[str, Field(max_length=LONGEST_DESCRIPTION)] = ""
    category: Category
    price: Amount
    is_available: StrictBool = True
    is_stocked: StrictBool = True
    position: Annotated[StrictInt, Field(ge=0, le=LAST_POSITION)] = 0
    option_groups: Annotated[list[OptionGroupBody], Field(max_length=MOST_GROUPS)] = []
    slots: Annotated[list[SlotBody], Field(max_length=MOST_GROUPS)] = []

    def product(
        self, *, product_id: ProductId, shop_id: ShopId, like: Product | None = None
    ) -> Product:
        """Make the product; version, picture and retirement are those of `like`."""
        return Product(
            id=product_id,
            shop_id=shop_id,
            version=like.version if like else 0,
            name=tidy(self.name),
            description=tidy(self.description),
            category=self.category,
            price=Money.parse(self.price),
            is_available=self.is_available,
            is_stocked=self.is_stocked,
            is_removed=like.is_removed if like else False,
            picture=like.picture if like else "",
            position=self.position,
            option_groups=tuple(_group(group) for group in self.option_groups),
            slots=tuple(_slot(slot) for slot in self.slots),
        )


class AvailabilityBody(Body):
    """Whether a product can be had now."""

    model_config = _like(is_available=False)

    is_available: StrictBool


class DeliveryBody(Body):
    """So many units came in."""

    model_config = _like(quantity=48)

    quantity: Annotated[StrictInt, Field(ge=1, le=LARGEST_QUANTITY)]


class CorrectionBody(Body):
    """So many more (or, below zero, fewer) were found, for this reason."""

    model_config = _like(change=-2, reason="two bottles broke")

    change: Annotated[StrictInt, Field(ge=-LARGEST_QUANTITY, le=LARGEST_QUANTITY)]
    reason: Annotated[
        str,
        Field(
            min_length=3,
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$",
        ),
    ]


class HoursBody(Body):
    """One stretch of the week; weekday 0 is Monday, times are the shop's own."""

    weekday: Annotated[StrictInt, Field(ge=0, le=6)]
    opens: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["11:00"])]
    closes: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["23:30"])]

    def value(self) -> OpeningHours:
        """Make the value."""
        return OpeningHours(weekday=self.weekday, opens=self.opens, closes=self.closes)


class ShopBody(Body):
    """All that people say of their shop."""

    model_config = _like(
        hours=[{"weekday": 4, "opens": "18:00", "closes": "02:00"}],
        switch="BY_HOURS",
        most_in_flight=40,
        day_begins_at=5,
    )

    hours: Annotated[list[HoursBody], Field(max_length=MOST_STRETCHES)] = []
    switch: ShopSwitch = ShopSwitch.BY_HOURS
    most_in_flight: Annotated[StrictInt, Field(ge=1, le=MOST_IN_FLIGHT)] | None = None
    day_begins_at: Annotated[StrictInt, Field(ge=0, le=23)] = 0


class SwitchBody(Body):
    """Whether the shop follows its hours, or is open or closed whatever they say."""

    model_config = _like(switch="CLOSED")

    switch: ShopSwitch


def _group(body: OptionGroupBody) -> OptionGroup:
    return OptionGroup(
        id=body.id,
        name=tidy(body.name),
        is_required=body.is_required,
        minimum=body.minimum,
        maximum=body.maximum,
        options=tuple(
            Option(id=o.id, name=tidy(o.name), price=Money.parse(o.price)) for o in body.options
        ),
    )


def _slot(body: SlotBody) -> ComboSlot:
    return ComboSlot(
        id=body.id,
        name=tidy(body.name),
        is_required=body.is_required,
        product_ids=tuple(map(ProductId, body.product_ids)),
    )
