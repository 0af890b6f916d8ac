"""Whoever pays when the time is up: the code expires at the bank, and money comes all the same."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from local.demo.client import Shopper, WalkFailed

_OPEN = frozenset({"CREATING", "WAITING", "UNKNOWN"})
_LOOKS, _BETWEEN_LOOKS = 40, 0.5


class Latecomers:
    """Lets a charge expire in the simulator and pays it then; Comanda must send the money back."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        shopper: Shopper,
        *,
        bank: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sleep = sleep
        self._session = session
        self._shopper = shopper
        self._bank = bank.rstrip("/")

    async def pay_too_late(self, order: dict[str, Any]) -> None:
        """Let the order's charge expire, and pay it; raise `WalkFailed` if the bank will not."""
        charge = await self._charge(order)
        # What somebody has cancelled meanwhile cannot expire any more, and is paid late as well.
        await self._ask("expire", {"id": charge["provider_id"]}, fine=(200, 409))
        # Money that comes before Comanda has heard of the end is in time, for nobody was told.
        for _ in range(_LOOKS):
            if charge["status"] not in _OPEN:
                break
            await self._sleep(_BETWEEN_LOOKS)
            charge = await self._charge(order)
        body = {"id": charge["provider_id"], "late": True}
        await self._ask("pay", body, fine=(200, 409))

    async def _charge(self, order: dict[str, Any]) -> dict[str, Any]:
        path = f"/apis/payments/{order['shop_id']}/charges?order_id={order['id']}"
        charges = (await self._shopper.as_staff(order["shop_id"], path))["charges"]
        made: list[dict[str, Any]] = [it for it in charges if it["provider_id"]]
        if not made:
            raise WalkFailed(f"order {order['id']} has no charge that could expire")
        return made[-1]

    async def _ask(self, name: str, body: dict[str, Any], *, fine: tuple[int, ...]) -> None:
        try:
            async with self._session.post(f"{self._bank}/_control/{name}", json=body) as got:
                status = got.status
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise WalkFailed(f"the bank: {type(exc).__name__}") from exc
        if status not in fine:
            raise WalkFailed(f"the bank says {status} to {name}")
