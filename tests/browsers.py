"""Debian's Chromium, and what people do in it: order at a kiosk, pay, sign in as staff."""

import json
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, async_playwright

from local.provision.context import StaffLogin
from local.supervisor import System

SHOP = "lanchonete-da-ana"
# No request of Chromium's own leaves the machine, and root needs no sandbox of its own.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run Chromium for as long as the block lasts."""
    path = shutil.which("chromium")
    assert path is not None, "the screens are tested in Debian's chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True, kw_only=True)
class Floor:
    """A shop of a running laptop, and a browser to walk into it."""

    browser: Browser
    edge: str
    bank: str
    staff: Sequence[StaffLogin]

    @classmethod
    def of(cls, system: System, browser: Browser) -> "Floor":
        """Find the doors of a running laptop."""
        urls = system.urls
        return cls(browser=browser, edge=urls["edge"], bank=urls["mercadopago"], staff=system.staff)

    def url(self, path: str) -> str:
        """Give the address of a page of the shop."""
        return f"{self.edge}/loja/{SHOP}/{path}"

    async def page(self, path: str, **options: Any) -> Page:
        """Open a page in a browser of its own."""
        settings = {"locale": "pt-BR", "viewport": {"width": 1280, "height": 900}, **options}
        context = await self.browser.new_context(**settings)
        page = await context.new_page()
        await page.goto(self.url(path))
        return page

    async def staff_page(self, group: str, path: str, **options: Any) -> Page:
        """Sign in as somebody of the group and open a page."""
        login = next(s for s in self.staff if s.shop == SHOP and group in s.groups)
        page = await self.page(path, **options)
        await page.fill("[name=usuario]", login.username)
        await page.fill("[name=senha]", login.password)
        await page.click("button.main")
        await page.wait_for_url(f"**/{path}")
        return page

    async def order(self, page: Page, *, service: str = "Comer aqui", name: str = "") -> str:
        """Order one thing at a kiosk; give the Pix code that is shown."""
        await page.get_by_role("button", name=service).click()
        await page.locator(".product:visible:enabled").first.click()
        await page.get_by_role("button", name="Adicionar").click()
        await page.get_by_role("button", name="Revisar pedido").click()
        await page.fill("#checkout [name=name]", name)
        await page.get_by_role("button", name="Pagar com Pix").click()
        shown = page.locator("#code, #fault:not(:empty)").first
        await shown.wait_for(timeout=20_000)
        assert await page.locator("#code").count(), await page.inner_text("main")
        return await page.input_value("#code")

    async def pay(self, code: str) -> None:
        """Pay a Pix code in the bank."""
        async with aiohttp.ClientSession() as session:
            url = f"{self.bank}/__sim/pay"
            async with session.post(url, json={"pix_code": code}) as answer:
                assert answer.status == 200, await answer.text()


async def violations(page: Page, axe: str) -> list[Mapping[str, Any]]:
    """Let axe-core look at a page; give what is serious or worse."""
    await page.evaluate(axe)
    found = json.loads(
        await page.evaluate(
            "axe.run({resultTypes: ['violations']}).then((r) => JSON.stringify(r.violations))"
        )
    )
    return [
        {"id": each["id"], "nodes": [node["html"] for node in each["nodes"]]}
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
