"""Balance the books: what the provider took, what payments knows, what orders were worth."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comanda.money import ZERO, Money
from local.demo.client import Shopper
from local.queues import client_of, depth_of, queues_of

SETTLING_SECONDS = 45.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """The same money seen from four sides, and the letters that nobody could deliver."""

    provider: Money
    payments: Money
    orders: Money
    orders_placed: int
    orders_paid: int
    open_cases: int
    stock_sold: int
    stock_held: int
    stock_faults: int
    dead_letters: int

    @property
    def is_balanced(self) -> bool:
        """Tell whether every real is an order's, and nothing is held or dead."""
        return (
            self.provider == self.payments == self.orders
            and not self.open_cases
            and not self.stock_held
            and not self.stock_faults
            and not self.dead_letters
        )


async def balance(
    shopper: Shopper, *, shops: tuple[str, ...], environment: Mapping[str, str]
) -> Books:
    """Read the books, waiting a while for facts that are still on their way."""
    deadline = time.monotonic() + SETTLING_SECONDS
    while True:
        books = await _read_books(shopper, shops, environment)
        if books.is_balanced or time.monotonic() > deadline:
            return books
        await asyncio.sleep(0.5)


async def _read_books(
    shopper: Shopper, shops: tuple[str, ...], environment: Mapping[str, str]
) -> Books:
    orders = [await shopper.as_staff(s, f"/apis/orders/{s}/totals") for s in shops]
    payments = [await shopper.as_staff(s, f"/apis/payments/{s}/totals") for s in shops]
    stocks = [await shopper.as_staff(s, f"/apis/catalog/{s}/stock") for s in shops]
    levels = [level for stock in stocks for level in stock["levels"]]
    provider = (await shopper.simulator_totals()).values()
    return Books(
        provider=_sum(provider),
        payments=_sum(payments),
        orders=_sum(orders),
        orders_placed=sum(o["orders"] for o in orders),
        orders_paid=sum(_paid_count(o["by_status"]) for o in orders),
        open_cases=sum(p["open_cases"] for p in payments),
        stock_sold=sum(level["sold"] for level in levels),
        stock_held=sum(level["held"] for level in levels),
        stock_faults=sum(_is_off(level) for level in levels),
        dead_letters=await asyncio.to_thread(_dead_letters, environment),
    )


def _sum(totals: Any) -> Money:
    return sum((Money.parse(total["paid_total"]) for total in totals), ZERO)


def _paid_count(by_status: Mapping[str, int]) -> int:
    return sum(by_status.get(s, 0) for s in ("RECEIVED", "IN_PREPARATION", "READY", "COMPLETED"))


def _is_off(level: Mapping[str, int]) -> bool:
    return bool(level["sold"] + level["held"] + level["left"] != level["received"])


def _dead_letters(environment: Mapping[str, str]) -> int:
    sqs = client_of(environment, "sqs")
    return sum(depth_of(sqs, f"{queue}-dlq") for queue in queues_of(environment))
