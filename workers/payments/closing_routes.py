"""A day's money, for whoever closes it: the charges of its orders, and what moved meanwhile."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from workers.payments.closing_views import ClosedChargesView, ClosedChargeView, MovementsView
from workers.payments.doors import Reader, answered
from workers.runtime.http import KnownShop, Problem, staff

router = APIRouter(prefix="/apis/payments/{shop}/closing")
_MANAGERS = Depends(staff("manager", "owner"))
# A shop's day, and room on both sides.
LONGEST = timedelta(hours=49)
# Ids hold milliseconds since 1970 in 48 bits.
_EARLIEST, _LATEST = 1970, 2999


async def window_of(since: AwareDatetime, until: AwareDatetime) -> tuple[datetime, datetime]:
    """Read a window of two days at most."""
    is_known = all(_EARLIEST < at.year < _LATEST for at in (since, until))
    if not is_known or not timedelta() < until - since <= LONGEST:
        message = f"until comes after since, {LONGEST.total_seconds() / 3600:.0f} hours at most"
        errors = [{"field": "query.until", "message": message}]
        raise Problem(422, "Invalid request", detail="see errors", errors=errors)
    return since, until


Window = Annotated[tuple[datetime, datetime], Depends(window_of)]


@router.get("/charges", dependencies=[_MANAGERS])
async def charges(
    shop: KnownShop,
    *,
    window: Window,
    reader: Reader,
    after: Annotated[str, Query(max_length=64, pattern=r"^[\x21-\x7e]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
) -> ClosedChargesView:
    """Show the charges of the orders that were begun in a window, in pages."""
    found = await answered(reader.charges_of_orders(shop, window=window, after=after, limit=limit))
    last = found[-1].charge.order_id if len(found) == limit else None
    return ClosedChargesView(charges=[ClosedChargeView.of(row) for row in found], next=last)


@router.get("/movements", dependencies=[_MANAGERS])
async def movements(shop: KnownShop, *, window: Window, reader: Reader) -> MovementsView:
    """Show what the ledger booked in a window, and the cases of then and now."""
    return MovementsView.of(await answered(reader.movements(shop, window=window)))
