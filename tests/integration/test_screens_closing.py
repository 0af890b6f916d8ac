"""The owner's closing of a day over real HTTP."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.console_bed import SHOP, Bed, opened, sign_in
from tests.console_closing import MOVED, told_charge, told_day, told_order

PAGE = f"/loja/{SHOP}/fechamento"


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        fine, odd = told_order(1), told_order(2)
        charges = [told_charge(fine), told_charge(odd, charged="0.00", status="WAITING")]
        bed.contexts.answers |= {
            "GET orders closing": told_day([fine, odd]),
            "GET payments closing/charges": {"charges": charges, "next": None},
            "GET payments closing/movements": MOVED,
        }
        yield bed


@pytest.fixture
async def owner(bed: Bed) -> AsyncIterator[aiohttp.ClientSession]:
    async with bed.browser() as browser:
        await sign_in(browser, "boss")
        yield browser


async def test_a_day_is_shown_with_its_difference_and_the_reason(
    owner: aiohttp.ClientSession,
) -> None:
    page = await (await owner.get(f"{PAGE}?dia=2026-11-20")).text()

    for words in (
        "Fechamento de 20/11/2026",
        "R$\u00a099,60",
        "não conferem em 1 pedido",
        "no livro não há dinheiro dele",
        "X-Salada",
        "?dia=2026-11-19",
        "não informou a tarifa",
    ):
        assert words in page


async def test_a_day_that_agrees_says_so(bed: Bed, owner: aiohttp.ClientSession) -> None:
    fine = told_order(1)
    bed.contexts.answers["GET orders closing"] = told_day([fine])
    bed.contexts.answers["GET payments closing/charges"] = {
        "charges": [told_charge(fine, fee="0.49")],
        "next": None,
    }

    page = await (await owner.get(PAGE)).text()

    assert "Conferem: o que os pedidos dizem" in page
    assert "não conferem" not in page
    assert "R$\u00a049,31" in page


@pytest.mark.parametrize("typed", ["ontem", "0001-01-01", "9999-12-31", "2026-13-01"])
async def test_what_is_no_day_of_a_shop_is_today(owner: aiohttp.ClientSession, typed: str) -> None:
    answer = await owner.get(f"{PAGE}?dia={typed}")

    assert answer.status == 200


async def test_the_sheet_is_named_by_shop_and_day(owner: aiohttp.ClientSession) -> None:
    answer = await owner.get(f"{PAGE}/planilha.csv?dia=2026-11-20")
    content = await answer.read()

    assert f"fechamento-{SHOP}-2026-11-20.csv" in answer.headers["Content-Disposition"]
    assert content.startswith(b"\xef\xbb\xbf")
    assert "Vendas pagas;;99,60" in content.decode("utf-8-sig")


async def test_cooks_do_not_close_the_day_and_an_outage_is_told(bed: Bed) -> None:
    async with bed.browser() as browser:
        await sign_in(browser, "cook")
        refused = await browser.get(PAGE)
        sheet = await browser.get(f"{PAGE}/planilha.csv")
    async with bed.browser() as browser:
        await sign_in(browser, "chief")
        bed.contexts.statuses["GET payments closing/charges"] = 503
        away = await browser.get(PAGE)

    assert (refused.status, sheet.status) == (403, 403)
    assert away.status == 503
