"""People at the screens: a customer at the kiosk, cooks at the board, an owner in the office."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, expect

from local.supervisor import System
from tests.browsers import Floor, chromium, violations

pytestmark = pytest.mark.timeout(180)
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
PATIENCE = 20_000


@pytest.fixture
async def floor(system: System) -> AsyncIterator[Floor]:
    async with chromium() as browser:
        yield Floor.of(system, browser)


async def number_on(page: Page) -> str:
    return str(await page.get_attribute("#now", "data-number"))


async def test_an_order_goes_from_the_kiosk_to_the_counter_before_everybodys_eyes(
    floor: Floor,
) -> None:
    board = await floor.staff_page("kitchen", "cozinha")
    other = await board.context.new_page()
    await other.goto(floor.url("cozinha"))
    calls = await board.context.new_page()
    await calls.goto(floor.url("senhas"))
    kiosk = await floor.page("pedir?totem=totem-1")

    code = await floor.order(kiosk, service="Para levar", name="Ana Maria")
    await floor.pay(code)
    paid_at = time.monotonic()
    await expect(kiosk.get_by_text("Pago!")).to_be_visible(timeout=PATIENCE)
    seen_after = time.monotonic() - paid_at
    number = await number_on(kiosk)
    card = board.locator(".card", has=board.locator(f".number:text-is('{number}')"))
    await expect(card).to_contain_text("Viagem", timeout=PATIENCE)
    await card.locator(".step").click()
    await expect(other.locator("#column-IN_PREPARATION")).to_contain_text("Ana Maria")
    await card.locator(".step").click()

    await expect(kiosk.get_by_text("Retire no balcão.")).to_be_visible(timeout=PATIENCE)
    await expect(calls.locator(".ready")).to_contain_text(number)
    await expect(calls.locator(".ready")).not_to_contain_text("Maria")
    # The bank's webhook, our charge and our page are all within this.
    assert seen_after < 5


async def test_a_click_moves_the_card_on_another_screen_at_once(floor: Floor) -> None:
    # A browser each, for a page that another one covers is drawn only now and then.
    board = await floor.staff_page("kitchen", "cozinha")
    other = await floor.staff_page("owner", "cozinha")
    kiosk = await floor.page("pedir?totem=totem-1")
    await floor.pay(await floor.order(kiosk))
    await expect(kiosk.get_by_text("Pago!")).to_be_visible(timeout=PATIENCE)
    number = await number_on(kiosk)
    card = board.locator(".card", has=board.locator(f".number:text-is('{number}')"))
    await expect(card).to_be_visible(timeout=PATIENCE)
    ident = await card.get_attribute("id")
    times = []
    for step, status in (("step", "IN_PREPARATION"), ("back", "RECEIVED")) * 5:
        await board.wait_for_selector(f"[id='{ident}'] .{step}")
        begun = time.monotonic()
        await board.evaluate(f"document.getElementById('{ident}').querySelector('.{step}').click()")
        await other.wait_for_selector(f"[id='{ident}'][data-status={status}]")
        times.append(time.monotonic() - begun)

    # 0.2 s is promised on a quiet laptop; tests share theirs with others.
    assert sorted(times)[len(times) // 2] < 0.5, times


async def test_the_kiosk_works_by_keyboard_alone(floor: Floor) -> None:
    kiosk = await floor.page("pedir?totem=totem-1")

    await reach(kiosk, "Comer aqui")
    await reach(kiosk, "R$")
    await reach(kiosk, "Adicionar")
    await reach(kiosk, "Revisar pedido")
    await reach(kiosk, "Pagar com Pix")

    await expect(kiosk.locator("#code")).to_be_visible(timeout=PATIENCE)


async def reach(page: Page, words: str) -> None:
    """Press Tab until a control of these words has the focus, then Enter."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        text = await page.evaluate("document.activeElement.textContent")
        if words in text and await page.evaluate("document.activeElement.tagName") == "BUTTON":
            await page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab never came to {words!r}")


