"""Every page of customers and office, looked at by axe-core and measured for its width."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from tests.browsers import Floor, violations
from tests.screens_people import PATIENCE

AXE = (Path(__file__).parent / "e2e" / "vendor" / "axe.min.js").read_text()
OFFICE = (
    *("cozinha", "senhas", "pedidos", "caixa", "fechamento", "cardapio", "horarios"),
    *("pessoas", "privacidade", "acesso", "equipe"),
)


async def faults_of(page: Page, *, width: int) -> list[Any]:
    """Look at one page."""
    found: list[Any] = list(await violations(page, AXE))
    wide = await page.evaluate("document.documentElement.scrollWidth")
    return found if wide <= width else [*found, f"{wide} px wide"]


async def faults_at(floor: Floor, *, width: int) -> Mapping[str, Any]:
    """Walk through all pages at a width; give what is wrong, by page."""
    size = {"viewport": {"width": width, "height": 800}}
    found: dict[str, Any] = {}

    async def look(name: str, page: Page) -> None:
        found[name] = await faults_of(page, width=width)

    await _customer(floor, look, size=size)
    office = await floor.staff_page("owner", "pedidos", **size)
    for path in OFFICE:
        await office.goto(floor.url(path))
        await look(path, office)
    await office.goto(floor.url("acesso"))
    await office.get_by_role("button", name="Ligar um aplicativo").click()
    await look("app of codes", office)
    await office.goto(floor.url("pedidos"))
    await office.locator("tbody a").first.click()
    await look("one order", office)
    return {where: what for where, what in found.items() if what}


async def _customer(floor: Floor, look: Any, *, size: Mapping[str, Any]) -> None:
    kiosk = await floor.page("pedir?totem=totem-1", **size)
    await look("start", kiosk)
    await kiosk.get_by_role("button", name="Comer aqui").click()
    await look("menu", kiosk)
    await kiosk.reload()
    await floor.pay(await floor.order(kiosk))
    await expect(kiosk.get_by_text("Pago!")).to_be_visible(timeout=PATIENCE)
    await look("order", kiosk)
    for path in ("entrar", "entrar/senha", "conta/entrar?totem=totem-1", "conta/criar"):
        await kiosk.goto(floor.url(path))
        await look(path, kiosk)
    await kiosk.goto(floor.url("conta/entrar"))
    await kiosk.get_by_label("CPF ou e-mail").fill("ninguem@exemplo.com.br")
    await kiosk.get_by_role("button", name="Receber código").click()
    await look("code", kiosk)
