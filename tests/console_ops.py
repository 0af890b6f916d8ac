"""An owner at the pages of operations, and short ways to read them."""

import html
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from tests.console_bed import SHOP, Bed, sign_in

OPS = f"/loja/{SHOP}/ops"
REPLAYS = f"{OPS}/replays"
ORDER = str(UUID(int=1))


@pytest.fixture
async def owner(bed: Bed) -> AsyncIterator[aiohttp.ClientSession]:
    async with bed.browser() as browser:
        await sign_in(browser, "boss")
        yield browser


async def text_of(browser: aiohttp.ClientSession, path: str) -> str:
    async with browser.get(path) as got:
        assert got.status == 200, await got.text()
        return html.unescape(await got.text())


def notes(bed: Bed, name: str) -> list[Any]:
    return [body for asked, body in bed.contexts.bodies if asked == f"POST archive {name}"]
