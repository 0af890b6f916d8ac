"""On a laptop: what payers, the provider or fate do to a charge, by the simulator's own doors."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from comanda.ids import ShopId

log = logging.getLogger(__name__)
_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
LONGEST_OUTAGE = 120
FASTEST = 3600
JSON = Mapping[str, Any]


class NotSimulated(Exception):
    """The simulator said no, or did not answer; the text says why."""


class Simulator:
    """The simulator at an address; an outage that is begun here ends by itself."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._outages: set[asyncio.Task[None]] = set()
        self.acts: Mapping[str, Callable[[ShopId, str], Awaitable[str]]] = {
            "pay": self._pay,
            "twice": self._pay_twice,
            "expire": self._expire,
            "late": self._pay_late,
            "lose": self._lose_the_webhook,
            "storm": self._tell_five_times,
            "forge": self._forge,
        }

    async def clock(self) -> JSON:
        """Tell the simulator's time and its speed."""
        return await self._ask("GET", "clock")

    async def faults(self, shop: ShopId) -> list[JSON]:
        """List the faults that stand for a shop."""
        found = (await self._ask("GET", "faults"))["faults"]
        return [it for it in found if it["shop"] in (None, shop)]

    async def run_at(self, speed: float) -> str:
        """Let time run faster or slower for all shops; 0.1 to 3600."""
        if not 0.1 <= speed <= FASTEST:
            raise NotSimulated(f"a speed is 0.1 to {FASTEST}")
        await self._ask("POST", "clock", {"speed": speed})
        return f"Time runs {speed:g} times as fast, for all shops."

    async def be_down(self, shop: ShopId, *, seconds: float) -> str:
        """Let the provider answer 503 to a shop for 1 to 120 seconds."""
        if not 1 <= seconds <= LONGEST_OUTAGE:
            raise NotSimulated(f"an outage is 1 to {LONGEST_OUTAGE} seconds")
        fault = await self._fault("error", shop, value=503)
        ending = asyncio.create_task(self._end(fault, after=seconds), name="outage")
        self._outages.add(ending)
        ending.add_done_callback(self._outages.discard)
        return f"The provider is down for {seconds:g} s."

    async def mend(self, shop: ShopId) -> str:
        """Take back the faults that stand for a shop alone."""
        mine = [it for it in await self.faults(shop) if it["shop"] == shop]
        for it in mine:
            await self._ask("DELETE", f"faults/{it['id']}")
        return f"{len(mine)} faults taken back."

    async def close(self) -> None:
        """End the outages that are under way."""
        for task in self._outages:
            task.cancel()
        await asyncio.gather(*self._outages, return_exceptions=True)

    async def _pay(self, _: ShopId, charge: str) -> str:
        await self._ask("POST", "pay", {"id": charge})
        return "Paid."

    async def _pay_twice(self, _: ShopId, charge: str) -> str:
        await self._ask("POST", "pay", {"id": charge}, fine=(409,))
        await self._ask("POST", "pay", {"id": charge, "again": True})
        return "Paid a second time."

    async def _expire(self, _: ShopId, charge: str) -> str:
        await self._ask("POST", "expire", {"id": charge})
        return "Its time is up. Pay late once the journey shows it, else nobody saw it expire."

    async def _pay_late(self, _: ShopId, charge: str) -> str:
        await self._ask("POST", "pay", {"id": charge, "late": True})
        return "Paid after its time was up; the money should go back by itself."

    async def _lose_the_webhook(self, shop: ShopId, charge: str) -> str:
        await self._fault("webhook_never", shop, count=1)
        await self._ask("POST", "pay", {"id": charge})
        return "Paid, and its webhook is lost."

    async def _tell_five_times(self, shop: ShopId, charge: str) -> str:
        await self._fault("webhook_out_of_order", shop, count=2, value=5)
        await self._ask("POST", "redeliver", {"id": charge, "times": 5})
        return "Told five times, two of them held back until later ones were told."

    async def _forge(self, shop: ShopId, charge: str) -> str:
        await self._fault("webhook_wrong_secret", shop, count=1)
        await self._ask("POST", "redeliver", {"id": charge})
        return "Told once, signed with a stranger's secret."

    async def _fault(self, kind: str, shop: ShopId, **more: Any) -> str:
        return str((await self._ask("POST", "faults", {"kind": kind, "shop": shop, **more}))["id"])

    async def _end(self, fault: str, *, after: float) -> None:
        try:
            await asyncio.sleep(after)
        finally:
            # A console that stops before the outage ends takes it along.
            try:
                await self._ask("DELETE", f"faults/{fault}", fine=(404,))
            except NotSimulated as exc:
                log.warning("an outage was not ended", extra={"reason": str(exc)})

    async def _ask(
        self, method: str, path: str, body: JSON | None = None, *, fine: tuple[int, ...] = ()
    ) -> JSON:
        try:
            async with self._session.request(
                method, f"{self._url}/_control/{path}", json=body, timeout=_TIMEOUT
            ) as got:
                content: JSON = await got.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            raise NotSimulated(f"the simulator did not answer: {type(exc).__name__}") from exc
        if got.status >= 400 and got.status not in fine:
            raise NotSimulated(f"the simulator says: {content.get('error', got.status)}")
        return content
