"""The kiosk and the customer's page: whose order it is, what is refused, what it weighs."""

import json
import re
from collections.abc import AsyncIterator
from uuid import UUID

import aiohttp
import pytest

from tests.console_bed import MENU, SHOP, Bed, an_order, csrf_of, opened, sign_in

BASE = f"/loja/{SHOP}/pedir"
KEY = {"Idempotency-Key": str(UUID(int=9))}
BODY = {"lines": [{"product_id": "x-salada", "quantity": 1}], "service": "dine_in", "name": ""}


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        yield bed


@pytest.fixture
async def browser(bed: Bed) -> AsyncIterator[aiohttp.ClientSession]:
    async with bed.browser() as browser:
        yield browser


async def ordered(browser: aiohttp.ClientSession, *, kiosk: str = "celular") -> str:
    await browser.post(f"{BASE}/visita", json={"kiosk": kiosk})
    answer = await browser.post(f"{BASE}/pedidos", json=BODY, headers=KEY)
    return str((await answer.json())["url"])


async def test_the_menu_is_shown_as_text_and_carried_as_data(
    browser: aiohttp.ClientSession,
) -> None:
    page = await (await browser.get(BASE)).text()

    data = re.search(r'<script type="application/json" id="menu-data">(.*?)</script>', page)
    assert data is not None
    assert json.loads(data[1]) == {product["id"]: product for product in MENU}
    assert "<script>alert" not in page
    assert "R$\u00a024,90" in page
    assert "Esgotado" in page


async def test_a_closed_shop_takes_no_orders(bed: Bed, browser: aiohttp.ClientSession) -> None:
    bed.contexts.answers["GET catalog menu"] = {"is_open": False, "products": MENU}

    page = await (await browser.get(BASE)).text()

    assert "fechada" in page
    assert "data-service" not in page


async def test_an_order_is_its_visits_own(bed: Bed, browser: aiohttp.ClientSession) -> None:
    url = await ordered(browser)
    mine = await browser.get(url)
    async with bed.browser() as other:
        without = await other.get(url)
        await other.post(f"{BASE}/visita", json={})
        theirs = await other.get(url)

    assert (mine.status, without.status, theirs.status) == (200, 404, 404)


async def test_a_kiosk_forgets_and_a_phone_remembers(browser: aiohttp.ClientSession) -> None:
    at_the_kiosk = await ordered(browser, kiosk="totem-1")
    await browser.post(f"{BASE}/visita", json={"kiosk": "totem-1"})
    forgotten = await browser.get(at_the_kiosk)
    on_the_phone = await ordered(browser)
    await browser.post(f"{BASE}/visita", json={})
    remembered = await browser.get(on_the_phone)

    assert (forgotten.status, remembered.status) == (404, 200)


