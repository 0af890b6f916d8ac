"""Customers who sign in: at home and at a kiosk, with their orders, their data and their end."""

import re
from datetime import timedelta
from uuid import UUID

import aiohttp
import pytest

from console.screens.customers import CUSTOMER_COOKIE
from tests import screens_account
from tests.console_bed import OTHER_SHOP, Bed
from tests.screens_account import BASE, PROFILE, RECEIPT, bodies, csrf, post, sign_in, tokens

bed = screens_account.bed
phone = screens_account.phone

ORDER = str(UUID(int=1))


@pytest.mark.parametrize(
    ("typed", "body"),
    [
        ("390.533.447-05", {"cpf": "39053344705"}),
        (" maria@exemplo.com.br ", {"email": "maria@exemplo.com.br"}),
    ],
)
async def test_a_code_is_asked_for_by_cpf_or_by_mail(
    bed: Bed, phone: aiohttp.ClientSession, typed: str, body: dict[str, str]
) -> None:
    asked = await post(phone, "conta/codigo", quem=typed)

    assert "Se houver uma conta" in await asked.text()
    assert bodies(bed, "POST auth challenges") == [body]


async def test_a_right_code_opens_the_account_with_its_orders_and_data(
    bed: Bed, phone: aiohttp.ClientSession
) -> None:
    entered = await sign_in(phone)
    page = await (await phone.get(f"{BASE}/conta")).text()

    assert entered.headers["location"] == f"{BASE}/conta"
    assert bodies(bed, "POST auth tokens") == [{"session": "asked", "code": "123456"}]
    for words in ("Olá, Maria", f"/acompanhar/{ORDER}", "maria@exemplo.com.br", "28/02/1990"):
        assert words in page
    assert "<b>Silva" not in page


async def test_a_wrong_code_may_be_typed_again_for_the_same_session(
    bed: Bed, phone: aiohttp.ClientSession
) -> None:
    bed.contexts.statuses["POST auth tokens"] = 401
    wrong = await sign_in(phone)
    senseless = await post(phone, "conta/entrar", sessao="asked", codigo="abc")

    for answer in (wrong, senseless):
        assert 'value="asked"' in await answer.text()
    assert (wrong.status, senseless.status) == (401, 422)
    assert len(bodies(bed, "POST auth tokens")) == 1
    closed = await phone.get(f"{BASE}/conta", allow_redirects=False)
    assert closed.headers["location"] == f"{BASE}/conta/entrar"


@pytest.mark.parametrize(("status", "words"), [(429, "Muitas tentativas"), (422, "Digite um CPF")])
async def test_what_cannot_be_asked_for_is_said(
    bed: Bed, phone: aiohttp.ClientSession, status: int, words: str
) -> None:
    bed.contexts.statuses["POST auth challenges"] = status

    answer = await post(phone, "conta/codigo", quem='"><script>')

    assert answer.status == status
    text = await answer.text()
    assert words in text
    assert "<script>" not in text


async def test_nobody_signs_up_without_their_consent(
    bed: Bed, phone: aiohttp.ClientSession
) -> None:
    form = {"nome": "Maria", "email": "m@x.br", "cpf": "390.533.447-05"}
    without = await post(phone, "conta/criar", **form)
    given = await post(phone, "conta/criar", **form, aceito="sim")

    assert without.status == 422
    assert 'value="Maria"' in await without.text()
    assert 'value="new"' in await given.text()
    (body,) = bodies(bed, "POST auth customers")
    assert (body["cpf"], body["consent_version"]) == ("39053344705", "2026-11")


async def test_who_signed_in_orders_in_their_own_name(
    bed: Bed, phone: aiohttp.ClientSession
) -> None:
    await sign_in(phone)
    visit = await phone.post(f"{BASE}/pedir/visita", json={"kiosk": "celular", "cpf": ""})
    placed = await phone.post(
        f"{BASE}/pedir/pedidos", json={"lines": []}, headers={"Idempotency-Key": ORDER}
    )

    assert visit.status == 201
    assert bodies(bed, "POST auth guests") == []
    assert placed.status == 201
    assert list(bed.contexts.owners.values()) == [f"Bearer {tokens(1)['access_token']}"]
    page = await (await phone.get(f"{BASE}/pedir")).text()
    assert "Olá, <b>Maria</b>" in page
    assert 'name="cpf" value=""' in page


async def test_an_order_of_before_the_sign_in_is_still_followed(
    bed: Bed, phone: aiohttp.ClientSession
) -> None:
    await phone.post(f"{BASE}/pedir/visita", json={"kiosk": "celular"})
    del bed.contexts.answers["GET orders orders"]
    placed = await phone.post(
        f"{BASE}/pedir/pedidos", json={"lines": []}, headers={"Idempotency-Key": ORDER}
    )
    url = (await placed.json())["url"]
    await sign_in(phone)

    followed = await phone.get(url)

    assert followed.status == 200


async def test_a_kiosk_knows_a_customer_for_one_order_and_keeps_no_refresh_token(
    bed: Bed, phone: aiohttp.ClientSession
) -> None:
    entered = await sign_in(phone, totem="totem-1")
    start = entered.headers["location"]
    greeted = await (await phone.get(start)).text()
    account = await phone.get(f"{BASE}/conta", allow_redirects=False)
    following = await (await phone.get(f"{BASE}/pedir?totem=totem-1")).text()
    back = await (await phone.get(start)).text()

    assert start == f"{BASE}/pedir?totem=totem-1&conta=sim"
    assert "Olá, <b>Maria</b>" in greeted
    assert account.headers["location"] == start
    assert bodies(bed, "POST auth tokens/revoke") == [{"refresh_token": "refresh-maria-1"}]
    assert "Maria" not in following
    assert "Maria" not in back


