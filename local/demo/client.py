"""An HTTP client that behaves: it retries what is safe to repeat, under one idempotency key."""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from local.demo.doors import Doors, StaffLogin

PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.25
# Why an order ends before anything is charged, other than by its customer.
_MENU_REASONS = frozenset({"unknown_product", "unavailable", "options_changed", "price_changed"})
_AGAIN = frozenset({409, 425, 429, 500, 502, 503, 504})
# A staff token lives for fifteen minutes; it is renewed well before.
_TOKEN_SECONDS = 600.0


class WalkFailed(Exception):
    """A door did not do what its contract says; the message quotes it."""


class SoldOut(WalkFailed):
    """The order was cancelled, uncharged, because the stock did not suffice."""


class MenuChanged(SoldOut):
    """Nothing was bought: what was chosen left the menu, just came to it, or has a new price."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A status and a JSON body."""

    status: int
    body: dict[str, Any]


class Shopper:
    """Everything that customers, banks and kitchens do over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, doors: Doors) -> None:
        self._session = session
        self._doors = doors
        self._staff: dict[str, tuple[str, float]] = {}
        self._staff_lock = asyncio.Lock()

    @property
    def bank(self) -> str:
        """Give the bank's address, for a person to look at."""
        return self._doors.bank

    async def menu(self, shop: str) -> list[dict[str, Any]]:
        """Read what can be ordered."""
        answer = await self._ask("GET", f"/apis/catalog/{shop}/menu")
        products: list[dict[str, Any]] = answer.body["products"]
        return [product for product in products if product["is_available"]]

    async def guest_token(self, shop: str) -> str:
        """Come in as a guest."""
        answer = await self._ask("POST", f"/apis/auth/{shop}/guests", json={"kiosk": _kiosk()})
        return str(answer.body["access_token"])

    async def sign_up(self, shop: str, body: Mapping[str, str]) -> str:
        """Ask to become a customer; give the session that waits for the code."""
        answer = await self._ask("POST", f"/apis/auth/{shop}/customers", json=body)
        return str(answer.body["session"])

    async def challenge(self, shop: str, *, cpf: str) -> str:
        """Ask for a code by e-mail; give the session that it belongs to."""
        path = f"/apis/auth/{shop}/challenges"
        answer = await self._ask("POST", path, json={"cpf": cpf})
        return str(answer.body["session"])

    async def customer_token(self, shop: str, *, session: str, code: str) -> str:
        """Trade the code for a token."""
        body = {"session": session, "code": code}
        answer = await self._ask("POST", f"/apis/auth/{shop}/tokens", json=body)
        return str(answer.body["access_token"])

    async def order(
        self, shop: str, lines: list[dict[str, Any]], *, token: str, key: str, name: str = ""
    ) -> dict[str, Any]:
        """Place an order and wait for its Pix code."""
        placed = await self.place(shop, lines, token=token, key=key, wait=10, name=name)
        if placed["pix"] is None:
            return await self.order_until(placed, token=token, has="pix")
        return placed

    async def place(
        self,
        shop: str,
        lines: list[dict[str, Any]],
        *,
        token: str,
        key: str,
        wait: int,
        name: str = "",
    ) -> dict[str, Any]:
        """Place an order; its Pix code is there if it came within `wait` seconds."""
        answer = await self._ask(
            "POST",
            f"/apis/orders/{shop}/orders",
            json={"lines": lines} | ({"name": name} if name else {}),
            headers={**_bearer(token), "Idempotency-Key": key, "Prefer": f"wait={wait}"},
            fine=(422,),
        )
        if answer.status == 422:
            raise MenuChanged(f"the menu is not what it was: {answer.body}")
        return answer.body

    async def try_to_order(
        self, shop: str, lines: list[dict[str, Any]], *, token: str, key: str
    ) -> Answer:
        """Place an order, or be told that it cannot be taken now: 201 or 409."""
        path = f"/apis/orders/{shop}/orders"
        headers = {**_bearer(token), "Idempotency-Key": key}
        return await self._ask("POST", path, json={"lines": lines}, headers=headers, fine=(409,))

    async def give_up(self, order: dict[str, Any], *, token: str) -> None:
        """Let the customer cancel an order; too late is fine."""
        path = f"/apis/orders/{order['shop_id']}/orders/{order['id']}/cancel"
        await self._ask("POST", path, headers=_bearer(token), fine=(409,))

    async def order_until(self, order: dict[str, Any], *, token: str, has: str) -> dict[str, Any]:
        """Read the order until the field is there."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not order[has]:
            if order["reason"] == "out_of_stock":
                raise SoldOut(f"order {order['id']} could not be held")
            if order["reason"] in _MENU_REASONS:
                raise MenuChanged(f"order {order['id']} ended: {order['reason']}")
            if order["reason"] or time.monotonic() > deadline:
                raise WalkFailed(f"order {order['id']} is {order['status']}: {order['reason']}")
            await asyncio.sleep(_PAUSE_SECONDS)
            order = await self.read(order, token=token)
        return order

    async def read(self, order: dict[str, Any], *, token: str) -> dict[str, Any]:
        """Read an order again."""
        path = f"/apis/orders/{order['shop_id']}/orders/{order['id']}"
        return (await self._ask("GET", path, headers=_bearer(token))).body

    async def pay(self, pix_code: str) -> dict[str, Any]:
        """Pay in the bank's app; paying what is paid already is fine after a lost answer."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = await self._try(
                "POST", f"{self._doors.bank}/__sim/pay", json={"pix_code": pix_code}
            )
            if answer is not None and answer.status in (200, 409):
                return answer.body
            if answer is not None and answer.status < 500:
                raise WalkFailed(f"the bank says {answer.status}: {answer.body}")
            await self._pause(deadline, "the bank")

    async def advance(self, order: dict[str, Any], step: str) -> dict[str, Any]:
        """Let the kitchen start, finish or hand over an order."""
        shop = order["shop_id"]
        path = f"/apis/orders/{shop}/orders/{order['id']}"
        token = await self.staff_token(shop)
        answer = await self._ask("POST", f"{path}/{step}", headers=_bearer(token), fine=(409,))
        if answer.status == 409:
            # Our first try may have worked although its answer was lost.
            return (await self._ask("GET", path, headers=_bearer(token))).body
        return answer.body

    async def as_staff(self, shop: str, path: str) -> dict[str, Any]:
        """Read a staff page of a shop."""
        token = await self.staff_token(shop)
        return (await self._ask("GET", path, headers=_bearer(token))).body

    async def manage(
        self,
        shop: str,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        sheet: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Change something of a shop as its staff; give any answer that is no outage."""
        token = await self.staff_token(shop)
        return await self._ask(
            method,
            path,
            json=json,
            data=sheet,
            headers={**_bearer(token), **(headers or {})},
            fine=(404, 409, 412, 422, 428),
        )

    async def tell_bank(self, what: str, **words: Any) -> None:
        """Do something at the bank that it may refuse, having done it already."""
        await self._ask("POST", f"{self._doors.bank}/_control/{what}", json=words, fine=(409,))

    async def simulator_totals(self) -> dict[str, Any]:
        """Ask the simulated provider what it knows."""
        return (await self._ask("GET", f"{self._doors.bank}/__sim/totals")).body

    async def staff_token(self, shop: str) -> str:
        """Sign the kitchen in, once in a while."""
        async with self._staff_lock:
            token, until = self._staff.get(shop, ("", 0.0))
            if time.monotonic() >= until:
                token = await self._sign_in(shop, self._doors.kitchens[shop])
                self._staff[shop] = (token, time.monotonic() + _TOKEN_SECONDS)
        return token

    async def _sign_in(self, shop: str, login: StaffLogin) -> str:
        body = {"username": login.username, "password": login.password}
        answer = await self._ask("POST", f"/apis/auth/{shop}/staff/tokens", json=body)
        return str(answer.body["access_token"])

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (),
    ) -> Answer:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = await self._try(method, path, json=json, data=data, headers=headers)
            if answer is not None and (answer.status < 400 or answer.status in fine):
                return answer
            if answer is not None and answer.status not in _AGAIN:
                raise WalkFailed(f"{method} {path} answered {answer.status}: {answer.body}")
            await self._pause(deadline, f"{method} {path}: {answer}")

    async def _try(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | None:
        url = path if path.startswith("http") else self._doors.edge + path
        try:
            async with self._session.request(
                method, url, json=json, data=data, headers=headers
            ) as response:
                return Answer(status=response.status, body=await response.json(content_type=None))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None

    async def _pause(self, deadline: float, what: str) -> None:
        if time.monotonic() > deadline:
            raise WalkFailed(f"gave up after {PATIENCE_SECONDS:.0f} s: {what}")
        await asyncio.sleep(_PAUSE_SECONDS)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _kiosk() -> str:
    # One kiosk lets in so many guests in ten minutes; a crowd stands at many.
    return f"totem-{random.randint(1, 1000)}"
