"""What the owner does to a shop that is full of people; each act says what came of it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from comanda.money import Money
from local.demo.client import MenuChanged, Shopper, SoldOut, WalkFailed
from local.demo.day.customers import Counter
from local.demo.day.receipts import Fate
from local.demo.day.sheet import CSV, DISHES, PORTIONS, sheet

_GREEDY = 10
_IN_FLIGHT = 4
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.1
_RISE = Money.parse("2.50")


class Owner:
    """The owner of one shop, at whose counter people stand."""

    def __init__(self, shopper: Shopper, counter: Counter) -> None:
        self._shopper = shopper
        self._counter = counter
        self._shop = counter.shop

    async def import_menu(self) -> str:
        """Import the sheet, dry first; the counter knows the menu then."""
        dry = await self._post_sheet("?is_dry_run=true")
        done = await self._post_sheet("")
        if (dry["added"], done["added"]) != (DISHES, DISHES):
            raise WalkFailed(f"the sheet was not imported: {dry}, {done}")
        await self._counter.read_menu()
        return f"{done['added']} products"

    async def sell_out(self) -> str:
        """Let more people than there are portions want the same dish in the same moment."""
        dish = self._counter.dish()
        wishes = (self._portion(dish) for _ in range(PORTIONS + _GREEDY))
        got = sum(await asyncio.gather(*wishes))
        if got != PORTIONS:
            raise WalkFailed(f"{got} portions were sold of {PORTIONS}")
        return f"{got} of {PORTIONS + _GREEDY} people got one of {PORTIONS} portions"

    async def raise_a_price(self) -> str:
        """Change a price between an order and its payment; the order keeps what was seen."""
        dish = self._counter.dish("Prato 001")
        line = {"product_id": dish["id"], "quantity": 2}
        token = await self._shopper.guest_token(self._shop)
        before = await self._ordered(line, token=token)
        dearer = Money.parse(dish["price"]) + _RISE
        await self._set_price(dish["id"], dearer)
        await self._counter.see_through(before, fate=Fate.EATEN, token=token)
        after = await self._ordered_at(dearer, line)
        if Money.parse(before["lines"][0]["unit_price"]) != Money.parse(dish["price"]):
            raise WalkFailed(f"order {before['id']} was paid at another price than it was seen at")
        return f"R$ {dish['price']} for who had ordered, R$ {after} for the next"

    async def close_for_a_while(self) -> str:
        """Close with orders in flight, which are paid and eaten; open again for who waited."""
        ordering = (self._counter.order_something() for _ in range(_IN_FLIGHT))
        flying = [*await asyncio.gather(*ordering)]
        await self._switch("CLOSED")
        try:
            flying += await self._until_refused()
            await asyncio.gather(
                *(
                    self._counter.see_through(order, fate=Fate.EATEN, token=token)
                    for token, order in flying
                )
            )
        finally:
            await self._switch("OPEN")
        return f"{len(flying)} orders in flight were paid and eaten behind a closed door"

    async def _portion(self, dish: Mapping[str, Any]) -> bool:
        token = await self._shopper.guest_token(self._shop)
        line = {"product_id": dish["id"], "quantity": 1}
        while True:
            try:
                order = await self._counter.order([line], token=token)
            except MenuChanged:
                # The counter has not heard of the dish yet.
                await asyncio.sleep(_PAUSE_SECONDS)
            except SoldOut:
                return False
            else:
                await self._counter.see_through(order, fate=Fate.EATEN, token=token)
                return True

    async def _ordered(self, line: dict[str, Any], *, token: str) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return await self._counter.order([line], token=token)
            except SoldOut:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _ordered_at(self, price: Money, line: dict[str, Any]) -> Money:
        """Order until the new price is that of an order; every order on the way is eaten."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            token = await self._shopper.guest_token(self._shop)
            order = await self._ordered(line, token=token)
            await self._counter.see_through(order, fate=Fate.EATEN, token=token)
            if Money.parse(order["lines"][0]["unit_price"]) == price:
                return price
        raise WalkFailed(f"no order at R$ {price} within {_PATIENCE_SECONDS:.0f} s")

    async def _set_price(self, product_id: str, price: Money) -> None:
        path = f"/apis/catalog/{self._shop}/products/{product_id}"
        found = (await self._shopper.manage(self._shop, "GET", path)).body
        said = ("name", "description", "category", "is_available", "is_stocked", "position")
        body = {name: found[name] for name in said} | {"price": str(price)}
        tag = {"If-Match": f'"{found["version"]}"'}
        answer = await self._shopper.manage(self._shop, "PUT", path, json=body, headers=tag)
        if answer.status != 200:
            raise WalkFailed(f"the price stayed: {answer}")

    async def _switch(self, to: str) -> None:
        path = f"/apis/catalog/{self._shop}/shop/switch"
        answer = await self._shopper.manage(self._shop, "PUT", path, json={"switch": to})
        if answer.status != 200:
            raise WalkFailed(f"the shop is not {to}: {answer}")

    async def _until_refused(self) -> list[tuple[str, dict[str, Any]]]:
        """Order until the door is shut; give what came in before, as anybody's might."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        line = {"product_id": self._counter.dish("Prato 002")["id"], "quantity": 1}
        entered: list[tuple[str, dict[str, Any]]] = []
        while time.monotonic() < deadline:
            token = await self._shopper.guest_token(self._shop)
            answer = await self._shopper.try_to_order(
                self._shop, [line], token=token, key=str(uuid4())
            )
            if answer.status == 409:
                return entered
            order = await self._shopper.order_until(answer.body, token=token, has="pix")
            entered.append((token, order))
        raise WalkFailed("a closed shop goes on taking orders")

    async def _post_sheet(self, query: str) -> dict[str, Any]:
        path = f"/apis/catalog/{self._shop}/menu.csv{query}"
        answer = await self._shopper.manage(self._shop, "POST", path, sheet=sheet(), headers=CSV)
        return answer.body
