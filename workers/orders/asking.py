"""From an HTTP request to an `OrderRequest`, and from a refusal to the problem that explains it."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Header

from comanda.identity.verifier import Kind
from comanda.ids import CustomerId, ProductId
from comanda.menu import Choice
from workers.orders.bodies import LineBody, OrderBody
from workers.orders.claims import ClaimKey, KeyReused, TwinInFlight
from workers.orders.lines import (
    InvalidLines,
    MenuMissing,
    NotOnMenu,
    Wanted,
    WrongChoices,
    merged,
)
from workers.orders.placing import OrderRequest
from workers.orders.shop_rules import KitchenFull, ShopClosed, TooManyUnpaid
from workers.runtime.errors import RetryLater
from workers.runtime.http import Problem, any_identity, unavailable

LONGEST_WAIT = timedelta(seconds=20)
# RFC 7240, section 4.3; the name of a preference knows no case.
_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|,|;)", re.IGNORECASE | re.ASCII)
_TWIN_SECONDS = 1
_FULL_SECONDS = 60

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=r"^[\x21-\x7E]+$",
        description="1 to 64 visible ASCII characters of your own; repeat it with a retry.",
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request for an order, and where in its body each product stands."""

    request: OrderRequest
    product_ids: tuple[ProductId, ...]

    def choices_of(self, fault: WrongChoices) -> list[str]:
        """Name the fields of the body that hold the choices at fault."""
        found = self.fields_of(fault.line.product_id)
        return [field.replace("product_id", f"options.{fault.group_id}") for field in found]

    def fields_of(self, *product_ids: ProductId) -> list[str]:
        """Name the fields of the body that hold one of these products."""
        return [
            f"body.lines.{index}.product_id"
            for index, product_id in enumerate(self.product_ids)
            if product_id in product_ids
        ]


async def asked(identity: any_identity, *, body: OrderBody, key: IdempotencyKey) -> Asked:
    """Read a request for an order; staff serve and do not order."""
    if identity.kind is Kind.STAFF:
        raise Problem(403, "Only customers order", detail="use a customer's or a guest's token")
    wanted = [_wanted(line) for line in body.lines]
    try:
        lines = merged(wanted)
    except InvalidLines as exc:
        fields = [f"body.lines.{i}.quantity" for i, w in enumerate(wanted) if exc.concerns(w)]
        raise _invalid(str(exc), fields=fields or ["body.lines"]) from exc
    request = OrderRequest(
        key=ClaimKey(shop_id=identity.shop_id, owner=identity.subject, key=key),
        # The parsed body counts, so a retry may differ in spaces and in the order of fields.
        fingerprint=hashlib.sha256(
            body.model_dump_json(exclude_defaults=True).encode()
        ).hexdigest(),
        customer_id=CustomerId(identity.subject) if identity.kind is Kind.CUSTOMER else None,
        lines=lines,
        service=body.service,
        name=body.name.strip(),
    )
    return Asked(request=request, product_ids=tuple(line.product_id for line in wanted))


def wait_of(prefer: str) -> timedelta | None:
    """Read `Prefer: wait=N`; more than 20 s is 20 s, and what cannot be read is no preference."""
    found = _WAIT.search(prefer)
    return min(timedelta(seconds=int(found[1])), LONGEST_WAIT) if found else None


@contextmanager
def refusing(asked: Asked) -> Iterator[None]:
    """Answer each refusal of a request with what the customer can change."""
    try:
        with _refusing_all():
            yield
    except KeyReused as exc:
        fault = "this key belongs to another request; make up a new one"
        raise _invalid(fault, fields=["header.Idempotency-Key"]) from exc
    except TwinInFlight as exc:
        detail = "the same request is being worked on; repeat it to get its answer"
        headers = {"Retry-After": str(_TWIN_SECONDS)}
        raise Problem(409, "Request in flight", detail=detail, headers=headers) from exc
    except NotOnMenu as exc:
        fields = asked.fields_of(*exc.product_ids)
        raise _invalid("this product cannot be ordered now", fields=fields) from exc
    except WrongChoices as exc:
        raise _invalid(str(exc), fields=asked.choices_of(exc)) from exc
    except InvalidLines as exc:
        raise _invalid(str(exc), fields=["body.lines"]) from exc


@contextmanager
def _refusing_all() -> Iterator[None]:
    """Answer what keeps the shop from taking any order now."""
    try:
        yield
    except ShopClosed as exc:
        detail = "the shop takes no orders now; its menu says when it opens"
        raise Problem(409, "The shop is closed", detail=detail) from exc
    except KitchenFull as exc:
        detail = "as many orders are waiting as the kitchen takes; try again in a few minutes"
        headers = {"Retry-After": str(_FULL_SECONDS)}
        raise Problem(503, "The kitchen is full", detail=detail, headers=headers) from exc
    except TooManyUnpaid as exc:
        detail = "pay or cancel one of your orders first"
        headers = {"Retry-After": str(_FULL_SECONDS)}
        raise Problem(429, "Too many unpaid orders", detail=detail, headers=headers) from exc
    except MenuMissing as exc:
        raise unavailable("the menu of this shop has not arrived yet") from exc
    except RetryLater as exc:
        raise unavailable("the store of orders is out of reach") from exc


def _wanted(line: LineBody) -> Wanted:
    return Wanted(
        product_id=ProductId(line.product_id),
        quantity=line.quantity,
        choices=tuple(Choice(group_id=o.group_id, option_id=o.option_id) for o in line.options),
        notes=line.notes.strip(),
    )


def _invalid(message: str, *, fields: list[str]) -> Problem:
    errors = [{"field": field, "message": message} for field in fields]
    return Problem(422, "Invalid request", detail="see errors", errors=errors)
