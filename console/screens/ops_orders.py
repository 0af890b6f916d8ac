"""For who runs the shop's system: the journey of one order, and what Mercado Pago said about it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from comanda.ids import is_id
from console.screens.contexts import Call, Context, Refused
from console.screens.doors import Desk, NotHere, Office, OpenDesk
from console.screens.rendering import page
from console.screens.sessions import Session
from console.webhooks import TYPES, Heard, heard

router = APIRouter(prefix="/ops")
# The inbox without a question: the newest, of so long.
_LOOKS_BACK = timedelta(hours=6)
_MOST_HEARD = 100
Text = Annotated[str, Query(max_length=128)]


@router.get("/journey")
async def find(office: Office, desk: OpenDesk, order: Text = "") -> Response:
    """Find an order by its id or by its call number of today, and go to its journey."""
    named, fault = await order_named(desk, office, order.strip())
    if named:
        return RedirectResponse(f"/loja/{office.shop}/ops/journey/{named}", status_code=303)
    return page("ops_find.html", session=office, simulator=desk.simulator is not None, fault=fault)


async def order_named(desk: Desk, office: Session, typed: str) -> tuple[str, str]:
    """Give the id of an order by its id or its call number of today, or "" and why not."""
    if typed.isascii() and typed.isdecimal() and len(typed) < 7:
        query = {"call_number": typed, "limit": "1"}
        found = (await _read(desk, office, Context.ORDERS, "/orders", **query))["orders"]
        return (str(found[0]["id"]), "") if found else ("", f"No order {typed} today.")
    if is_id(typed) or not typed:
        return typed, ""
    return "", "Neither an order's id nor a call number."


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
        simulator=desk.simulator is not None,
        order_id=order_id,
        steps=[{**it, "changes": _changes(it)} for it in steps[:upto]],
        count=len(steps),
        upto=upto,
        now=steps[upto - 1]["after"],
    )


@router.get("/webhooks")
async def show_webhooks(office: Office, desk: OpenDesk, about: Text = "") -> Response:
    """Show the newest notifications, or those about an order or one resource of the provider's."""
    rows: list[Mapping[str, Any]] = []
    about = about.strip()
    fault = ""
    newest = [] if about else await _newest(desk, office)
    try:
        for resource in await _resources(desk, office, about):
            query = {"resource_id": resource}
            found = await _read(desk, office, Context.PAYMENTS, "/notifications", **query)
            rows += [{**it, "resource": resource} for it in found["notifications"]]
    except Refused as exc:
        if exc.status != 422:
            raise
        fault = "That is neither an order nor a resource."
    return page(
        "ops_webhooks.html",
        session=office,
        simulator=desk.simulator is not None,
        about=about,
        rows=rows,
        newest=newest,
        fault=fault,
    )


async def _newest(desk: Desk, office: Session) -> list[Heard]:
    until = desk.clock()
    query = [
        ("since", (until - _LOOKS_BACK).isoformat()),
        ("until", until.isoformat()),
        ("limit", str(_MOST_HEARD)),
        *(("types", name) for name in TYPES),
    ]
    path = f"/newest-events?{urlencode(query)}"
    return [heard(it) for it in (await _read(desk, office, Context.ARCHIVE, path))["events"]]


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
