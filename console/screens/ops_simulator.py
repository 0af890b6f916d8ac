"""For engineers on a laptop: pay an order's charge, badly or well. Elsewhere there is no such page.

A charge is found through the shop's own payments, so nobody touches another shop's.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from comanda.ids import is_id
from console.screens.contexts import Call, Context
from console.screens.doors import Desk, Form, NotHere, OpenDesk, Owner
from console.screens.ops_orders import order_named
from console.screens.rendering import page
from console.screens.sessions import Session
from console.screens.simulator import NotSimulated, Simulator

router = APIRouter(prefix="/ops/simulator")
Text = Annotated[str, Query(max_length=64)]


async def simulator_of(desk: OpenDesk) -> Simulator:
    """Give the simulator, or say that there is no such page."""
    if desk.simulator is None:
        raise NotHere
    return desk.simulator


Laptop = Annotated[Simulator, Depends(simulator_of)]


@router.get("")
async def show(owner: Owner, desk: OpenDesk, laptop: Laptop, *, order: Text = "") -> Response:
    """Show the charges of an order and what may befall them; the clock; the faults that stand."""
    named, fault = await order_named(desk, owner, order.strip())
    return await _page(desk, owner, laptop, order=named, fault=fault)


@router.post("")
async def act(owner: Owner, desk: OpenDesk, laptop: Laptop, *, form: Form) -> Response:
    """Do one thing; what the simulator refuses is told on the page."""
    order = form.get("order", "")
    told, fault = "", ""
    try:
        told = await _done(desk, owner, laptop, form)
    except NotSimulated as exc:
        fault = str(exc)
    return await _page(desk, owner, laptop, order=order, told=told, fault=fault)


async def _done(desk: Desk, owner: Session, laptop: Simulator, form: Form) -> str:
    name = form.get("act", "")
    if name in laptop.acts:
        return await _to_a_charge(desk, owner, laptop, form)
    if name == "down":
        return await laptop.be_down(owner.shop, seconds=_number(form, "seconds"))
    if name == "speed":
        return await laptop.run_at(_number(form, "speed"))
    if name == "mend":
        return await laptop.mend(owner.shop)
    raise NotHere


async def _to_a_charge(desk: Desk, owner: Session, laptop: Simulator, form: Form) -> str:
    charges = await _charges(desk, owner, form.get("order", ""))
    known = {it["provider_id"] for it in charges if it["provider_id"]}
    if form.get("charge", "") not in known:
        raise NotSimulated("this order has no such charge at the provider")
    return await laptop.acts[form["act"]](owner.shop, form["charge"])


def _number(form: Form, name: str) -> float:
    try:
        return float(form.get(name, ""))
    except ValueError as exc:
        raise NotSimulated(f"{name} is a number") from exc


async def _charges(desk: Desk, owner: Session, order: str) -> list[dict[str, Any]]:
    if not is_id(order):
        return []
    call = Call(
        method="GET",
        context=Context.PAYMENTS,
        shop=owner.shop,
        path="/charges",
        token=owner.access_token,
        query={"order_id": order},
    )
    found: list[dict[str, Any]] = (await desk.contexts.read(call))["charges"]
    return found


async def _page(
    desk: Desk, owner: Session, laptop: Simulator, *, order: str, told: str = "", fault: str = ""
) -> Response:
    clock, faults = None, []
    try:
        clock, faults = await laptop.clock(), await laptop.faults(owner.shop)
    except NotSimulated as exc:
        fault = fault or str(exc)
    return page(
        "ops_simulator.html",
        status=422 if fault else 200,
        session=owner,
        simulator=True,
        order=order,
        charges=await _charges(desk, owner, order),
        clock=clock,
        faults=faults,
        told=told,
        fault=fault,
    )
