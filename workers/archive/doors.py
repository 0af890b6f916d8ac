"""What the routes of the archive share: the shop, the stores, staff, outages, windows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime, Field

from comanda.ids import ShopId
from workers.archive.acts import ActBook
from workers.archive.ports import Index, Objects
from workers.archive.replays import ReplayBook
from workers.archive.windows import InvalidWindow, Window
from workers.runtime.errors import RetryLater
from workers.runtime.http import Problem, staff, unavailable

T = TypeVar("T")
EventType = Annotated[str, Field(pattern=r"^[a-z]+\.[a-z]+\.[a-z]+\.v[0-9]+$", max_length=80)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelves:
    """What the API reads from."""

    index: Index
    objects: Objects
    book: ReplayBook
    acts: ActBook
    clock: Callable[[], datetime]


async def shelves_of(request: Request) -> Shelves:
    """Give what the lifespan connected."""
    shelves: Shelves = request.app.state.shelves
    return shelves


async def answered(work: Awaitable[T]) -> T:
    """Await the store; an outage is 503 with `Retry-After`."""
    try:
        return await work
    except RetryLater as exc:
        raise unavailable("the archive is out of reach") from exc


OpenShelves = Annotated[Shelves, Depends(shelves_of)]
OFFICE = Depends(staff("manager", "owner"))
Instant = Annotated[AwareDatetime | None, Query(description="an instant with its time zone")]


def window_of(
    shop: ShopId,
    *,
    since: datetime,
    until: datetime,
    types: frozenset[str],
    subjects: frozenset[str],
) -> Window:
    """Make a window; 422 with the reason when it makes no sense."""
    try:
        return Window(shop_id=shop, since=since, until=until, types=types, subjects=subjects)
    except InvalidWindow as exc:
        raise Problem(422, "This window makes no sense", detail=str(exc)) from exc
