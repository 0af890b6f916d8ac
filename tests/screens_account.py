"""Contexts that know Maria, her phone, and short ways to sign in."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from tests.console_bed import NOW, SHOP, Bed, an_order, jwt, opened

BASE = f"/loja/{SHOP}"
PROFILE = {
    "name": "Maria <b>Silva</b>",
    "email": "maria@exemplo.com.br",
    "birth_date": "1990-02-28",
    "registered_at": NOW.isoformat(),
}
RECEIPT = {"protocol": str(UUID(int=77)), "requested_at": NOW.isoformat()}


def tokens(serial: int, *, lasting: int = 900) -> dict[str, Any]:
    token = jwt("maria", [], serial=serial)
    return {
        "access_token": token,
        "refresh_token": f"refresh-maria-{serial}",
        "expires_in": lasting,
    }


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        bed.contexts.answers |= {
            "POST auth challenges": {"session": "asked"},
            "POST auth customers": {"status": "accepted", "session": "new"},
            "POST auth tokens": tokens(1),
            "GET auth me": PROFILE,
            "GET auth me/export": {"identity": PROFILE},
            "DELETE auth me": RECEIPT,
            "DELETE auth me/sessions": {},
            "GET orders orders": {"orders": [an_order(status="COMPLETED")], "cursor": None},
        }
        yield bed


@pytest.fixture
async def phone(bed: Bed) -> AsyncIterator[aiohttp.ClientSession]:
    async with bed.browser() as browser:
        yield browser


async def post(browser: aiohttp.ClientSession, path: str, **form: str) -> aiohttp.ClientResponse:
    return await browser.post(f"{BASE}/{path}", data=form, allow_redirects=False)


async def sign_in(browser: aiohttp.ClientSession, *, totem: str = "") -> aiohttp.ClientResponse:
    return await post(browser, "conta/entrar", sessao="asked", codigo="123 456", totem=totem)


async def csrf(browser: aiohttp.ClientSession) -> str:
    text = await (await browser.get(f"{BASE}/conta")).text()
    return text.partition('name="csrf" value="')[2].partition('"')[0]


def bodies(bed: Bed, name: str) -> list[Any]:
    return [body for asked, body in bed.contexts.bodies if asked == name]
