"""One order as its customer sees it: the Pix code and its end, "pago!", the number, the counter."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import RedirectResponse, Response

from comanda.ids import is_id
from console.screens.contexts import Call, Context, OutOfReach, Refused
from console.screens.customers import customer_in
from console.screens.doors import Desk, KnownShop, NotHere, OpenDesk
from console.screens.rendering import page, render
from console.screens.stream import event, streamed
from console.screens.visits import Visit, visit_in

log = logging.getLogger(__name__)
router = APIRouter()
STATE = "order_state.html"
# What a customer may still take back by themselves.
_CANCELLABLE = frozenset({"PENDING_PAYMENT", "RECEIVED"})


async def visit_of_order(order_id: str, shop: KnownShop, desk: OpenDesk, request: Request) -> Visit:
    """Give the visit in which the order was placed: before somebody signed in, or after."""
    customer, guest = await customer_in(desk, request, shop), visit_in(desk, request, shop)
    visit = customer.visit if customer else guest
    if visit is None:
        raise NotHere
    if customer is not None and guest is not None:
        try:
            await desk.contexts.ask(_call(visit, order_id))
        except Refused as exc:
            return guest if exc.status == 404 else visit
    return visit


OrdersVisit = Annotated[Visit, Depends(visit_of_order)]
LastEventId = Annotated[str, Header(alias="Last-Event-ID", max_length=20)]


@router.get("/acompanhar/{order_id}")
async def show_order(order_id: str, *, visit: OrdersVisit, desk: OpenDesk) -> Response:
    """Show the order; its stream goes on from there."""
    order = await desk.contexts.read(_call(visit, order_id))
    return page("order.html", visit=visit, order=order, state=_state(visit, order))


@router.get("/acompanhar/{order_id}/aovivo")
async def stream_order(
    order_id: str, *, visit: OrdersVisit, desk: OpenDesk, last: LastEventId = ""
) -> Response:
    """Send the order's state with each change."""
    states = _states(desk, visit, order_id, last=last)
    # A refusal must be one before the stream begins, or the page would come back again and again.
    first = await anext(states, event("", name="alive"))
    return streamed(_after(first, states), stopping=desk.stopping)


@router.get("/acompanhar/{order_id}/pix.svg")
async def show_pix(order_id: str, *, visit: OrdersVisit, desk: OpenDesk) -> Response:
    """Show the Pix code as a QR code."""
    drawing = await desk.contexts.ask(_call(visit, order_id, "/pix.svg"))
    headers = {"Cache-Control": "private, max-age=300"}
    return Response(drawing.content, media_type="image/svg+xml", headers=headers)


@router.post("/acompanhar/{order_id}/cancelar")
async def cancel(order_id: str, *, visit: OrdersVisit, desk: OpenDesk) -> Response:
    """Take the order back, as long as nobody cooks; what was paid goes back by itself."""
    try:
        await desk.contexts.ask(_call(visit, order_id, "/cancel", method="POST"))
    except Refused as exc:
        if exc.status != 409:
            raise
        # It was begun meanwhile; its page says so.
        log.info("too late to cancel", extra={"order_id": order_id})
    return RedirectResponse(f"/loja/{visit.shop}/acompanhar/{order_id}", status_code=303)


async def _states(
    desk: Desk, visit: Visit, order_id: str, *, last: str
) -> AsyncGenerator[str, None]:
    headers = {"Last-Event-ID": last} if last else None
    call = _call(visit, order_id, "/stream", headers=headers)
    async with desk.contexts.follow(call) as news:
        async for order in news:
            if order is None:
                yield event("", name="alive")
            else:
                yield event(_state(visit, order), ident=str(order["version"]))


async def _after(first: str, rest: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    try:
        async with aclosing(rest):
            yield first
            async for state in rest:
                yield state
    except OutOfReach as exc:
        # The page comes back by itself, and says so if it cannot.
        log.warning("stream ended", extra={"reason": str(exc)})


def _state(visit: Visit, order: Mapping[str, Any]) -> str:
    can_cancel = order["status"] in _CANCELLABLE
    return render(STATE, visit=visit, order=order, can_cancel=can_cancel)


def _call(
    visit: Visit,
    order_id: str,
    rest: str = "",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
) -> Call:
    if not is_id(order_id):
        raise NotHere
    return Call(
        method=method,
        context=Context.ORDERS,
        shop=visit.shop,
        path=f"/orders/{order_id}{rest}",
        token=visit.token,
        headers=headers,
    )
