"""From the click on a card to the card moved on every open board, over HTTP streams."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from local.demo.doors import Doors, StaffLogin

_PATIENCE = 10.0


@dataclass(kw_only=True, slots=True)
class Waits:
    """Seconds: until a click was answered, and until each board showed what it did."""

    answered: list[float] = field(default_factory=list)
    moved: list[float] = field(default_factory=list)


async def push(doors: Doors, *, shop: str, orders: list[str], boards: int) -> Waits:
    """Let the kitchen start these paid orders, one click at a time, before so many open boards."""
    waits = Waits()
    async with _signed_in(doors, shop=shop) as browser, AsyncExitStack() as stack:
        headers = {"X-CSRF": await _csrf_of(browser, shop=shop)}
        eyes = [
            await stack.enter_async_context(_looking(browser, shop=shop)) for _ in range(boards)
        ]
        for order in orders:
            # Whole fragments: what a board shows is the card in the column where it belongs.
            wanted = f'id="o-{order}" tabindex="0" data-status="IN_PREPARATION"'
            seen = [asyncio.create_task(eye.until(wanted)) for eye in eyes]
            path = f"/loja/{shop}/cozinha/pedidos/{order}/start"
            began = time.perf_counter()
            async with browser.post(path, headers=headers) as answer:
                await answer.read()
                answer.raise_for_status()
            waits.answered.append(time.perf_counter() - began)
            async with asyncio.timeout(_PATIENCE):
                waits.moved += [moment - began for moment in await asyncio.gather(*seen)]
    return waits


class Eye:
    """One open board: it remembers what it hears, and hears all the time."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def until(self, text: str) -> float:
        """Give the moment at which a line with this text came."""
        while True:
            line = (await self._answer.content.readline()).decode()
            if not line:
                raise RuntimeError("a board's stream ended before its card had moved")
            if text in line:
                return time.perf_counter()


@asynccontextmanager
async def _looking(browser: aiohttp.ClientSession, *, shop: str) -> AsyncIterator[Eye]:
    async with browser.get(f"/loja/{shop}/cozinha/aovivo") as answer:
        answer.raise_for_status()
        yield Eye(answer)


@asynccontextmanager
async def _signed_in(doors: Doors, *, shop: str) -> AsyncIterator[aiohttp.ClientSession]:
    login: StaffLogin = doors.kitchens[shop]
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=doors.edge)
    form = {"usuario": login.username, "senha": login.password, "para": ""}
    async with aiohttp.ClientSession(
        doors.edge,
        cookie_jar=jar,
        headers={"Sec-Fetch-Site": "same-origin"},
        connector=aiohttp.TCPConnector(limit=0),
        read_bufsize=2**20,
    ) as session:
        async with session.post(f"/loja/{shop}/entrar", data=form, allow_redirects=False) as got:
            if got.status != 303:
                raise RuntimeError(f"the kitchen could not sign in: {got.status}")
        yield session


async def _csrf_of(browser: aiohttp.ClientSession, *, shop: str) -> str:
    async with browser.get(f"/loja/{shop}/equipe") as answer:
        text = await answer.text()
    return text.partition('name="csrf" content="')[2].partition('"')[0]
