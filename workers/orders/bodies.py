"""The JSON that the API of orders takes: strict, bounded, and nothing else beside it."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from comanda.menu import LONGEST_NOTES
from workers.orders.lines import MOST_CHOICES, MOST_LINES, MOST_OF_ONE
from workers.orders.model import Service

LONGEST_NAME = 40
# Names and notes are printed and read out at the counter: no control characters (C1 too, which
# terminals obey), no line separators, and nothing that turns the direction of what stands beside.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"
_Id = Annotated[str, Field(min_length=1, max_length=64)]


class Body(BaseModel):
    """`"3"`, `3.0` and `true` are no numbers here, and what is not known is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class ChoiceBody(Body):
    """An option of a group, or a product for a slot of a combo."""

    group_id: _Id
    option_id: _Id


class LineBody(Body):
    """So many of one product, with these options."""

    product_id: _Id
    quantity: Annotated[int, Field(ge=1, le=MOST_OF_ONE)]
    options: Annotated[list[ChoiceBody], Field(max_length=MOST_CHOICES)] = []
    notes: Annotated[str, Field(max_length=LONGEST_NOTES, pattern=_PRINTABLE)] = ""


class OrderBody(BaseModel):
    """What a customer wants; the prices are ours."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "lines": [{"product_id": "x-salada", "quantity": 2, "notes": "sem cebola"}],
                    "service": "takeaway",
                    "name": "Ana",
                }
            ]
        },
    )

    lines: Annotated[list[LineBody], Field(min_length=1, max_length=MOST_LINES)]
    service: Annotated[Service, Field(strict=False)] = Service.DINE_IN
    name: Annotated[str, Field(max_length=LONGEST_NAME, pattern=_PRINTABLE)] = ""


class CancelReason(StrEnum):
    """Why staff cancel an order; the word travels in the event."""

    CUSTOMER_ASKED = "customer_asked"
    OUT_OF_STOCK = "out_of_stock"
    KITCHEN_PROBLEM = "kitchen_problem"
    CLOSING = "closing"
    MISTAKE = "mistake"


class CancelBody(Body):
    """Staff say why; a customer need not. The note stays on the order and leaves it never."""

    reason: Annotated[CancelReason | None, Field(strict=False)] = None
    note: Annotated[str, Field(max_length=LONGEST_NOTES, pattern=_PRINTABLE)] = ""


class AckBody(Body):
    """How far a reader of the feed has got: the `cursor` of the page that it has dealt with."""

    reader: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    cursor: Annotated[str, Field(max_length=160)]
