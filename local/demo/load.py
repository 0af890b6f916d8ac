"""Many orders at once: each is placed, paid and cooked, and its times are kept."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from local.demo.client import MenuChanged, Shopper, SoldOut, WalkFailed
from local.demo.walk import LAST_STATUS

CUSTOMERS = 48
# The menu has a scarce product; whoever finds it sold out chooses again.
_CHOICES = 20
_PLENTY = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Sale:
    """One finished order: its total and how long its two waits were, in seconds."""

    order_id: str
    total: str
    code_seconds: float
    kitchen_seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadResult:
    """What came of a load."""

    sales: tuple[Sale, ...]
    failures: tuple[str, ...]
    sold_out: int
    seconds: float
    paid_seconds: float


async def drive(
    shopper: Shopper, *, shops: tuple[str, ...], orders: int, advance: Callable[[], None]
) -> LoadResult:
    """Drive that many orders with a bounded number of customers side by side."""
    menus = {shop: await shopper.menu(shop) for shop in shops}
    queue = iter([shops[i % len(shops)] for i in range(orders)])
    sales: list[Sale] = []
    failures: list[str] = []
    paid_at: list[float] = []
    sold_out = 0
    began = time.monotonic()

    async def customer() -> None:
        nonlocal sold_out
        for shop in queue:
            try:
                for _ in range(_CHOICES):
                    try:
                        sales.append(await _buy(shopper, shop, menu=menus[shop], paid_at=paid_at))
                        break
                    except SoldOut as exc:
                        sold_out += not isinstance(exc, MenuChanged)
                        menus[shop] = await _in_stock(shopper, shop)
                else:
                    failures.append(f"{shop}: sold out {_CHOICES} times in a row")
            except WalkFailed as exc:
                failures.append(str(exc))
            advance()

    await asyncio.gather(*(customer() for _ in range(min(CUSTOMERS, orders))))
    return LoadResult(
        sales=tuple(sales),
        failures=tuple(failures),
        sold_out=sold_out,
        seconds=time.monotonic() - began,
        paid_seconds=max(paid_at, default=began) - began,
    )


async def _in_stock(shopper: Shopper, shop: str) -> list[dict[str, Any]]:
    menu = await shopper.menu(shop)
    stock = await shopper.as_staff(shop, f"/apis/catalog/{shop}/stock")
    left = {level["product_id"]: level["left"] for level in stock["levels"]}
    return [product for product in menu if left.get(product["id"], 0) >= _PLENTY]


async def _buy(
    shopper: Shopper, shop: str, *, menu: list[dict[str, Any]], paid_at: list[float]
) -> Sale:
    token = await shopper.guest_token(shop)
    chosen = random.sample(menu, k=random.randint(1, min(3, len(menu))))
    lines = [{"product_id": p["id"], "quantity": random.randint(1, 2)} for p in chosen]
    began = time.monotonic()
    order = await shopper.order(shop, lines, token=token, key=str(uuid4()))
    code_seconds = time.monotonic() - began
    payment = await shopper.pay(order["pix"]["code"])
    order = await shopper.order_until(order, token=token, has="paid_at")
    paid_at.append(time.monotonic())
    received = next(e["at"] for e in order["history"] if e["status"] == "RECEIVED")
    kitchen_seconds = _between(payment.get("paid_at"), received)
    for step in ("start", "ready", "complete"):
        order = await shopper.advance(order, step)
    if order["status"] != LAST_STATUS:
        raise WalkFailed(f"order {order['id']} ended as {order['status']}")
    return Sale(
        order_id=order["id"],
        total=order["total"],
        code_seconds=code_seconds,
        kitchen_seconds=kitchen_seconds,
    )


def _between(first: str | None, second: str) -> float | None:
    if first is None:
        return None  # The bank's first answer was lost with its connection; its second has no time.
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()
