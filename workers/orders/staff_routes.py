"""What staff do with orders: the board, the kitchen's steps, totals, the audit, the feed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from comanda.identity.verifier import Identity
from comanda.ids import OrderId, is_id
from workers.orders.audit_views import AuditView
from workers.orders.bodies import AckBody
from workers.orders.doors import (
    OFFICE,
    Kitchen,
    OpenFloor,
    answered,
    audit_position_of,
    cursor_of,
    fresh_json,
    position_of,
)
from workers.orders.feed import settled_until
from workers.orders.feed_views import FeedView
from workers.orders.floor import Floor
from workers.orders.kitchen import OrderUnknown, advance
from workers.orders.model import IllegalTransition, Step
from workers.orders.ports import Page
from workers.orders.views import BoardView, OrderView, TotalsView
from workers.runtime.http import KnownShop, Problem, staff
from workers.runtime.problems import document_refusals

router = APIRouter()
_STEP = document_refusals(409)
_Reader = Annotated[
    str, Query(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", description="a name of your own")
]


@router.get("/board", response_model=BoardView, dependencies=[OFFICE])
async def show_board(shop: KnownShop, *, floor: OpenFloor) -> Response:
    """Show the kitchen what is ready, in preparation and received, oldest first."""
    orders = await answered(floor.store.board(shop))
    return fresh_json(BoardView.of(orders, now=floor.clock()).model_dump_json())


@router.get("/totals", dependencies=[OFFICE])
async def show_totals(shop: KnownShop, *, floor: OpenFloor) -> TotalsView:
    """Add up the orders of the shop."""
    return TotalsView.of(await answered(floor.store.totals(shop, now=floor.clock())))


@router.get("/audit", dependencies=[Depends(staff("manager", "owner"))])
async def audit(
    shop: KnownShop,
    *,
    floor: OpenFloor,
    after: Annotated[str, Query(max_length=400, description="`next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=1000, description="orders and keys together")] = 500,
) -> AuditView:
    """Show all orders and idempotency keys to an auditor, in pages."""
    page = Page(limit=limit, after=audit_position_of(after, shop=shop) if after else "")
    return AuditView.of(await answered(floor.store.audit(shop, page=page)))


@router.get("/events", response_model=FeedView, dependencies=[OFFICE])
async def read_feed(
    shop: KnownShop,
    *,
    floor: OpenFloor,
    reader: _Reader = "till",
    cursor: Annotated[str, Query(max_length=200, description="read on from here")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Response:
    """List what happened after the cursor, or after what this reader acknowledged; oldest first.

    An entry is given six seconds after it happened: then none can come before it any more.
    """
    after = (
        position_of(cursor) if cursor else await answered(floor.store.acknowledged(shop, reader))
    )
    before = settled_until(floor.clock())
    entries = await answered(floor.store.feed(shop, after=after, before=before, limit=limit))
    last = entries[-1].position if entries else after
    view = FeedView.of(entries, cursor=cursor_of(last), is_behind=len(entries) == limit)
    return fresh_json(view.model_dump_json())


@router.post("/events/ack", status_code=204, response_class=Response, dependencies=[OFFICE])
async def acknowledge(shop: KnownShop, *, body: AckBody, floor: OpenFloor) -> Response:
    """Remember how far a reader has got; an older cursor changes nothing."""
    position = position_of(body.cursor)
    if position > settled_until(floor.clock()):
        errors = [{"field": "body.cursor", "message": "nothing was read there yet"}]
        raise Problem(422, "Invalid request", detail="see errors", errors=errors)
    # Staff of one shop may not name themselves into another's readers: the shop is in the key.
    await answered(floor.store.acknowledge(shop, body.reader, position=position))
    return Response(status_code=204)


@router.post("/orders/{order_id}/start", response_model=OrderView, responses=_STEP)
async def start(order_id: str, *, cook: Kitchen, floor: OpenFloor) -> Response:
    """Begin to prepare an order."""
    return await _advanced(order_id, cook=cook, step=Step.START, floor=floor)


@router.post("/orders/{order_id}/ready", response_model=OrderView, responses=_STEP)
async def ready(order_id: str, *, cook: Kitchen, floor: OpenFloor) -> Response:
    """Put an order on the counter."""
    return await _advanced(order_id, cook=cook, step=Step.MAKE_READY, floor=floor)


@router.post("/orders/{order_id}/complete", response_model=OrderView, responses=_STEP)
async def complete(order_id: str, *, cook: Kitchen, floor: OpenFloor) -> Response:
    """Hand an order over to its customer."""
    return await _advanced(order_id, cook=cook, step=Step.COMPLETE, floor=floor)


@router.post("/orders/{order_id}/undo-start", response_model=OrderView, responses=_STEP)
async def undo_start(order_id: str, *, cook: Kitchen, floor: OpenFloor) -> Response:
    """Take back the beginning of an order that nobody has begun."""
    return await _advanced(order_id, cook=cook, step=Step.UNDO_START, floor=floor)


@router.post("/orders/{order_id}/recall", response_model=OrderView, responses=_STEP)
async def recall(order_id: str, *, cook: Kitchen, floor: OpenFloor) -> Response:
    """Take an order from the counter back to the kitchen."""
    return await _advanced(order_id, cook=cook, step=Step.RECALL, floor=floor)


@router.post("/orders/{order_id}/undo-complete", response_model=OrderView, responses=_STEP)
async def undo_complete(order_id: str, *, cook: Kitchen, floor: OpenFloor) -> Response:
    """Put an order back on the counter that was marked as handed over, within 15 minutes."""
    return await _advanced(order_id, cook=cook, step=Step.UNDO_COMPLETE, floor=floor)


async def _advanced(order_id: str, *, cook: Identity, step: Step, floor: Floor) -> Response:
    try:
        if not is_id(order_id):
            raise OrderUnknown
        moving = advance(
            cook.shop_id, OrderId(order_id), step=step, orders=floor.store, by=cook.subject
        )
        return fresh_json(floor.render(await answered(moving)))
    except OrderUnknown as exc:
        raise Problem(404, "There is no such order") from exc
    except IllegalTransition as exc:
        raise Problem(409, "This step is not possible now", detail=str(exc)) from exc
