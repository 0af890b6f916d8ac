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
from workers.orders.claims import ClaimKey, KeyReused, TwinInFlight
from workers.orders.lines import InvalidLines, MenuMissing, NotOnMenu, Wanted, merged
from workers.orders.placing import OrderRequest
from workers.orders.views import OrderBody
from workers.runtime.errors import RetryLater
from workers.runtime.http import Problem, any_identity, unavailable

LONGEST_WAIT = timedelta(seconds=20)
# RFC 7240, section 4.3; the name of a preference knows no case.
_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|,|;)", re.IGNORECASE | re.ASCII)
_TWIN_SECONDS = 1

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
    wanted = [Wanted(product_id=ProductId(i.product_id), quantity=i.quantity) for i in body.lines]
    try:
        lines = merged(wanted)
    except InvalidLines as exc:
        fields = [f"body.lines.{i}.quantity" for i, w in enumerate(wanted) if exc.concerns(w)]
        raise _invalid(str(exc), fields=fields or ["body.lines"]) from exc
    request = OrderRequest(
        key=ClaimKey(shop_id=identity.shop_id, owner=identity.subject, key=key),
        # The parsed body counts, so a retry may differ in spaces and in the order of fields.
        fingerprint=hashlib.sha256(body.model_dump_json().encode()).hexdigest(),
        customer_id=CustomerId(identity.subject) if identity.kind is Kind.CUSTOMER else None,
        lines=lines,
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
    except InvalidLines as exc:
        raise _invalid(str(exc), fields=["body.lines"]) from exc
    except MenuMissing as exc:
        raise unavailable("the menu of this shop has not arrived yet") from exc
    except RetryLater as exc:
        raise unavailable("the store of orders is out of reach") from exc


def _invalid(message: str, *, fields: list[str]) -> Problem:
    errors = [{"field": field, "message": message} for field in fields]
    return Problem(422, "Invalid request", detail="see errors", errors=errors)
