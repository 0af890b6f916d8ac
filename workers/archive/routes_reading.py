"""Reading the archive: the journey of an order, and events by the ids that people have at hand."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from workers.archive.doors import OFFICE, EventType, Instant, OpenShelves, answered, window_of
from workers.archive.journey import journey
from workers.archive.views import EventsView, EventView, JourneyView
from workers.archive.windows import newest_in
from workers.runtime.http import KnownShop, Problem

router = APIRouter(dependencies=[OFFICE])
_Types = Annotated[tuple[EventType, ...], Query(max_length=50)]
_Id = Annotated[str, Query(min_length=1, max_length=128)]


@router.get("/orders/{order_id}/journey")
async def show_journey(
    shop: KnownShop, order_id: str, *, shelves: OpenShelves, as_of: Instant = None
) -> JourneyView:
    """Tell all that happened to an order, with the states before and after; 404 for none."""
    steps = await answered(journey(shelves.index, shop, order_id, as_of=as_of))
    if not steps:
        raise Problem(404, "Nothing is known of such an order")
    return JourneyView.of(order_id, steps, as_of=as_of)


@router.get("/events")
async def search(shop: KnownShop, id: _Id, *, shelves: OpenShelves) -> EventsView:  # noqa: A002  # The query's word.
    """Find events by an order's, charge's, payment's, product's, customer's or correlation id."""
    about = await answered(shelves.index.of_subject(shop, id))
    beside = await answered(shelves.index.of_conversation(shop, id))
    found = {entry.event_id: entry for entry, _ in (*about, *beside)}
    ordered = sorted(found.values(), key=lambda it: (it.at, it.event_id))
    return EventsView(events=[EventView.of(it) for it in ordered])


@router.get("/newest-events")
async def newest(
    shop: KnownShop,
    *,
    shelves: OpenShelves,
    since: AwareDatetime,
    until: AwareDatetime,
    types: _Types = (),
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> EventsView:
    """List the newest events of a window, of some types or all, the newest first."""
    window = window_of(shop, since=since, until=until, types=frozenset(types), subjects=frozenset())
    found = await answered(newest_in(window, shelves.objects, most=limit))
    return EventsView(events=[EventView.of(it) for it in found])