async def test_the_pages_key_and_order_reach_orders_as_they_are(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    await browser.post(f"{BASE}/visita", json={"cpf": "52998224725", "kiosk": "totem-1"})
    await browser.post(f"{BASE}/pedidos", json=BODY, headers=KEY)

    bodies = dict(bed.contexts.bodies)
    assert bodies["POST auth guests"] == {"kiosk": "totem-1", "cpf": "52998224725"}
    assert bodies["POST orders orders"] == BODY


async def test_without_a_visit_or_a_key_nothing_is_ordered(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    no_visit = await browser.post(f"{BASE}/pedidos", json=BODY, headers=KEY)
    await browser.post(f"{BASE}/visita", json={})
    no_key = await browser.post(f"{BASE}/pedidos", json=BODY)

    assert (no_visit.status, no_key.status) == (404, 422)
    assert bed.contexts.asked["POST orders orders"] == 0


async def test_a_refused_line_is_named(bed: Bed, browser: aiohttp.ClientSession) -> None:
    await browser.post(f"{BASE}/visita", json={})
    errors = [{"field": "body.lines.2.product_id", "message": "gone"}]
    bed.contexts.refusal = (422, {"title": "Invalid request", "errors": errors})

    answer = await browser.post(f"{BASE}/pedidos", json=BODY, headers=KEY)

    assert answer.status == 422
    assert (await answer.json())["lines"] == [2]


@pytest.mark.parametrize("raw", ["", "[]", "{", "[" * 9000, '{"x": "' + "y" * 40_000 + '"}'])
async def test_a_senseless_body_is_refused(
    bed: Bed, browser: aiohttp.ClientSession, raw: str
) -> None:
    await browser.post(f"{BASE}/visita", json={})

    answer = await browser.post(f"{BASE}/pedidos", data=raw, headers=KEY)

    assert answer.status in (400, 413)
    assert bed.contexts.asked["POST orders orders"] == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "PENDING_PAYMENT"}, "Preparando seu código"),
        (
            {
                "status": "PENDING_PAYMENT",
                "pix": {"code": "00020126", "expires_at": "2026-11-20T15:30:00Z"},
            },
            'value="00020126"',
        ),
        ({"status": "RECEIVED"}, "Pago!"),
        ({"status": "READY"}, "Retire no balcão"),
        ({"status": "CANCELLED", "reason": "out_of_stock", "paid_at": None}, "Nada foi cobrado"),
        ({"status": "CANCELLED", "reason": "closing"}, "O valor pago volta"),
    ],
)
async def test_the_page_says_where_the_order_stands(
    bed: Bed, browser: aiohttp.ClientSession, changes: dict[str, object], words: str
) -> None:
    url = await ordered(browser)
    order = next(iter(bed.contexts.orders.values()))
    order.update({**an_order(), **changes, "id": order["id"]})

    page = await (await browser.get(url)).text()

    assert words in page


async def test_every_page_is_under_100_kb_and_asks_nobody_else(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    await sign_in(browser)
    bed.contexts.put(an_order())
    url = await ordered(browser)
    for path in (BASE, url, f"/loja/{SHOP}/cozinha", f"/loja/{SHOP}/senhas"):
        answer = await browser.get(path)
        page = await answer.text()
        files = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)
        sizes = [len(await (await browser.get(file)).read()) for file in sorted(set(files))]

        assert len(page.encode()) + sum(sizes) < 100_000, path
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', page)
        assert not re.search(r"<script>|<style|\son\w+=|\sstyle=", page)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"


async def test_files_are_kept_for_ever_under_an_address_of_their_content(
    browser: aiohttp.ClientSession,
) -> None:
    page = await (await browser.get(BASE)).text()
    file = re.findall(r'src="(/assets/[^"]+)"', page)[0]

    found = await browser.get(file)
    missing = await browser.get("/assets/x/..%2f..%2fapp.py")

    assert "immutable" in found.headers["cache-control"]
    assert missing.status == 404


async def test_the_forms_token_is_in_no_page_of_customers(browser: aiohttp.ClientSession) -> None:
    await sign_in(browser)
    token = await csrf_of(browser)

    page = await (await browser.get(BASE)).text()

    assert token
    assert token not in page


async def test_the_page_follows_its_order(bed: Bed, browser: aiohttp.ClientSession) -> None:
    url = await ordered(browser)
    next(iter(bed.contexts.orders.values())).update(status="RECEIVED", version=4)

    stream = await (await browser.get(f"{url}/aovivo")).text()

    assert "id: 4\ndata: " in stream
    assert 'data-status="RECEIVED"' in stream
    assert "event: alive" in stream


async def test_a_stream_that_is_refused_is_no_stream_that_comes_back_at_once(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    url = await ordered(browser)
    path = f"GET orders orders/{url.rpartition('/')[2]}/stream"
    bed.contexts.statuses[path] = 503
    full = await browser.get(f"{url}/aovivo")
    bed.contexts.statuses[path] = 404
    gone = await browser.get(f"{url}/aovivo")

    assert (full.status, gone.status) == (503, 404)


@pytest.mark.parametrize("status", [409, 429, 503])
async def test_an_order_that_was_not_taken_is_said_so(
    bed: Bed, browser: aiohttp.ClientSession, status: int
) -> None:
    await browser.post(f"{BASE}/visita", json={})
    bed.contexts.statuses["POST orders orders"] = status

    answer = await browser.post(f"{BASE}/pedidos", json=BODY, headers=KEY)

    assert answer.status == status
