"""For who runs the shop's system: the journey of one order, and what Mercado Pago said about it."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from comanda.ids import is_id
from console.screens.contexts import Call, Context, Refused
from console.screens.doors import Desk, NotHere, Office, OpenDesk
from console.screens.rendering import page
from console.screens.sessions import Session

router = APIRouter(prefix="/ops")
Text = Annotated[str, Query(max_length=128)]


@router.get("/journey")
async def find(office: Office, desk: OpenDesk, order: Text = "") -> Response:
    """Find an order by its id or by its call number of today, and go to its journey."""
    named, fault = order.strip(), ""
    if named.isascii() and named.isdecimal() and len(named) < 7:
        query = {"call_number": named, "limit": "1"}
        found = (await _read(desk, office, Context.ORDERS, "/orders", **query))["orders"]
        named, fault = (found[0]["id"], "") if found else ("", f"No order {named} today.")
    if is_id(named):
        return RedirectResponse(f"/loja/{office.shop}/ops/journey/{named}", status_code=303)
    if order and not fault:
        fault = "Neither an order's id nor a call number."
    return page("ops_find.html", session=office, fault=fault)


@router.get("/journey/{order_id}")
async def show_journey(
    order_id: str,
    *,
    office: Office,
    desk: OpenDesk,
    step: Annotated[int, Query(ge=0, le=10_000)] = 0,
) -> Response:
    """Tell an order's story, whole or as it was after so many steps."""
    if not is_id(order_id):
        raise NotHere
    found = await _read(desk, office, Context.ARCHIVE, f"/orders/{order_id}/journey")
    steps = found["steps"]
    upto = min(step or len(steps), len(steps))
    return page(
        "ops_journey.html",
        session=office,
        order_id=order_id,
        steps=[{**it, "changes": _changes(it)} for it in steps[:upto]],
        count=len(steps),
        upto=upto,
        now=steps[upto - 1]["after"],
    )


@router.get("/webhooks")
async def show_webhooks(office: Office, desk: OpenDesk, about: Text = "") -> Response:
    """Show the notifications about an order's charges or about one resource of the provider's."""
    rows: list[Mapping[str, Any]] = []
    about = about.strip()
    fault = ""
    try:
        for resource in await _resources(desk, office, about):
            query = {"resource_id": resource}
            found = await _read(desk, office, Context.PAYMENTS, "/notifications", **query)
            rows += [{**it, "resource": resource} for it in found["notifications"]]
    except Refused as exc:
        if exc.status != 422:
            raise
        fault = "That is neither an order nor a resource."
    return page("ops_webhooks.html", session=office, about=about, rows=rows, fault=fault)


async def _resources(desk: Desk, office: Session, about: str) -> list[str]:
    if not is_id(about):
        return [about] if about else []
    found = await _read(desk, office, Context.PAYMENTS, "/charges", order_id=about)
    return [it["provider_id"] for it in found["charges"] if it["provider_id"]]


def _changes(step: Mapping[str, Any]) -> list[str]:
    before, after = step["before"], step["after"]
    return [
        f"{name}: {before[name] or 'nothing'} → {after[name] or 'nothing'}"
        for name in after
        if before[name] != after[name]
    ]


async def _read(desk: Desk, office: Session, context: Context, path: str, **query: str) -> Any:
    call = Call(
        method="GET",
        context=context,
        shop=office.shop,
        path=path,
        token=office.access_token,
        query=query or None,
    )
    return await desk.contexts.read(call)
