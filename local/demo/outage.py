"""Outages on stage: first the payments worker is away, then the broker; nothing may be lost."""

import asyncio
from typing import Any
from uuid import uuid4

import aiohttp
from rich.console import Console

from local.demo.books import Books, balance
from local.demo.client import Shopper, WalkFailed
from local.demo.doors import doors_of
from local.demo.walk import Narrator
from local.supervisor import System

ORDERS = 10
_WAIT_SECONDS = 1


async def walk_through_outages(
    system: System, *, session: aiohttp.ClientSession, console: Console
) -> Books:
    """Show both outages; raise `WalkFailed` where a promise is broken."""
    doors = doors_of(system)
    shopper, narrator = Shopper(session, doors), Narrator(console)
    for process, what in (("payments-worker", "payments"), ("bus", "the broker")):
        await _without(process, what=what, system=system, shopper=shopper, narrator=narrator)
    books = await balance(shopper, shops=doors.shops, environment=system.environment)
    if not books.is_balanced:
        raise WalkFailed(f"the books do not balance: {books}")
    narrator.tell("books", f"balance: {books.orders_paid} orders paid, R$ {books.orders}")
    return books


async def _without(
    process: str, *, what: str, system: System, shopper: Shopper, narrator: Narrator
) -> None:
    shop = doors_of(system).shops[0]
    token = await shopper.guest_token(shop)
    product = (await shopper.menu(shop))[-1]
    await system.halt(process)
    narrator.tell("outage", f"{what} is away ({process} stopped)")
    lines = [{"product_id": product["id"], "quantity": 1}]
    try:
        placed = await asyncio.gather(
            *(_placed(shopper, shop, lines, token) for _ in range(ORDERS))
        )
        _check_accepted(placed)
        narrator.tell("orders", f"{len(placed)} accepted, none with a code: {placed[0]['hint']}")
    finally:
        await system.resume(process)
    narrator.tell("back", f"{what} is back")
    paid = await asyncio.gather(*(_paid(shopper, order, token) for order in placed))
    _check_once(paid)
    narrator.tell("codes", f"{len(paid)} codes appeared, each order has one, and all are paid")


async def _placed(
    shopper: Shopper, shop: str, lines: list[dict[str, Any]], token: str
) -> dict[str, Any]:
    return await shopper.place(shop, lines, token=token, key=str(uuid4()), wait=_WAIT_SECONDS)


async def _paid(shopper: Shopper, order: dict[str, Any], token: str) -> dict[str, Any]:
    with_code = await shopper.order_until(order, token=token, has="pix")
    await shopper.pay(with_code["pix"]["code"])
    return await shopper.order_until(with_code, token=token, has="paid_at")


def _check_accepted(placed: list[dict[str, Any]]) -> None:
    for order in placed:
        if order["pix"] is not None or order["status"] != "PENDING_PAYMENT":
            raise WalkFailed(f"order {order['id']} has a code although nobody could make one")


def _check_once(paid: list[dict[str, Any]]) -> None:
    for field in ("id", "call_number"):
        if len({order[field] for order in paid}) != len(paid):
            raise WalkFailed(f"two orders have the same {field}")
    if len({order["pix"]["code"] for order in paid}) != len(paid):
        raise WalkFailed("two orders have the same code")
