"""Who gets in, what their cookie is worth, and whose requests are taken."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import aiohttp
import pytest

from console.screens.doors import STAFF_COOKIE
from tests.console_bed import OTHER_SHOP, SHOP, Bed, an_order, csrf_of, opened, sign_in

BOARD = f"/loja/{SHOP}/cozinha"


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        yield bed


async def test_a_right_password_gives_a_cookie_that_no_script_and_no_other_site_sees(
    bed: Bed,
) -> None:
    async with bed.browser() as browser:
        answer = await sign_in(browser)

    cookie = answer.headers["set-cookie"]
    assert answer.status == 303
    for part in ("HttpOnly", "Secure", "SameSite=Strict", f"Path=/loja/{SHOP}", "Max-Age="):
        assert part in cookie
    assert "signature" not in cookie


async def test_a_wrong_password_is_told_without_saying_what_was_wrong(bed: Bed) -> None:
    form = {"usuario": "cook", "senha": "errada"}
    async with bed.browser() as browser:
        known = await browser.post(f"/loja/{SHOP}/entrar", data=form)
        unknown = await browser.post(f"/loja/{SHOP}/entrar", data={**form, "usuario": "ninguem"})
        texts = [(await known.text()).replace("cook", ""), (await unknown.text())]

    assert (known.status, unknown.status) == (401, 401)
    assert "set-cookie" not in known.headers
    assert texts[0] == texts[1].replace("ninguem", "")


async def test_auth_that_is_down_is_told_as_such(bed: Bed) -> None:
    bed.contexts.down.add("auth")
    async with bed.browser() as browser:
        answer = await sign_in(browser)

    assert answer.status == 503
    assert "não respondeu" in await answer.text()


async def test_who_is_not_signed_in_is_led_to_the_door_and_back(bed: Bed) -> None:
    async with bed.browser() as browser:
        sent = await browser.get(BOARD, allow_redirects=False)
        back = await sign_in(browser, target=BOARD)

    assert sent.status == 303
    assert sent.headers["location"] == f"/loja/{SHOP}/entrar?para={BOARD}"
    assert back.headers["location"] == BOARD


@pytest.mark.parametrize(
    "target",
    ["https://mal.example/", "//mal.example", f"/loja/{OTHER_SHOP}/x", f"/loja/{SHOP}/../x"],
)
async def test_nobody_is_led_elsewhere_after_signing_in(bed: Bed, target: str) -> None:
    async with bed.browser() as browser:
        answer = await sign_in(browser, target=target)

    assert answer.headers["location"] == f"/loja/{SHOP}/equipe"


@pytest.mark.parametrize("change", ["cut", "other shop"])
async def test_a_cookie_that_was_changed_or_carried_to_another_shop_opens_nothing(
    bed: Bed, change: str
) -> None:
    async with bed.browser() as browser:
        cookie = (await sign_in(browser)).cookies[STAFF_COOKIE].value
    shop, value = (OTHER_SHOP, cookie) if change == "other shop" else (SHOP, cookie[:-3] + "abc")

    async with aiohttp.ClientSession(bed.url) as plain:
        headers = {"Cookie": f"{STAFF_COOKIE}={value}"}
        path = f"/loja/{shop}/cozinha"
        answer = await plain.get(path, headers=headers, allow_redirects=False)

    assert answer.status == 303
    assert bed.contexts.asked["GET orders board"] == 0


async def test_what_comes_from_another_site_is_refused(bed: Bed) -> None:
    async with bed.browser(same_origin=False) as browser:
        answer = await sign_in(browser)

    assert answer.status == 403
    assert not bed.contexts.bodies


async def test_an_older_browser_is_known_by_its_origin(bed: Bed) -> None:
    form = {"usuario": "cook", "senha": "errada"}
    async with aiohttp.ClientSession(bed.url) as plain:
        path = f"/loja/{SHOP}/entrar"
        ours = await plain.post(path, data=form, headers={"Origin": "http://public"})
        other = await plain.post(path, data=form, headers={"Origin": "http://mal.example"})
        none = await plain.post(path, data=form)

    assert (ours.status, other.status, none.status) == (401, 403, 403)


async def test_a_step_without_the_sessions_own_token_is_not_taken(bed: Bed) -> None:
    order = bed.contexts.put(an_order())
    step = f"{BOARD}/pedidos/{order['id']}/start"
    async with bed.browser() as browser:
        await sign_in(browser)
        missing = await browser.post(step, allow_redirects=False)
        wrong = await browser.post(step, headers={"X-CSRF": "x" * 32})
        right = await browser.post(step, headers={"X-CSRF": await csrf_of(browser)})

    assert (missing.status, wrong.status, right.status) == (303, 401, 200)
    assert bed.contexts.asked[f"POST orders orders/{order['id']}/start"] == 1


async def test_a_session_is_renewed_once_for_requests_that_come_together(bed: Bed) -> None:
    async with bed.browser() as browser:
        await sign_in(browser)
        bed.clock.tick(timedelta(minutes=14))
        answers = await asyncio.gather(*(browser.get(BOARD) for _ in range(5)))

    assert {answer.status for answer in answers} == {200}
    assert bed.contexts.asked["POST auth tokens/refresh"] == 1
    assert all(STAFF_COOKIE in answer.cookies for answer in answers)


async def test_who_was_signed_out_elsewhere_signs_in_again(bed: Bed) -> None:
    async with bed.browser() as browser:
        await sign_in(browser)
        bed.contexts.revoked = True
        bed.clock.tick(timedelta(minutes=20))
        answer = await browser.get(BOARD, allow_redirects=False)

    assert answer.status == 303
    assert "/entrar" in answer.headers["location"]


async def test_signing_out_gives_the_tokens_back_and_takes_the_cookie_away(bed: Bed) -> None:
    async with bed.browser() as browser:
        await sign_in(browser)
        form = {"csrf": await csrf_of(browser)}
        answer = await browser.post(f"/loja/{SHOP}/sair", data=form, allow_redirects=False)
        after = await browser.get(BOARD, allow_redirects=False)

    assert bed.contexts.asked["POST auth tokens/revoke"] == 1
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert after.status == 303


async def test_owners_watch_the_kitchen_and_do_not_cook(bed: Bed) -> None:
    order = bed.contexts.put(an_order())
    async with bed.browser() as browser:
        await sign_in(browser, "boss")
        board = await browser.get(BOARD)
        headers = {"X-CSRF": await csrf_of(browser)}
        step = await browser.post(f"{BOARD}/pedidos/{order['id']}/start", headers=headers)

    assert board.status == 200
    assert 'data-cook="no"' in await board.text()
    assert step.status == 403


@pytest.mark.parametrize("path", ["/loja/nowhere/cozinha", "/loja/X/cozinha", "/nada"])
async def test_an_unknown_shop_or_page_is_404_in_portuguese(bed: Bed, path: str) -> None:
    async with bed.browser() as browser:
        answer = await browser.get(path)

    assert answer.status == 404
    assert "Página não encontrada" in await answer.text()


async def test_a_step_that_nobody_knows_is_no_page(bed: Bed) -> None:
    async with bed.browser() as browser:
        await sign_in(browser)
        headers = {"X-CSRF": await csrf_of(browser)}
        path = f"{BOARD}/pedidos/{UUID(int=1)}/"
        found = [await browser.post(path + step, headers=headers) for step in ("cancel", "boil")]

    assert [answer.status for answer in found] == [404, 404]


async def test_a_form_of_who_is_not_signed_in_any_more_leads_to_the_door(bed: Bed) -> None:
    async with bed.browser() as browser:
        path = f"/loja/{SHOP}/caixa/casos/7/resolver"
        answer = await browser.post(path, data={"motivo": "x"}, allow_redirects=False)

    assert answer.status == 303
    assert answer.headers["location"] == f"/loja/{SHOP}/entrar"


async def test_a_token_that_is_good_no_more_leads_to_the_door(bed: Bed) -> None:
    async with bed.browser() as browser:
        await sign_in(browser)
        bed.contexts.statuses["GET orders board"] = 401
        answer = await browser.get(BOARD, allow_redirects=False)

    assert answer.status == 303
    assert answer.headers["location"] == f"/loja/{SHOP}/entrar?para={BOARD}"


async def test_who_tries_too_often_is_told_to_wait(bed: Bed) -> None:
    bed.contexts.statuses["POST auth staff/tokens"] = 429
    async with bed.browser() as browser:
        answer = await sign_in(browser)

    assert answer.status == 429
    assert "Espere um pouco" in await answer.text()


async def test_a_cookie_that_another_release_sealed_is_no_fault(bed: Bed) -> None:
    sealed = bed.desk.sealer.seal({"shop": SHOP, "groups": [], "what": "else"})
    async with aiohttp.ClientSession(bed.url) as plain:
        headers = {"Cookie": f"{STAFF_COOKIE}={sealed}"}
        answer = await plain.get(BOARD, headers=headers, allow_redirects=False)

    assert answer.status == 303


async def test_a_page_that_breaks_says_so_in_portuguese(bed: Bed) -> None:
    bed.contexts.answers["GET orders board"] = {"what": "else"}
    async with bed.browser() as browser:
        await sign_in(browser)
        answer = await browser.get(BOARD)

    assert answer.status == 500
    assert "ficou anotado" in await answer.text()


async def test_a_senseless_address_is_told_in_portuguese(bed: Bed) -> None:
    async with bed.browser() as browser:
        await sign_in(browser, "boss")
        answer = await browser.get(f"/loja/{SHOP}/caixa?horas=muitas")

    assert answer.status == 422
    assert "endereço" in await answer.text()
