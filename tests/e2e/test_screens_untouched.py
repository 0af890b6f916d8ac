"""Pages that nobody touches: a kiosk forgets who signed in, a list follows, a difference is red."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browsers import chromium
from tests.console_bed import MENU, NOW, PASSWORD, SHOP, Bed, an_order, jwt, opened
from tests.console_closing import MOVED, told_charge, told_day, told_order
from tests.screens_people import knock
from tests.screens_walk import faults_of

pytestmark = pytest.mark.timeout(120)
TOKENS = {"access_token": jwt("maria", [], serial=1), "refresh_token": "r", "expires_in": 900}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        bed.contexts.answers |= {
            "POST auth challenges": {"session": "asked"},
            "POST auth tokens": TOKENS,
            "GET auth me": {"name": "Maria da Silva", "email": "m@x.br"},
            "GET catalog menu": {"products": MENU, "is_open": True},
            "GET orders orders": {"orders": [an_order(1, status="RECEIVED")], "cursor": None},
        }
        yield bed


async def page_of(browser: Browser, bed: Bed, path: str, *, width: int = 1280) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": 800}, locale="pt-BR")
    await page.clock.install(time=NOW)
    await page.goto(f"{bed.url}/loja/{SHOP}/{path}")
    return page


async def test_a_kiosk_forgets_who_signed_in_and_walked_away(browser: Browser, bed: Bed) -> None:
    kiosk = await page_of(browser, bed, "conta/entrar?totem=totem-1")
    await kiosk.get_by_label("CPF ou e-mail").fill("maria@exemplo.com.br")
    await kiosk.keyboard.press("Enter")
    await kiosk.get_by_role("textbox", name="Código").fill("123456")
    await kiosk.keyboard.press("Enter")
    await expect(kiosk.get_by_text("Olá, Maria!")).to_be_visible()

    await kiosk.clock.run_for(46_000)
    await expect(kiosk.get_by_text("Você ainda está aí?")).to_be_visible()
    await kiosk.clock.run_for(16_000)

    await kiosk.wait_for_url("**/pedir?totem=totem-1")
    await expect(kiosk.get_by_text("Faça seu pedido")).to_be_visible()
    await expect(kiosk.get_by_text("Maria")).to_have_count(0)
    cookies = {cookie["name"] for cookie in await kiosk.context.cookies()}
    assert "__Secure-customer" not in cookies


async def test_a_code_that_nobody_types_leaves_the_kiosk_to_the_next(
    browser: Browser, bed: Bed
) -> None:
    kiosk = await page_of(browser, bed, "conta/criar?totem=totem-1")
    await kiosk.get_by_role("textbox", name="Nome").fill("Maria da Silva")

    await kiosk.clock.run_for(61_000)

    await kiosk.wait_for_url("**/pedir?totem=totem-1")
    assert "POST auth customers" not in bed.contexts.asked


async def test_todays_orders_follow_by_themselves(browser: Browser, bed: Bed) -> None:
    office = await page_of(browser, bed, "pedidos")
    await knock(office, "boss", password=PASSWORD)
    await expect(office.locator("tbody")).to_contain_text("Recebido")
    async with office.expect_response("**/pedidos/lista*") as same:
        await office.clock.run_for(5_100)
    assert (await same.value).ok
    bed.contexts.answers["GET orders orders"] = {
        "orders": [an_order(1, status="READY"), an_order(2, status="RECEIVED")],
        "cursor": None,
    }

    async with office.expect_response("**/pedidos/lista*"):
        await office.clock.run_for(5_100)

    await expect(office.locator("tbody tr")).to_have_count(2)
    await expect(office.locator("tbody tr").first).to_contain_text("Pronto")


@pytest.mark.parametrize("width", [360, 1280])
async def test_a_difference_is_shown_in_red_to_everybody(
    browser: Browser, bed: Bed, width: int
) -> None:
    fine, odd = told_order(1), told_order(2)
    strange = told_charge(told_order(3))
    charges = [told_charge(fine), told_charge(odd, charged="1234567.89"), strange]
    bed.contexts.answers |= {
        "GET orders closing": told_day([fine, odd]),
        "GET payments closing/charges": {"charges": charges, "next": None},
        "GET payments closing/movements": MOVED,
    }
    office = await page_of(browser, bed, "fechamento", width=width)
    await knock(office, "boss", password=PASSWORD)
    await expect(office.get_by_role("alert")).to_contain_text("não conferem em 2 pedido")

    assert await faults_of(office, width=width) == []
    colour = await office.get_by_role("alert").evaluate("e => getComputedStyle(e).color")
    assert colour == "rgb(179, 38, 30)"
    await expect(office.locator("tbody").first).to_contain_text("o pedido não existe")
