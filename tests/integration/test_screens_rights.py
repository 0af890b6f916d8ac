"""An owner's own access, and what they see of their customers' rights."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from tests.console_bed import NOW, SHOP, Bed, an_order, csrf_of, opened, sign_in

BASE = f"/loja/{SHOP}"
PROTOCOL = str(UUID(int=77))
SECRET = "JBSWY3DPEHPK3PXP"


def act(what: str, whom: str, *, done_at: str | None) -> dict[str, Any]:
    at = NOW.isoformat()
    return {"at": at, "done_at": done_at, "who": "x", "what": what, "whom": whom, "why": "<i>"}


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        acts = [
            act("customer.erased", str(UUID(int=78)), done_at=None),
            act("customer.erased", PROTOCOL, done_at=NOW.isoformat()),
            act("cpf.released", "customer 9f", done_at=NOW.isoformat()),
            act("staff.invited", "rui", done_at=NOW.isoformat()),
        ]
        bed.contexts.answers |= {
            "GET auth staff/audit": {"acts": acts},
            "POST auth staff/cpf-releases": {"status": "accepted"},
            "POST auth staff/me/totp": {
                "secret": SECRET,
                "uri": f"otpauth://totp/Comanda:boss?secret={SECRET}&issuer=Comanda%20{SHOP}",
            },
            "PUT auth staff/me/totp": {},
            "POST auth staff/me/totp-removals": {},
            "PUT auth staff/me/password": {},
            "GET orders orders": {"orders": [an_order()], "cursor": None},
        }
        yield bed


@pytest.fixture
async def owner(bed: Bed) -> AsyncIterator[aiohttp.ClientSession]:
    async with bed.browser() as browser:
        await sign_in(browser, "boss")
        yield browser


async def send(browser: aiohttp.ClientSession, path: str, **form: str) -> aiohttp.ClientResponse:
    data = {"csrf": await csrf_of(browser), **form}
    return await browser.post(f"{BASE}/{path}", data=data, allow_redirects=False)


def bodies(bed: Bed, name: str) -> list[Any]:
    return [body for asked, body in bed.contexts.bodies if asked == name]


def waiting_in(text: str) -> str:
    return re.findall(r'name="espera" value="([^"]+)"', text)[0]


async def test_erasures_are_shown_by_protocol_with_what_is_pending(
    owner: aiohttp.ClientSession,
) -> None:
    page = await (await owner.get(f"{BASE}/privacidade")).text()
    one = await (await owner.get(f"{BASE}/privacidade?protocolo= {PROTOCOL.upper()}")).text()
    none = await (await owner.get(f"{BASE}/privacidade?protocolo=<b>")).text()

    assert "1 em andamento" in page
    assert (PROTOCOL in page, str(UUID(int=78)) in page) == (True, True)
    assert (PROTOCOL in one, str(UUID(int=78)) in one) == (True, False)
    assert "Nenhum pedido com este protocolo" in none
    for text in (page, none):
        assert "customer 9f" not in text
        assert "rui" not in text
        assert "<i>" not in text
        assert 'value="<b>"' not in text


async def test_a_cpf_is_set_free_with_a_reason_and_no_answer_tells_whose_it_was(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    done = await send(owner, "privacidade/cpf", cpf="390.533.447-05", motivo="RG visto")
    bed.contexts.statuses["POST auth staff/cpf-releases"] = 422
    refused = await send(owner, "privacidade/cpf", cpf="1", motivo="")

    assert done.headers["location"].endswith("aviso=cpf")
    assert refused.headers["location"].endswith("aviso=recusado")
    assert bodies(bed, "POST auth staff/cpf-releases")[0] == {
        "cpf": "39053344705",
        "reason": "RG visto",
    }


@pytest.mark.parametrize("who", ["cook", "chief"])
async def test_only_owners_see_privacy_and_set_up_an_app(bed: Bed, who: str) -> None:
    async with bed.browser() as browser:
        await sign_in(browser, who)
        privacy = await browser.get(f"{BASE}/privacidade")
        app = await send(browser, "acesso/aplicativo")
        own = await (await browser.get(f"{BASE}/acesso")).text()

    assert (privacy.status, app.status) == (403, 403)
    assert "Mudar a senha" in own
    assert "Ligar um aplicativo" not in own


async def test_an_app_is_asked_for_once_it_showed_a_right_code(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    shown = await (await send(owner, "acesso/aplicativo")).text()
    bed.contexts.statuses["PUT auth staff/me/totp"] = 401
    waiting = waiting_in(shown)
    wrong = await send(owner, "acesso/aplicativo/conferir", espera=waiting, codigo="111111")
    senseless = await send(owner, "acesso/aplicativo/conferir", espera=waiting, codigo="1")
    again = waiting_in(await wrong.text())
    del bed.contexts.statuses["PUT auth staff/me/totp"]
    right = await send(owner, "acesso/aplicativo/conferir", espera=again, codigo="123 456")

    assert "<svg" in shown
    assert "JBSW Y3DP EHPK 3PXP" in shown
    assert " style=" not in shown
    assert (wrong.status, senseless.status) == (401, 422)
    assert "JBSW" in await wrong.text()
    assert right.headers["location"].endswith("acesso?aviso=aplicativo")
    assert bodies(bed, "PUT auth staff/me/totp") == [{"totp": "111111"}, {"totp": "123456"}]
    assert len(bodies(bed, "POST auth staff/me/totp")) == 1


async def test_a_secret_that_waits_for_somebody_else_is_no_good(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    foreign = bed.desk.sealer.seal({"secret": SECRET, "uri": "otpauth://x", "for": "rui"})

    for waiting in (foreign, "x", ""):
        answer = await send(owner, "acesso/aplicativo/conferir", espera=waiting, codigo="123456")
        assert answer.status == 422
    assert bodies(bed, "PUT auth staff/me/totp") == []


@pytest.mark.parametrize(
    ("path", "form", "asked", "body"),
    [
        (
            "acesso/senha",
            {"senha": "velha", "nova": "Nova-senha-2026"},
            "PUT auth staff/me/password",
            {"password": "velha", "new_password": "Nova-senha-2026"},
        ),
        (
            "acesso/aplicativo/tirar",
            {"senha": "velha"},
            "POST auth staff/me/totp-removals",
            {"password": "velha"},
        ),
    ],
)
async def test_what_ends_all_sessions_leads_back_to_the_door(
    bed: Bed,
    owner: aiohttp.ClientSession,
    path: str,
    form: dict[str, str],
    asked: str,
    body: dict[str, str],
) -> None:
    bed.contexts.statuses[asked] = 401
    wrong = await send(owner, path, **form)
    del bed.contexts.statuses[asked]
    done = await send(owner, path, **form)

    assert wrong.status == 401
    assert "não confere" in await wrong.text()
    assert done.headers["location"] == f"{BASE}/entrar"
    assert bodies(bed, asked) == [body, body]
    gone = await owner.get(f"{BASE}/acesso", allow_redirects=False)
    assert gone.status == 303


async def test_a_list_that_did_not_change_is_not_sent_again(
    bed: Bed, owner: aiohttp.ClientSession
) -> None:
    page = await (await owner.get(f"{BASE}/pedidos")).text()
    first = await owner.get(f"{BASE}/pedidos/lista?status=READY")
    headers = {"If-None-Match": first.headers["ETag"]}
    same = await owner.get(f"{BASE}/pedidos/lista?status=READY", headers=headers)
    order = an_order(2, status="READY", waiting_seconds=int(timedelta(hours=1).total_seconds()))
    bed.contexts.answers["GET orders orders"] = {"orders": [order], "cursor": None}
    other = await owner.get(f"{BASE}/pedidos/lista?status=READY", headers=headers)

    assert 'hx-trigger="every 5s"' in page
    assert (first.status, same.status, other.status) == (200, 304, 200)
    assert "1 h 00" in await other.text()
    assert "<html" not in await other.text()


@pytest.mark.parametrize("query", ["dia=2026-11-20", "senha=7", "cursor=abc"])
async def test_what_does_not_move_is_not_asked_for_again(
    owner: aiohttp.ClientSession, query: str
) -> None:
    page = await (await owner.get(f"{BASE}/pedidos?{query}")).text()

    assert "hx-trigger" not in page


async def test_a_forgotten_password_is_set_by_a_mailed_code(bed: Bed) -> None:
    bed.contexts.answers |= {
        "POST auth staff/password-codes": {"status": "accepted", "session": "asked"},
        "POST auth staff/passwords": {},
    }
    form = {"sessao": "asked", "codigo": "123 456", "nova": "Nova-senha-2026"}
    async with bed.browser() as browser:
        door = await (await browser.get(f"{BASE}/entrar")).text()
        asked = await browser.post(f"{BASE}/entrar/senha", data={"usuario": " rui "})
        bed.contexts.statuses["POST auth staff/passwords"] = 401
        wrong = await browser.post(f"{BASE}/entrar/senha/nova", data=form)
        del bed.contexts.statuses["POST auth staff/passwords"]
        done = await browser.post(f"{BASE}/entrar/senha/nova", data=form, allow_redirects=False)
        bed.contexts.statuses["POST auth staff/password-codes"] = 422
        senseless = await browser.post(f"{BASE}/entrar/senha", data={"usuario": "<b>"})

    assert f"{BASE}/entrar/senha" in door
    assert "Se o usuário existe" in await asked.text()
    assert (wrong.status, senseless.status) == (401, 422)
    assert 'value="asked"' in await wrong.text()
    assert done.headers["location"] == f"{BASE}/entrar"
    assert bodies(bed, "POST auth staff/password-codes")[0] == {"username": "rui"}
    assert bodies(bed, "POST auth staff/passwords")[1] == {
        "session": "asked",
        "code": "123456",
        "new_password": "Nova-senha-2026",
    }