async def test_a_bump_bar_moves_orders_and_takes_the_last_step_back(floor: Floor) -> None:
    kiosk = await floor.page("pedir?totem=totem-1")
    await floor.pay(await floor.order(kiosk))
    await expect(kiosk.get_by_text("Pago!")).to_be_visible(timeout=PATIENCE)
    board = await floor.staff_page("kitchen", "cozinha")
    first = board.locator("#column-RECEIVED .card").first
    await expect(first.locator("[data-key='1']")).to_be_visible(timeout=PATIENCE)
    ident = await first.get_attribute("id")
    card = board.locator(f"[id='{ident}']")

    await board.keyboard.press("1")
    await expect(card).to_have_attribute("data-status", "IN_PREPARATION", timeout=PATIENCE)
    await board.keyboard.press("0")
    await expect(card).to_have_attribute("data-status", "RECEIVED", timeout=PATIENCE)


async def test_a_kiosk_that_is_left_alone_forgets_the_order(floor: Floor) -> None:
    kiosk = await floor.page("pedir?totem=totem-1")
    await kiosk.clock.install()
    await kiosk.reload()
    await kiosk.get_by_role("button", name="Comer aqui").click()
    await kiosk.locator(".product:visible:enabled").first.click()
    await kiosk.get_by_role("button", name="Adicionar").click()

    await kiosk.clock.run_for(46_000)
    await expect(kiosk.get_by_text("Você ainda está aí?")).to_be_visible()
    await kiosk.get_by_role("button", name="Continuar").click()
    await expect(kiosk.locator("[data-count]").first).to_have_text("1 item")
    await kiosk.clock.run_for(61_000)

    await expect(kiosk.get_by_role("button", name="Comer aqui")).to_be_visible()
    await expect(kiosk.locator("[data-count]").first).to_have_text("0 itens")


async def test_a_board_that_lost_its_line_says_so_and_catches_up(
    floor: Floor, system: System
) -> None:
    board = await floor.staff_page("kitchen", "cozinha")
    await expect(board.locator("#live")).to_have_text("Ao vivo", timeout=PATIENCE)
    await board.context.set_offline(True)
    system.kill("console")
    await expect(board.locator("#live")).to_contain_text("Sem conexão", timeout=PATIENCE)
    kiosk = await floor.page("pedir?totem=totem-1")
    await floor.pay(await floor.order(kiosk))
    await expect(kiosk.get_by_text("Pago!")).to_be_visible(timeout=PATIENCE)
    number = await number_on(kiosk)

    await board.context.set_offline(False)

    await expect(board.locator(f".number:text-is('{number}')")).to_be_visible(timeout=PATIENCE)
    await expect(board.locator("#live")).to_have_text("Ao vivo", timeout=PATIENCE)


async def test_a_customer_gives_up_and_nothing_is_charged(floor: Floor) -> None:
    kiosk = await floor.page("pedir?totem=totem-1")
    await floor.order(kiosk)
    kiosk.on("dialog", lambda dialog: dialog.accept())

    await kiosk.get_by_role("button", name="Desistir do pedido").click()

    await expect(kiosk.get_by_text("Nada foi cobrado.")).to_be_visible(timeout=PATIENCE)


async def test_an_owner_pays_a_part_back_and_cancels_the_rest(floor: Floor) -> None:
    kiosk = await floor.page("pedir?totem=totem-1")
    await floor.pay(await floor.order(kiosk))
    await expect(kiosk.get_by_text("Pago!")).to_be_visible(timeout=PATIENCE)
    number = await number_on(kiosk)
    office = await floor.staff_page("owner", "pedidos")
    office.on("dialog", lambda dialog: dialog.accept())
    await office.fill("[name=senha]", number)
    await office.get_by_role("button", name="Filtrar").click()
    await office.get_by_role("link", name=number, exact=True).click()

    await office.fill("[name=valor]", "1,50")
    await office.locator("form[action$=devolver] [name=motivo]").fill("pouco queijo")
    await office.get_by_role("button", name="Devolver").click()
    await expect(office.get_by_text("Devolução registrada.")).to_be_visible()
    await until(office, "devolvido R$\u00a01,50")
    await office.get_by_role("button", name="Cancelar pedido").click()
    await expect(office.get_by_text("Pedido cancelado.")).to_be_visible()
    await until(office, "Devolvido · ")

    await expect(kiosk.get_by_text("O valor pago volta")).to_be_visible(timeout=PATIENCE)


