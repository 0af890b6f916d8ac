"""What people do besides ordering and paying: all the rare roads of a shop, side by side."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp

from local.chaos.breakable import Breakable
from local.chaos.customers import Customers
from local.demo.client import Shopper, WalkFailed
from local.demo.doors import Doors, StaffLogin
from local.demo.people import Mailbox, invent_person

_FORGIVABLE = (WalkFailed, aiohttp.ClientError, TimeoutError, KeyError)
_PAUSES = (2.0, 8.0)
# What ends with its answer would otherwise be done ten times as often as an order is paid.
_RARE_PAUSES = (20.0, 40.0)
Order = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Errands:
    """Run errands in one shop until the time is over."""

    shopper: Shopper
    owner: Shopper
    session: aiohttp.ClientSession
    doors: Doors
    mailbox: Mailbox
    shop: str
    dice: random.Random
    done: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Do each again and again, side by side, without end; what fails is tried later."""
        roads = (
            self.refund,
            self.call_off,
            self.pay_late,
            self.be_forgotten,
            self.give_up,
            self.ask_and_dispute,
        )
        moments = (self.count_stock, self.change_a_price, self.play_again, self.subscribe)
        await asyncio.gather(
            *(self._again_and_again(act, _PAUSES) for act in roads),
            *(self._again_and_again(act, _RARE_PAUSES) for act in moments),
        )

    async def _again_and_again(
        self, act: Callable[[], Awaitable[None]], pauses: tuple[float, float]
    ) -> None:
        while True:
            with suppress(*_FORGIVABLE):
                await act()
                self.done[act.__name__.replace("_", " ")] += 1
            await asyncio.sleep(self.dice.uniform(*pauses))

    async def refund(self) -> None:
        """Pay a part back of what was paid."""
        charge = await self._charge(await self._paid())
        body = {"amount": "1.00", "reason": "pouco queijo"}
        await self._manage("payments", f"charges/{charge}/refunds", body)

    async def call_off(self) -> None:
        """Let staff cancel a paid order; its money goes back."""
        order = await self._paid()
        body = {"reason": "kitchen_problem", "note": "acabou o gás"}
        await self._manage("orders", f"orders/{order['id']}/cancel", body)

    async def pay_late(self) -> None:
        """Pay a code that is over."""
        order, _ = await self._ordered()
        await self._bank("expire", id=await self._charge(order))
        await asyncio.sleep(self.dice.uniform(0, 3))
        await self._bank("pay", pix_code=order["pix"]["code"], late=True)

    async def be_forgotten(self) -> None:
        """Become a customer, buy, and be erased."""
        person = invent_person()
        waiting = await self.shopper.sign_up(self.shop, person.sign_up)
        code = await self.mailbox.code_for(person.email)
        token = await self.shopper.customer_token(self.shop, session=waiting, code=code)
        order, _ = await self._ordered(token=token)
        await self.shopper.pay(order["pix"]["code"])
        order = await self.shopper.order_until(order, token=token, has="paid_at")
        for step in ("start", "ready", "complete"):
            await self.shopper.advance(order, step)
        me, bearer = f"{self.doors.edge}/apis/auth/{self.shop}/me", _bearer(token)
        async with self.session.delete(me, headers=bearer) as erased:
            await erased.read()

    async def give_up(self) -> None:
        """Cancel before paying."""
        order, token = await self._ordered()
        await self.shopper.give_up(order, token=token)

    async def count_stock(self) -> None:
        """Take a delivery in, and put the books right."""
        product = self.dice.choice(await self.shopper.menu(self.shop))["id"]
        await self._manage("catalog", f"stock/{product}/deliveries", {"quantity": 50})
        body = {"change": -1, "reason": "caiu no chão"}
        await self._manage("catalog", f"stock/{product}/corrections", body)

    async def change_a_price(self) -> None:
        """Change a price under those who are choosing."""
        product = self.dice.choice(await self.shopper.menu(self.shop))["id"]
        path = f"/apis/catalog/{self.shop}/products/{product}"
        found = (await self.owner.manage(self.shop, "GET", path)).body
        said = ("name", "description", "category", "is_available", "is_stocked", "position")
        kept = ("option_groups", "slots")
        body = {name: found[name] for name in (*said, *kept) if name in found}
        body["price"] = f"{self.dice.randint(900, 2900) / 100:.2f}"
        tag = {"If-Match": f'"{found["version"]}"'}
        answer = await self.owner.manage(self.shop, "PUT", path, json=body, headers=tag)
        if answer.status >= 400:
            raise WalkFailed(f"the price stayed: {answer}")

    async def ask_and_dispute(self) -> None:
        """Ask the provider anew about a charge, and let its payer dispute it, and lose."""
        charge = await self._charge(await self._paid())
        await self._manage("payments", f"charges/{charge}/check", None)
        dispute = await self._bank("disputes", id=charge, kind="chargeback")
        await asyncio.sleep(self.dice.uniform(1, 3))
        path = f"disputes/{dispute['dispute_id']}/resolution"
        await self._bank(path, outcome="reimbursed")

    async def play_again(self) -> None:
        """Send some of the last minutes' events once more."""
        now = datetime.now(UTC)
        body = {
            "queue": "orders",
            "since": (now - timedelta(minutes=2)).isoformat(),
            "until": now.isoformat(),
            "per_second": 20,
        }
        await self._manage("archive", "replays", body)

    async def subscribe(self) -> None:
        """Ask for webhooks to an address at which nobody listens to them."""
        await self._manage("orders", "webhooks", {"url": f"{self.doors.bank}/nobody"})

    async def _ordered(self, *, token: str = "") -> tuple[Order, str]:
        token = token or await self.shopper.guest_token(self.shop)
        menu = await self.shopper.menu(self.shop)
        product = self.dice.choice([it for it in menu if not it["option_groups"]])["id"]
        lines = [{"product_id": product, "quantity": 1}]
        key = str(uuid4())
        return await self.shopper.order(self.shop, lines, token=token, key=key), token

    async def _paid(self) -> Order:
        order, token = await self._ordered()
        await self.shopper.pay(order["pix"]["code"])
        return await self.shopper.order_until(order, token=token, has="paid_at")

    async def _charge(self, order: Mapping[str, Any]) -> str:
        path = f"/apis/payments/{self.shop}/charges?order_id={order['id']}"
        return str((await self.owner.as_staff(self.shop, path))["charges"][0]["id"])

    async def _manage(self, context: str, path: str, body: Mapping[str, Any] | None) -> None:
        key = {"Idempotency-Key": str(uuid4())}
        whole = f"/apis/{context}/{self.shop}/{path}"
        answer = await self.owner.manage(self.shop, "POST", whole, json=body, headers=key)
        if answer.status >= 400:
            raise WalkFailed(f"{whole} answered {answer}")

    async def _bank(self, what: str, **words: Any) -> dict[str, Any]:
        """Do something at the bank, which may refuse."""
        async with self.session.post(f"{self.doors.bank}/_control/{what}", json=words) as answer:
            told: dict[str, Any] = await answer.json(content_type=None)
            return told


def errands_in(shop: str, customers: Customers, laptop: Breakable, *, seed: int) -> Errands:
    """Prepare the errands of one shop, with dice of their own; its owner may do everything."""
    owners = {
        str(login.shop): StaffLogin(username=login.username, password=login.password)
        for login in laptop.system.staff
        if "owner" in login.groups
    }
    return Errands(
        shopper=customers.shopper,
        owner=Shopper(customers.session, replace(customers.doors, kitchens=owners)),
        session=customers.session,
        doors=customers.doors,
        mailbox=Mailbox(customers.session, aws_url=laptop.system.urls["ministack"]),
        shop=shop,
        dice=random.Random(f"{seed}:{shop}"),
    )


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
