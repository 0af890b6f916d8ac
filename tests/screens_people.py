"""What people do beside the screens: wait, read their mail, look at their app of codes."""

import asyncio
import base64
import hmac
import re
import struct

import aiohttp
from playwright.async_api import Page, expect

from local.demo.people import Person
from local.supervisor import System

PATIENCE = 20_000


async def until(page: Page, words: str) -> None:
    """Load the page again until the words are there."""
    async with asyncio.timeout(PATIENCE / 1000):
        while words not in await page.inner_text("main"):
            await page.wait_for_timeout(300)
            await page.reload()


async def back(system: System, name: str) -> None:
    """Wait until a process that died is ready again."""
    async with asyncio.timeout(60):
        while not system.processes[name].is_ready:  # The supervisor tells nobody.
            await asyncio.sleep(0.1)


async def reach(page: Page, words: str) -> None:
    """Press Tab until a control of these words has the focus, then Enter."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        text = await page.evaluate("document.activeElement.textContent")
        if words in text and await page.evaluate("document.activeElement.tagName") == "BUTTON":
            await page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab never came to {words!r}")


async def knock(door: Page, username: str, *, password: str, **more: str) -> None:
    """Type what the staff's door asks for."""
    await door.fill("[name=usuario]", username)
    await door.fill("[name=senha]", password)
    for name, value in more.items():
        if not await door.locator("details[open]").count():
            await door.locator("summary").click()
        await door.fill(f"[name={name}]", value)
    await door.click("button.main")


async def mailed(system: System, email: str, pattern: str, *, but: str = "") -> str:
    """Wait for a mail that holds the pattern; give what matched, unless it is `but`."""
    url = f"{system.urls['ministack']}/_ministack/ses/messages"
    async with asyncio.timeout(20), aiohttp.ClientSession() as session:
        while True:
            async with session.get(url) as answer:
                accounts = (await answer.json())["messages"].values()
            mails = [mail for mails in accounts for mail in mails if mail["To"] == [email]]
            for mail in reversed(mails):
                found = re.search(pattern, mail["BodyText"])
                if found and found[0] != but:
                    return found[0]
            await asyncio.sleep(0.1)


async def code_typed(page: Page, system: System, person: Person, *, but: str = "") -> str:
    """Ask for a code, type the one that was mailed, and give it."""
    await page.get_by_role("button", name="Receber código").click()
    await expect(page.get_by_role("textbox", name="Código")).to_be_focused()
    code = await mailed(system, person.email, r"\b[0-9]{6}\b", but=but)
    await page.get_by_role("textbox", name="Código").fill(code)
    await page.get_by_role("button", name="Entrar").click()
    return code


async def number_on(page: Page) -> str:
    """Give the call number that the page shows."""
    return str(await page.get_attribute("#now", "data-number"))


def app_code(secret: str, *, at: float) -> str:
    """Compute what an app shows at an instant (RFC 6238)."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(at) // 30), "sha1").digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
