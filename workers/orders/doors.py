"""What the routes of orders share: the shop and the order of a path, staff, outages, answers."""

import base64
import binascii
import re
from collections.abc import Awaitable
from contextlib import suppress
from datetime import date
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request, Response
from pydantic import BeforeValidator

from comanda.identity.verifier import Identity, Kind
from comanda.ids import OrderId, ShopId, is_id
from workers.orders.floor import Floor
from workers.orders.model import Order
from workers.orders.ports import Page
from workers.runtime.errors import RetryLater
from workers.runtime.http import Problem, any_identity, staff, unavailable

T = TypeVar("T")
_JSON = "application/json"
_OFFICE_GROUPS = frozenset({"kitchen", "manager", "owner"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
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
    position = _unwrapped(cursor)
    if _POSITION.fullmatch(position):
        return position
    raise _no_cursor("cursor")


def audit_position_of(after: str, *, shop: ShopId) -> str:
    """Unwrap how far an audit came, which is a key of this shop's; 422 when it is none."""
    position = _unwrapped(after)
    if position.startswith(f"{shop}#"):
        return position
    raise _no_cursor("after")


def _unwrapped(cursor: str) -> str:
    padded = cursor + "=" * (-len(cursor) % 4)
    with suppress(binascii.Error, UnicodeError, ValueError):
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    return ""


def _no_cursor(field: str) -> Problem:
    errors = [{"field": f"query.{field}", "message": "not a cursor of this list"}]
    return Problem(422, "Invalid request", detail="see errors", errors=errors)


def fresh_json(body: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON that nobody keeps: an order changes any moment, and is its owner's alone."""
    fresh = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status_code=status, media_type=_JSON, headers=fresh)


def _written_day(text: object) -> object:
    # Left alone, pydantic takes any number for the seconds since 1970.
    if isinstance(text, str) and not _DAY.fullmatch(text):
        raise ValueError("a day such as 2026-11-21 is needed")
    return text


Day = Annotated[date, BeforeValidator(_written_day)]
OpenFloor = Annotated[Floor, Depends(floor_of)]
VisibleOrder = Annotated[Order, Depends(visible_order)]
WantedPage = Annotated[Page, Depends(page_of)]
OFFICE = Depends(staff(*sorted(_OFFICE_GROUPS)))
Kitchen = Annotated[Identity, Depends(staff("kitchen", "manager"))]
