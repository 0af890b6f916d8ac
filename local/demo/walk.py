"""One narrated order: from the counter's door to the customer's hands, each step with its ids."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from rich.console import Console

from local.demo.client import Shopper, WalkFailed

LAST_STATUS = "COMPLETED"


class Narrator:
    """Print each step with the time since the walk began."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = datetime.now(UTC)

    def tell(self, step: str, detail: str) -> None:
        """Print one line."""
        seconds = (datetime.now(UTC) - self._began).total_seconds()
        self._console.print(
            f"[dim]{seconds:7.3f} s[/]  [bold]{step:<10}[/] {detail}", soft_wrap=True
        )


async def walk(shopper: Shopper, *, shop: str, console: Console) -> dict[str, Any]:
    """Drive one order through every door; raise `WalkFailed` where a door refuses."""
    narrator = Narrator(console)
    token = await shopper.guest_token(shop)
    narrator.tell("sign in", f"a guest at {shop}")
    products = await shopper.menu(shop)
    chosen = products[:2]
    narrator.tell("menu", ", ".join(f"{p['name']} R$ {p['price']}" for p in chosen))
    lines = [{"product_id": product["id"], "quantity": 1} for product in chosen]
    order = await shopper.order(shop, lines, token=token, key=str(uuid4()))
    narrator.tell("order", f"{order['id']}  senha {order['call_number']}  R$ {order['total']}")
    narrator.tell("Pix code", f"{order['pix']['code']}")
    payment = await shopper.pay(order["pix"]["code"])
    narrator.tell("bank", f"paid; Mercado Pago's order {payment['order_id']}")
    order = await shopper.order_until(order, token=token, has="paid_at")
    narrator.tell("paid", f"the webhook arrived and was checked: {order['status_label']}")
    for step in ("start", "ready", "complete"):
        order = await shopper.advance(order, step)
        narrator.tell("kitchen", order["status_label"])
    if order["status"] != LAST_STATUS:
        raise WalkFailed(f"the walk ended at {order['status']}")
    return order
