"""The orders of one day of the shop, for whoever closes it."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from workers.orders.closing_views import ClosedOrderView, ClosingView
from workers.orders.doors import OpenFloor, WantedPage, answered, cursor_of, fresh_json
from workers.runtime.http import KnownShop, staff

router = APIRouter()
_MANAGERS = Depends(staff("manager", "owner"))
# The calendar has an end, and the day after a day must be one.
_Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]


@router.get("/closing", response_model=ClosingView, dependencies=[_MANAGERS])
async def show_closing(
    shop: KnownShop,
    *,
    page: WantedPage,
    floor: OpenFloor,
    day: Annotated[_Day | None, Query(description="a day of the shop, or today")] = None,
) -> Response:
    """Show what the orders of a day add up from, and when that day begins and ends."""
    shown = day if day is not None else await answered(floor.today(shop))
    begins_at, ends_at = await answered(floor.bounds(shop, shown))
    found = await answered(floor.store.of_day(shop, shown, page=page))
    cursor = cursor_of(found[-1].day_position) if len(found) == page.limit else None
    view = ClosingView(
        day=shown,
        begins_at=begins_at,
        ends_at=ends_at,
        orders=[ClosedOrderView.of(order) for order in found],
        cursor=cursor,
    )
    return fresh_json(view.model_dump_json())
