"""What owners and managers see and do: orders, money, the menu, the week."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from comanda.money import InvalidMoney
from console.screens.office_orders import typed_amount
from tests.console_bed import MENU, NOW, SHOP, Bed, an_order, csrf_of, opened, sign_in
from tests.console_office import CASE, CHARGE, ENTRY, PAID, PRODUCT, REPORT, RULES, TOTALS

BASE = f"/loja/{SHOP}"


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        products = [{**MENU[0], "id": PRODUCT, "is_removed": False, "is_stocked": True}]
        notice = {
            "event_id": "e",
            "topic": "order",
            "verdict": "applied",
            "doubt": None,
            "charge_id": CHARGE,
            "received_at": NOW.isoformat(),
        }
        bed.contexts.answers |= {
            "GET payments charges": {"charges": [PAID]},
            f"GET payments charges/{CHARGE}/ledger": {"entries": [ENTRY]},
            f"GET payments charges/{CHARGE}/refunds": {"refunds": []},
            "GET payments notifications": {"notifications": [notice]},
            "GET payments totals": TOTALS,
            "GET payments reconciliation": REPORT,
            "GET payments cases": {"cases": [CASE]},
            "GET catalog products": {"products": products},
            "GET catalog stock": {"levels": [{"product_id": PRODUCT, "left": 5}]},
            "GET catalog shop": RULES,
            "PUT catalog shop": RULES,
            "PUT catalog shop/switch": RULES,
            f"PUT catalog products/{PRODUCT}/availability": {},
            f"POST payments charges/{CHARGE}/refunds": {},
            "POST payments cases/7/resolution": {},
        }
        order = bed.contexts.put(an_order())
        bed.contexts.answers[f"POST orders orders/{order['id']}/cancel"] = order
        bed.contexts.answers["GET orders orders"] = {"orders": [order], "cursor": "next"}
        yield bed


@pytest.fixture
async def owner(bed: Bed) -> AsyncIterator[aiohttp.ClientSession]:
    async with bed.browser() as browser:
        await sign_in(browser, "boss")
        yield browser


async def send(browser: aiohttp.ClientSession, path: str, **form: str) -> aiohttp.ClientResponse:
    token = await csrf_of(browser)
    data = {"csrf": token, **form}
    return await browser.post(f"{BASE}/{path}", data=data, allow_redirects=False)


def sent(bed: Bed, name: str) -> Any:
    found = [body for asked, body in bed.contexts.bodies if asked == name]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("path", ["pedidos", f"pedidos/{UUID(int=1)}", "caixa", "horarios"])
async def test_cooks_do_not_see_the_office(bed: Bed, path: str) -> None:
    async with bed.browser() as browser:
        await sign_in(browser, "cook")
        answer = await browser.get(f"{BASE}/{path}")
        menu = await browser.get(f"{BASE}/cardapio")

    assert answer.status == 403
    assert menu.status == 200
    shown = await menu.text()
    assert "Planilha" not in shown
    assert f'href="{BASE}/caixa"' not in shown


async def test_orders_are_listed_with_their_waiting_time_and_filters_reach_orders(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    page = await (await owner.get(f"{BASE}/pedidos?dia=2026-11-20&status=READY&senha=7")).text()
    sloppy = await owner.get(f"{BASE}/pedidos?dia=ontem&status=X&senha=-1")

    assert "1 min" in page
    assert "R$\u00a049,80" in page
    assert "cursor=next" in page
    assert sloppy.status == 200


async def test_an_order_is_shown_with_its_money(owner: aiohttp.ClientSession) -> None:
    page = await (await owner.get(f"{BASE}/pedidos/{UUID(int=1)}")).text()

    for words in ("Senha 1", "vazio: R$\u00a040,00", "webhook", "1 aviso(s)", "Cancelar pedido"):
        assert words in page


async def test_cancelling_names_its_reason(bed: Bed, owner: aiohttp.ClientSession) -> None:
    path = f"pedidos/{UUID(int=1)}/cancelar"
    without = await send(owner, path, motivo="because")
    good = await send(owner, path, motivo="closing", nota="faltou luz")

    assert without.headers["location"].endswith("aviso=recusado")
    assert good.headers["location"].endswith("aviso=cancelado")
    body = sent(bed, f"POST orders orders/{UUID(int=1)}/cancel")
    assert body == {"reason": "closing", "note": "faltou luz"}


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("1.234,56", "1234.56"), ("12,5", "12.50"), ("R$ 12", "12.00"), ("12.50", "12.50")],
)
def test_amounts_are_read_as_people_type_them(typed: str, amount: str) -> None:
    assert str(typed_amount(typed)) == amount


@pytest.mark.parametrize("typed", ["", "-1", "1,234", "1e3", "doze", "1,2,3"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(InvalidMoney):
        typed_amount(typed)


async def test_a_refund_carries_its_forms_own_key(bed: Bed, owner: aiohttp.ClientSession) -> None:
    path, key = f"pedidos/{UUID(int=1)}/devolver", str(UUID(int=9))
    form = {"cobranca": CHARGE, "chave": key, "motivo": "pouco queijo"}
    wrong = await send(owner, path, **form, valor="muito")
    good = await send(owner, path, **form, valor="1,50")

    assert wrong.headers["location"].endswith("aviso=recusado")
    assert good.headers["location"].endswith("aviso=devolvido")
    body = sent(bed, f"POST payments charges/{CHARGE}/refunds")
    assert body == {"reason": "pouco queijo", "amount": "1.50"}


async def test_a_change_that_came_too_late_is_told(bed: Bed, owner: aiohttp.ClientSession) -> None:
    del bed.contexts.answers[f"POST orders orders/{UUID(int=1)}/cancel"]
    bed.contexts.refusal = (409, {"title": "too late"})

    answer = await send(owner, f"pedidos/{UUID(int=1)}/cancelar", motivo="closing")

    assert answer.headers["location"].endswith("aviso=mudou")


async def test_the_three_numbers_and_the_open_cases_are_shown(
    owner: aiohttp.ClientSession,
) -> None:
    page = await (await owner.get(f"{BASE}/caixa?horas=168")).text()

    for words in ("R$\u00a012.345,60", ">41<", "Pago duas vezes", "ver o pedido", "sweep"):
        assert words in page


async def test_a_case_is_closed_with_a_reason(bed: Bed, owner: aiohttp.ClientSession) -> None:
    answer = await send(owner, "caixa/casos/7/resolver", motivo=" devolvido no painel ")

    assert answer.headers["location"].endswith("aviso=resolvido")
    body = sent(bed, "POST payments cases/7/resolution")
    assert body == {"reason": "devolvido no painel"}


async def test_what_ran_out_is_switched_off_by_anybody_of_the_crew(bed: Bed) -> None:
    async with bed.browser() as browser:
        await sign_in(browser, "cook")
        page = await (await browser.get(f"{BASE}/cardapio")).text()
        path = f"cardapio/produtos/{PRODUCT}/disponivel"
        answer = await send(browser, path, disponivel="nao")

    assert "5 em estoque" in page
    assert answer.status == 303
    body = sent(bed, f"PUT catalog products/{PRODUCT}/availability")
    assert body == {"is_available": False}


async def test_the_week_is_replaced_under_the_version_that_was_seen(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    page = await (await owner.get(f"{BASE}/horarios")).text()
    week = {"abre-0-1": "11:00", "fecha-0-1": "15:00", "abre-6-1": "18:00", "fecha-6-1": "02:00"}
    rest = {"abre-1-1": "", "fecha-1-1": "", "versao": "3", "maximo": "20", "inicio": "4"}
    good = await send(owner, "horarios", **week, **rest, chave="BY_HOURS")
    half = await send(owner, "horarios", **{**week, "fecha-0-1": ""}, **rest)

    assert 'value="11:00"' in page
    assert good.headers["location"].endswith("aviso=horarios")
    assert half.headers["location"].endswith("aviso=recusado")
    body = sent(bed, "PUT catalog shop")
    assert body["hours"] == [
        {"weekday": 0, "opens": "11:00", "closes": "15:00"},
        {"weekday": 6, "opens": "18:00", "closes": "02:00"},
    ]
    assert (body["most_in_flight"], body["day_begins_at"]) == (20, 4)


async def test_a_sheet_is_checked_before_it_is_imported(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    fault = {"row": 2, "field": "price", "message": "<b>no</b>"}
    outcome = {"added": 1, "changed": 0, "unchanged": 9, "faults": []}
    headers = {"X-CSRF": await csrf_of(owner), "Content-Type": "text/csv"}
    path = f"{BASE}/cardapio/planilha.csv"
    bed.contexts.answers["POST catalog menu.csv"] = {**outcome, "faults": [fault]}
    wrong = await (await owner.post(path, data="1", headers=headers)).text()
    bed.contexts.answers["POST catalog menu.csv"] = outcome
    good = await (await owner.post(path, data="1", headers=headers)).text()

    assert "Linha 2" in wrong
    assert "<b>no</b>" not in wrong
    assert "data-fine" in good
    assert "data-fine" not in wrong


async def test_an_order_of_no_id_is_no_page(owner: aiohttp.ClientSession) -> None:
    shown = await owner.get(f"{BASE}/pedidos/..%2f..%2fadmin")
    named = await owner.get(f"{BASE}/pedidos/nada")

    assert (shown.status, named.status) == (404, 404)


async def test_only_owners_manage_the_staff_and_each_change_has_its_reason(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    cook = {"username": "rui", "email": "rui@x.br", "groups": ["kitchen"], "is_enabled": True}
    act = {"at": NOW.isoformat(), "who": "boss", "what": "staff.invited", "whom": "rui"}
    bed.contexts.answers |= {
        "GET auth staff": {"staff": [cook, {**cook, "username": "boss"}]},
        "GET auth staff/audit": {"acts": [{**act, "why": "<i>férias</i>"}]},
        "PATCH auth staff/members/rui": cook,
        "POST auth staff": cook,
    }
    async with bed.browser() as browser:
        await sign_in(browser, "chief")
        refused = await browser.get(f"{BASE}/pessoas")
    page = await (await owner.get(f"{BASE}/pessoas")).text()
    form = {"grupo-manager": "sim", "motivo": "promovido"}
    changed = await send(owner, "pessoas/rui", **form)
    invited = await send(owner, "pessoas", usuario="eva", email="eva@x.br", **form)
    odd = await send(owner, "pessoas/..%2fx", **form)

    assert refused.status == 403
    assert "convidou rui" in page
    assert "<i>" not in page
    assert f"{BASE}/pessoas/boss" not in page
    assert changed.headers["location"].endswith("aviso=pessoa")
    assert invited.headers["location"].endswith("aviso=convidado")
    assert odd.status == 404
    body = sent(bed, "PATCH auth staff/members/rui")
    assert body == {"groups": ["manager"], "is_enabled": False, "reason": "promovido"}


async def test_a_username_that_is_taken_is_told(bed: Bed, owner: aiohttp.ClientSession) -> None:
    bed.contexts.statuses["POST auth staff"] = 409

    answer = await send(owner, "pessoas", usuario="eva", email="eva@x.br", motivo="x")

    assert answer.headers["location"].endswith("aviso=ocupado")