async def test_a_session_is_renewed_on_the_way_and_ends_when_it_cannot_be(
    bed: Bed, phone: aiohttp.ClientSession
) -> None:
    await sign_in(phone)
    bed.contexts.answers["POST auth tokens/refresh"] = tokens(2)
    bed.clock.tick(timedelta(minutes=14))
    renewed = await phone.get(f"{BASE}/conta")
    del bed.contexts.answers["POST auth tokens/refresh"]
    bed.contexts.revoked = True
    bed.clock.tick(timedelta(minutes=14))
    ended = await phone.get(f"{BASE}/conta", allow_redirects=False)

    assert renewed.status == 200
    assert bodies(bed, "POST auth tokens/refresh") == [
        {"refresh_token": "refresh-maria-1"},
        {"refresh_token": "refresh-maria-2"},
    ]
    assert ended.headers["location"] == f"{BASE}/conta/entrar"


async def test_a_copy_of_ones_data_is_a_file(phone: aiohttp.ClientSession) -> None:
    await sign_in(phone)

    answer = await phone.get(f"{BASE}/conta/dados.json")

    assert "attachment" in answer.headers["Content-Disposition"]
    assert (await answer.json())["identity"]["email"] == "maria@exemplo.com.br"


async def test_an_account_is_erased_by_a_typed_word_alone(
    bed: Bed, phone: aiohttp.ClientSession
) -> None:
    await sign_in(phone)
    token = await csrf(phone)
    slip = await post(phone, "conta/apagar", csrf=token, certeza="sim")
    foreign = await post(phone, "conta/apagar", csrf="x", certeza="APAGAR")
    before = len(bodies(bed, "DELETE auth me"))
    gone = await post(phone, "conta/apagar", csrf=token, certeza=" apagar ")
    after = await phone.get(f"{BASE}/conta", allow_redirects=False)

    assert (slip.status, foreign.status, before) == (422, 303, 0)
    assert RECEIPT["protocol"] in await gone.text()
    assert after.status == 303


@pytest.mark.parametrize(
    ("everywhere", "asked"),
    [("", "POST auth tokens/revoke"), ("sim", "DELETE auth me/sessions")],
)
async def test_signing_out_ends_the_session(
    bed: Bed, phone: aiohttp.ClientSession, everywhere: str, asked: str
) -> None:
    await sign_in(phone)

    await post(phone, "conta/sair", csrf=await csrf(phone), tudo=everywhere)

    assert len(bodies(bed, asked)) == 1
    assert (await phone.get(f"{BASE}/conta", allow_redirects=False)).status == 303


async def test_a_customer_is_no_staff_and_of_one_shop(
    bed: Bed, phone: aiohttp.ClientSession
) -> None:
    entered = await sign_in(phone)
    sealed = re.findall(rf"{CUSTOMER_COOKIE}=([^;]+)", entered.headers["Set-Cookie"])[0]
    async with bed.browser() as thief:
        as_staff = await thief.get(
            f"{BASE}/pedidos", headers={"Cookie": f"__Secure-staff={sealed}"}, allow_redirects=False
        )
        elsewhere = await thief.get(
            f"/loja/{OTHER_SHOP}/conta",
            headers={"Cookie": f"{CUSTOMER_COOKIE}={sealed}"},
            allow_redirects=False,
        )

    # What a customer's cookie holds is no session of staff at all.
    assert as_staff.status == 303
    assert elsewhere.headers["location"].endswith("/conta/entrar")
    for attribute in ("Secure", "HttpOnly", "SameSite=Strict", f"Path={BASE}"):
        assert attribute in entered.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("path", "form", "asked", "body"),
    [
        ("conta/nome", {"nome": " Mara "}, "PATCH auth me", {"name": "Mara"}),
        ("conta/cpf", {"cpf": "390.533.447-05"}, "PUT auth me/cpf", {"cpf": "39053344705"}),
    ],
)
async def test_name_and_cpf_are_changed_or_the_refusal_is_said(
    bed: Bed,
    phone: aiohttp.ClientSession,
    path: str,
    form: dict[str, str],
    asked: str,
    body: dict[str, str],
) -> None:
    bed.contexts.answers[asked] = PROFILE
    await sign_in(phone)
    token = await csrf(phone)
    done = await post(phone, path, csrf=token, edicao="3", **form)
    greeting = await (await phone.get(f"{BASE}/pedir")).text()
    bed.contexts.statuses[asked] = 412
    late = await post(phone, path, csrf=token, edicao="2", **form)
    foreign = await post(phone, path, csrf="", **form)

    assert ("Olá, <b>Mara</b>" in greeting) == (path == "conta/nome")
    assert "aviso=" in done.headers["location"]
    assert (late.status, foreign.status) == (412, 303)
    assert "mudaram em outro lugar" in await late.text()
    assert bodies(bed, asked) == [body, body]


async def test_a_kiosks_session_ends_with_its_token(bed: Bed, phone: aiohttp.ClientSession) -> None:
    start = (await sign_in(phone, totem="totem-1")).headers["location"]
    bed.clock.tick(timedelta(minutes=14))
    still = await (await phone.get(start)).text()
    bed.clock.tick(timedelta(minutes=1))
    ended = await (await phone.get(start)).text()

    assert "Maria" in still
    assert "Maria" not in ended
    assert bodies(bed, "POST auth tokens/refresh") == []
