"""What customers do with orders: place, follow, list and cancel their own."""

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse

from comanda.identity.verifier import Identity, Kind
from comanda.ids import CustomerId, is_id
from workers.orders.asking import Asked, asked, refusing, wait_of
from workers.orders.bodies import CancelBody
from workers.orders.doors import (
    Day,
    OpenFloor,
    VisibleOrder,
    WantedPage,
    answered,
    cursor_of,
    fresh_json,
    is_office,
)
from workers.orders.floor import Floor, qr_code
from workers.orders.kitchen import Ask, cancel
from workers.orders.model import IllegalTransition, Order, OrderStatus, Step
from workers.orders.placing import Placement
from workers.orders.ports import Page
from workers.orders.stream import MEDIA_TYPE, TooManyStreams
from workers.orders.views import EstimateView, OrdersView, OrderView, StaffOrderView
from workers.runtime.errors import StoreUnavailable
from workers.runtime.http import KnownShop, Problem, any_identity, unavailable
from workers.runtime.problems import document_refusals

BY_CUSTOMER = "cancelled_by_customer"
router = APIRouter()


@router.post(
    "/orders", status_code=201, response_model=OrderView, responses=document_refusals(409, 429)
)
async def place_order(
    wanted: Annotated[Asked, Depends(asked)],
    *,
    floor: OpenFloor,
    prefer: Annotated[str, Header()] = "",
) -> Response:
    """Place an order; with `Prefer: wait=10`, answer when its Pix code is there."""
    with refusing(wanted):
        placement = await floor.till.place(wanted.request)
    headers = {
        "Location": f"/apis/orders/{wanted.request.key.shop_id}/orders/{placement.claim.order_id}"
    }
    if placement.order is None:
        headers["Idempotent-Replayed"] = "true"
        return fresh_json(placement.answer, status=201, headers=headers)
    answer = placement.answer
    wait = wait_of(prefer)
    if wait is not None:
        headers["Preference-Applied"] = "wait"
        settled = await floor.watch.until_settled(placement.order, limit=wait)
        answer = await _amended(floor, placement, settled=settled)
    return fresh_json(answer, status=201, headers=headers)


@router.get("/orders", response_model=OrdersView)
async def list_orders(
    identity: any_identity,
    *,
    page: WantedPage,
    floor: OpenFloor,
    day: Annotated[Day | None, Query(description="staff: a day of the shop, or today")] = None,
    status: Annotated[OrderStatus | None, Query(description="staff: of this status")] = None,
    call_number: Annotated[int | None, Query(ge=1, le=999_999, description="staff")] = None,
    customer: Annotated[str, Query(max_length=64, description="staff: a customer's id")] = "",
) -> Response:
    """List one's own orders, newest first; staff list a day by call number, or search it."""
    if not is_office(identity):
        found = await answered(floor.store.of_owner(identity.shop_id, identity.subject, page=page))
        return _listed(found, page=page, floor=floor, is_by_owner=True)
    if customer:
        owner = CustomerId(customer) if is_id(customer) else CustomerId("nobody")
        found = await answered(floor.store.of_owner(identity.shop_id, owner, page=page))
        return _listed(found, page=page, floor=floor, is_by_owner=True)
    shown = day if day is not None else await answered(floor.today(identity.shop_id))
    if call_number is not None:
        found = await answered(floor.store.called(identity.shop_id, shown, number=call_number))
        kept = [o for o in found if status is None or o.status is status]
        return _listed(kept, page=page, floor=floor, is_by_owner=False)
    listing = floor.store.of_day(identity.shop_id, shown, page=page, status=status)
    return _listed(await answered(listing), page=page, floor=floor, is_by_owner=False)


@router.get("/orders/{order_id}", response_model=OrderView | StaffOrderView)
async def show_order(order: VisibleOrder, *, identity: any_identity, floor: OpenFloor) -> Response:
    """Show an order to its owner; staff also see what it refused."""
    if identity.kind is Kind.STAFF:
        return fresh_json(StaffOrderView.of(order, now=floor.clock()).model_dump_json())
    return fresh_json(floor.render(order))


@router.get(
    "/orders/{order_id}/pix.svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}}},
)
async def show_pix(order: VisibleOrder) -> Response:
    """Draw the Pix code as a QR code."""
    pix = order.payable_pix
    if pix is None:
        raise Problem(404, "There is no Pix code", detail=f"the order is {order.status}")
    drawing = await asyncio.to_thread(qr_code, pix.code)
    headers = {"Cache-Control": "private, max-age=300"}
    return Response(drawing, media_type="image/svg+xml", headers=headers)


@router.get(
    "/orders/{order_id}/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
)
async def stream_order(
    order: VisibleOrder,
    *,
    floor: OpenFloor,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> Response:
    """Send the order with every change, as server-sent events; `Last-Event-ID` goes on."""
    try:
        events = floor.streams.open(order, seen=last_event_id)
    except TooManyStreams as exc:
        raise unavailable("too many pages follow orders; read the order instead", after=5) from exc
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type=MEDIA_TYPE, headers=headers)


@router.post(
    "/orders/{order_id}/cancel", response_model=OrderView, responses=document_refusals(409)
)
async def cancel_order(
    order: VisibleOrder,
    *,
    identity: any_identity,
    floor: OpenFloor,
    body: Annotated[CancelBody | None, Body()] = None,
) -> Response:
    """Cancel an order: its customer until the kitchen begins, staff with a reason until the end."""
    ask = _cancellation(order, identity=identity, body=body or CancelBody())
    try:
        cancelled = await answered(cancel(ask, orders=floor.store))
    except IllegalTransition as exc:
        raise Problem(409, "This order cannot be cancelled now", detail=str(exc)) from exc
    return fresh_json(floor.render(cancelled))


@router.get("/estimate", response_model=EstimateView)
async def show_estimate(shop: KnownShop, *, _: any_identity, floor: OpenFloor) -> Response:
    """Say how long a new order will take, or that too little is known to say so."""
    found = await answered(floor.load.estimate(shop, now=floor.clock()))
    return fresh_json(EstimateView.of(found).model_dump_json())


def _cancellation(order: Order, *, identity: Identity, body: CancelBody) -> Ask:
    if identity.kind is not Kind.STAFF:
        return Ask(shop_id=order.shop_id, order_id=order.id, step=Step.CANCEL, reason=BY_CUSTOMER)
    if body.reason is None:
        errors = [{"field": "body.reason", "message": "staff say why"}]
        raise Problem(422, "Invalid request", detail="see errors", errors=errors)
    return Ask(
        shop_id=order.shop_id,
        order_id=order.id,
        step=Step.CALL_OFF,
        by=identity.subject,
        reason=body.reason.value,
        note=body.note or None,
    )


def _listed(found: list[Order], *, page: Page, floor: Floor, is_by_owner: bool) -> Response:
    last = None
    if len(found) == page.limit:
        last = found[-1].placed_position if is_by_owner else found[-1].day_position
    view = OrdersView.of(found, now=floor.clock(), cursor=cursor_of(last) if last else None)
    return fresh_json(view.model_dump_json())


async def _amended(floor: Floor, placement: Placement, *, settled: Order) -> str:
    """Render what the customer waited for, and keep it as the answer for a repeat."""
    if settled is placement.order:
        return placement.answer
    answer = floor.render(settled)
    with suppress(StoreUnavailable):
        await floor.desk.amend(placement.claim, answer=answer)
    return answer
