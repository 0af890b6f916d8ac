"""A full board: two hundred orders, drawn and changed in a browser, and never a word too much."""

import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from console.screens.board import Frame
from tests.browsers import chromium
from tests.console_bed import PASSWORD, SHOP, Bed, an_order, opened

pytestmark = pytest.mark.timeout(120)
MANY = 200


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        for number in range(1, MANY + 1):
            bed.contexts.put(an_order(number, status=("RECEIVED", "IN_PREPARATION")[number % 2]))
        yield bed


@pytest.fixture
async def page(bed: Bed) -> AsyncIterator[Page]:
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await page.goto(f"{bed.url}/loja/{SHOP}/cozinha")
        await page.fill("[name=usuario]", "cook")
        await page.fill("[name=senha]", PASSWORD)
        await page.click("button.main")
        await expect(page.locator("#live")).to_have_text("Ao vivo", timeout=20_000)
        yield page


async def test_a_full_board_fits_the_wall_and_changes_within_a_blink(bed: Bed, page: Page) -> None:
    await expect(page.locator(".card")).to_have_count(MANY)
    await page.evaluate(
        """() => {
            const board = document.getElementById("board");
            board.addEventListener("htmx:sse:before:message", () => { window.begun = performance.now(); });
            board.addEventListener("htmx:sse:after:message", (event) => {
                if (!event.detail.message.event) window.took = performance.now() - window.begun;
            });
        }"""  # noqa: E501
    )
    order = bed.contexts.orders[an_order(2)["id"]]
    order.update(status="READY", version=2)

    await expect(page.locator("#column-READY .card")).to_have_count(1, timeout=10_000)
    took = await page.evaluate("window.took")
    height = await page.evaluate("document.documentElement.scrollHeight")

    # 0.1 s is promised on a quiet laptop; tests share theirs with others.
    assert took < 500, took
    assert height <= 1080


def test_two_hundred_cards_are_rendered_within_a_tenth_of_a_second() -> None:
    orders = [an_order(number) for number in range(1, MANY + 1)]
    times = []
    for number in range(5):
        frame = Frame(shop=SHOP, number=number, orders=orders, digest=str(number))
        begun = time.perf_counter()
        frame.show("board_columns.html")
        times.append(time.perf_counter() - begun)

    assert min(times) < 0.1


async def test_the_focus_stays_with_a_card_that_moves(bed: Bed, page: Page) -> None:
    order = bed.contexts.orders[an_order(2)["id"]]
    await page.locator(f"[id='o-{order['id']}']").focus()

    order.update(status="READY", version=2)
    await expect(page.locator("#column-READY .card")).to_have_count(1, timeout=10_000)

    assert await page.evaluate("document.activeElement.id") == f"o-{order['id']}"


async def test_a_new_order_rings_and_a_move_does_not(bed: Bed, page: Page) -> None:
    order = bed.contexts.orders[an_order(2)["id"]]
    order.update(status="READY", version=2)
    await expect(page.locator("#column-READY .card")).to_have_count(1, timeout=10_000)
    quiet = await page.evaluate("document.documentElement.dataset.rang || '0'")
    bed.contexts.put(an_order(MANY + 1))
    await expect(page.locator(".card")).to_have_count(MANY + 1, timeout=10_000)
    rang = await page.evaluate("document.documentElement.dataset.rang")

    assert (quiet, rang) == ("0", "1")


async def test_an_old_order_is_red_and_a_young_one_green(bed: Bed, page: Page) -> None:
    young = an_order(MANY + 2)
    await page.clock.install()
    await page.reload()
    now = await page.evaluate("new Date().toISOString()")
    bed.contexts.put({**young, "paid_at": now})
    card = page.locator(f"[id='o-{young['id']}']")

    await expect(card).to_have_attribute("data-age", "fresh", timeout=10_000)
    await page.clock.fast_forward(16 * 60_000)
    await expect(card).to_have_attribute("data-age", "overdue", timeout=10_000)
