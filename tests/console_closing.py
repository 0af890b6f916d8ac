"""A day as orders and payments tell it, for closing."""

from datetime import UTC, datetime, timedelta
from typing import Any

from comanda.ids import new_id

# Half past midnight in the shop: a day that begins at four is still yesterday's.
BEGINS = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


def told_order(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Make an order as orders' closing tells it: paid, two burgers at 24.90."""
    at = BEGINS + timedelta(hours=number)
    line = {"product_id": "x", "name": "X-Salada", "quantity": 2, "unit_price": "24.90"}
    return {
        "id": new_id(at),
        "call_number": number,
        "status": "COMPLETED",
        "total": "49.80",
        "refunded": "0.00",
        "placed_at": at.isoformat(),
        "paid_at": at.isoformat(),
        "lines": [line],
        **changes,
    }


def told_charge(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Make the charge of an order as payments' closing tells it: paid, its fee unknown."""
    return {
        "id": f"charge-{order['call_number']}",
        "order_id": order["id"],
        "status": "PAID",
        "amount": order["total"],
        "charged": order["total"],
        "refunded": "0.00",
        "disputed": "0.00",
        "regained": "0.00",
        "fee": None,
        "open_cases": 0,
        "open_attempts": 0,
        **changes,
    }


def told_day(orders: list[dict[str, Any]], *, cursor: str | None = None) -> dict[str, Any]:
    """Make a page of a day."""
    return {
        "day": "2026-11-20",
        "begins_at": BEGINS.isoformat(),
        "ends_at": (BEGINS + timedelta(days=1)).isoformat(),
        "orders": orders,
        "cursor": cursor,
    }


MOVED = {
    "charged": "99.60",
    "fee": "0.00",
    "refunded": "9.80",
    "disputed": "0.00",
    "regained": "0.00",
    "cases_opened": 1,
    "open_cases": 1,
}


class ScriptedBooks:
    """The contexts of a day; `elsewhere` are orders of other days."""

    def __init__(
        self, pages: list[dict[str, Any]], charges: list[dict[str, Any]], *, elsewhere: set[str]
    ) -> None:
        self.pages, self.charges, self.elsewhere = pages, charges, elsewhere
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def read(self, context: str, path: str, query: dict[str, str]) -> Any:
        """Answer as the context would."""
        self.asked.append((f"{context}{path}", dict(query)))
        if context == "orders":
            return self.pages[int(query.get("cursor", "0"))]
        if path == "/closing/charges":
            return {"charges": self.charges, "next": None}
        return MOVED

    async def has_order(self, order_id: str) -> bool:
        """Know the orders of other days."""
        return order_id in self.elsewhere
