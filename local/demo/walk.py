"""Two narrated orders, a guest's and a customer's: from the door to the hands, step by step."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from rich.console import Console

from local.demo.client import Shopper, WalkFailed
from local.demo.people import Mailbox, invent_person

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


async def walk_all(
    shopper: Shopper, *, shop: str, mailbox: Mailbox, console: Console
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Drive a guest's order and a customer's; raise `WalkFailed` where a door refuses."""
    narrator = Narrator(console)
    first = await walk(shopper, shop=shop, console=console, narrator=narrator)
    token = await sign_in(shopper, mailbox=mailbox, shop=shop, narrator=narrator)
    ordered = await place_and_pay(shopper, shop=shop, token=token, narrator=narrator)
    return first, await cook(shopper, ordered, narrator=narrator)


async def walk(
    shopper: Shopper, *, shop: str, console: Console, narrator: Narrator | None = None
) -> dict[str, Any]:
    """Drive a guest's order through every door; raise `WalkFailed` where a door refuses."""
    told = narrator or Narrator(console)
    token = await shopper.guest_token(shop)
    told.tell("sign in", f"a guest at {shop}")
    ordered = await place_and_pay(shopper, shop=shop, token=token, narrator=told)
    return await cook(shopper, ordered, narrator=told)


async def sign_in(shopper: Shopper, *, mailbox: Mailbox, shop: str, narrator: Narrator) -> str:
    """Sign somebody new up, and in with the code that is mailed; give the token."""
    person = invent_person()
    session = await shopper.sign_up(shop, person.sign_up)
    narrator.tell("sign up", f"{person.name} <{person.email}> at {shop}")
    code = await mailbox.code_for(person.email)
    narrator.tell("mail", f"one-time code {code}")
    token = await shopper.customer_token(shop, session=session, code=code)
    narrator.tell("sign in", f"a customer at {shop}")
    return token


async def place_and_pay(
    shopper: Shopper, *, shop: str, token: str, narrator: Narrator
) -> dict[str, Any]:
    """Order two things, pay the Pix code, and wait until the webhook has been believed."""
    # The first dish is scarce, on purpose, and may be sold out by now.
    chosen = (await shopper.menu(shop))[-2:]
    narrator.tell("menu", ", ".join(f"{p['name']} R$ {p['price']}" for p in chosen))
    lines = [{"product_id": product["id"], "quantity": 1} for product in chosen]
    order = await shopper.order(shop, lines, token=token, key=str(uuid4()))
    narrator.tell("order", f"{order['id']}  senha {order['call_number']}  R$ {order['total']}")
    narrator.tell("Pix code", order["pix"]["code"])
    narrator.tell("bank page", f"{shopper.bank}/bank?{urlencode({'code': order['pix']['code']})}")
    payment = await shopper.pay(order["pix"]["code"])
    narrator.tell("bank", f"paid; Mercado Pago's order {payment['order_id']}")
    order = await shopper.order_until(order, token=token, has="paid_at")
    narrator.tell("paid", f"the webhook arrived and was checked: {order['status_label']}")
    return order


async def cook(shopper: Shopper, order: dict[str, Any], *, narrator: Narrator) -> dict[str, Any]:
    """Let the kitchen start, finish and hand over."""
    for step in ("start", "ready", "complete"):
        order = await shopper.advance(order, step)
        narrator.tell("kitchen", order["status_label"])
    if order["status"] != LAST_STATUS:
        raise WalkFailed(f"the walk ended at {order['status']}")
    return order
