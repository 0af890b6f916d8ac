"""What the routes of orders share: the shop and the order of a path, staff, outages, answers."""

import base64
import binascii
import re
from collections.abc import Awaitable
from contextlib import suppress
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request, Response

from comanda.identity.verifier import Identity, Kind
from comanda.ids import OrderId, is_id
from workers.orders.floor import Floor
from workers.orders.model import Order
from workers.orders.ports import Page
from workers.runtime.errors import RetryLater
from workers.runtime.http import Problem, any_identity, staff, unavailable

T = TypeVar("T")
_JSON = "application/json"
_OFFICE_GROUPS = frozenset({"kitchen", "manager", "owner"})
_POSITION = re.compile(r"[0-9A-Za-z:.#-]{1,120}", re.ASCII)


async def floor_of(request: Request) -> Floor:
    """Give what the lifespan connected."""
    floor: Floor = request.app.state.floor
    return floor


async def visible_order(order_id: str, identity: any_identity, request: Request) -> Order:
    """Read an order that this token may see: its owner's, or any of the shop for staff."""
    floor: Floor = request.app.state.floor
    found = None
    if is_id(order_id):
        found = await answered(floor.store.get(identity.shop_id, OrderId(order_id)))
    if found is None or not (is_office(identity) or found.owner == identity.subject):
        # Who may not see an order must not learn that it exists.
        raise Problem(404, "There is no such order")
    return found


async def page_of(
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str, Query(max_length=200, description="of the page before")] = "",
) -> Page:
    """Read which part of a list is wanted."""
    return Page(limit=limit, after=position_of(cursor) if cursor else "")


def is_office(identity: Identity) -> bool:
    """Tell staff from customers; staff of no group of the shop get 403."""
    if identity.kind is not Kind.STAFF:
        return False
    if not identity.groups & _OFFICE_GROUPS:
        detail = f"one of: {', '.join(sorted(_OFFICE_GROUPS))}"
        raise Problem(403, "This needs another role", detail=detail)
    return True


async def answered(work: Awaitable[T]) -> T:
    """Await the store; an outage is 503 with `Retry-After`."""
    try:
        return await work
    except RetryLater as exc:
        raise unavailable("the store of orders is out of reach") from exc


def cursor_of(position: str) -> str:
    """Wrap a position, so that nobody is tempted to make one up."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def position_of(cursor: str) -> str:
    """Unwrap a cursor; 422 when it is none of ours."""
    with suppress(binascii.Error, UnicodeError, ValueError):
        padded = cursor + "=" * (-len(cursor) % 4)
        position = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        if _POSITION.fullmatch(position):
            return position
    errors = [{"field": "query.cursor", "message": "not a cursor of this list"}]
    raise Problem(422, "Invalid request", detail="see errors", errors=errors)


def fresh_json(body: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON that nobody keeps: an order changes any moment, and is its owner's alone."""
    fresh = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status_code=status, media_type=_JSON, headers=fresh)


OpenFloor = Annotated[Floor, Depends(floor_of)]
VisibleOrder = Annotated[Order, Depends(visible_order)]
WantedPage = Annotated[Page, Depends(page_of)]
OFFICE = Depends(staff(*sorted(_OFFICE_GROUPS)))
Kitchen = Annotated[Identity, Depends(staff("kitchen", "manager"))]