async def until(page: Page, words: str) -> None:
    """Load the page again until the words are there; the office does not follow by itself."""
    async with asyncio.timeout(PATIENCE / 1000):
        while words not in await page.inner_text("main"):
            await page.wait_for_timeout(300)
            await page.reload()


async def test_what_ran_out_is_off_the_kiosk(floor: Floor) -> None:
    office = await floor.staff_page("manager", "cardapio")
    name = "Pudim de leite"
    switch = office.get_by_role("switch", name=name)
    await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "false")

    kiosk = await floor.page("pedir?totem=totem-1")
    await kiosk.get_by_role("button", name="Comer aqui").click()
    await kiosk.get_by_role("button", name="Sobremesas").click()

    await expect(kiosk.locator(".product", has_text=name)).to_be_disabled()
    await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "true")


@pytest.mark.parametrize("width", [360, 1280])
async def test_no_page_has_a_serious_fault_for_who_cannot_see_or_use_a_mouse(
    floor: Floor, width: int
) -> None:
    size = {"viewport": {"width": width, "height": 800}}
    kiosk = await floor.page("pedir?totem=totem-1", **size)
    found = {"start": await violations(kiosk, AXE)}
    await kiosk.get_by_role("button", name="Comer aqui").click()
    found["menu"] = await violations(kiosk, AXE)
    await kiosk.reload()
    await floor.pay(await floor.order(kiosk))
    await expect(kiosk.get_by_text("Pago!")).to_be_visible(timeout=PATIENCE)
    found["order"] = await violations(kiosk, AXE)
    page = await floor.page("entrar", **size)
    found["sign in"] = await violations(page, AXE)
    office = await floor.staff_page("owner", "pedidos", **size)
    for path in (
        *("cozinha", "senhas", "pedidos", "caixa", "cardapio", "horarios", "pessoas", "equipe"),
    ):
        await office.goto(floor.url(path))
        found[path] = await violations(office, AXE)
        assert await office.evaluate("document.documentElement.scrollWidth") <= width, path
    await office.goto(floor.url("pedidos"))
    await office.locator("tbody a").first.click()
    found["one order"] = await violations(office, AXE)

    assert {where: what for where, what in found.items() if what} == {}


async def test_an_invited_cook_comes_in_with_a_password_of_their_own(
    floor: Floor, system: System
) -> None:
    owner = await floor.staff_page("owner", "pessoas")
    invitation = owner.locator("form[action$='/pessoas']")
    await invitation.locator("[name=usuario]").fill("eva.cozinha")
    await invitation.locator("[name=email]").fill("eva@exemplo.com.br")
    await invitation.get_by_label("Cozinha").check()
    await invitation.locator("[name=motivo]").fill("equipe da noite")
    await invitation.get_by_role("button", name="Convidar").click()
    await expect(owner.get_by_text("Convite enviado")).to_be_visible()
    password = await mailed_password(system, "eva@exemplo.com.br")

    door = await floor.page("entrar")
    await door.fill("[name=usuario]", "eva.cozinha")
    await door.fill("[name=senha]", password)
    await door.locator("summary").click()
    await door.fill("[name=nova]", "Uma-senha-minha-1")
    await door.click("button.main")

    await expect(door.get_by_text("Olá, eva.cozinha")).to_be_visible()
    await expect(door.get_by_role("link", name="Caixa")).to_have_count(0)


async def mailed_password(system: System, email: str) -> str:
    url = f"{system.urls['ministack']}/_ministack/ses/messages"
    async with asyncio.timeout(20), aiohttp.ClientSession() as session:
        while True:
            async with session.get(url) as answer:
                accounts = (await answer.json())["messages"].values()
            for mail in (mail for mails in accounts for mail in mails if mail["To"] == [email]):
                if found := re.search(r"aA1!\S+", mail["BodyText"]):
                    return found[0]
            await asyncio.sleep(0.1)
