"""The customers' door: a CPF or an e-mail, the code from the mail, and in; or sign up first.

No answer tells whether somebody is known: the page that asks for the code comes in any case.
"""

import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from comanda.ids import ShopId
from console.screens.contexts import Call, Context, OutOfReach, Refused
from console.screens.customers import Customer, first_name, keep_customer
from console.screens.doors import Desk, Form, KnownShop, OpenDesk
from console.screens.rendering import page
from console.screens.sessions import Session
from console.screens.visits import PHONE, kiosk_named

router = APIRouter()
# What the sign-up page says is this version of the consent; other words are another version.
CONSENT = "2026-11"
_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_SLOW = "Muitas tentativas seguidas. Espere um pouco e tente de novo."
_FAULTS = {429: _SLOW}
_WHO = "Digite um CPF ou um e-mail."
_WRONG_CODE = "O código não confere ou venceu. Tente de novo, ou peça outro."
_FIELDS = {"cpf": "CPF", "email": "e-mail", "name": "nome"}
Totem = Annotated[str, Query(max_length=32)]


@router.get("/conta/entrar")
async def ask_who(shop: KnownShop, totem: Totem = "") -> Response:
    """Ask for a CPF or an e-mail."""
    return _door(shop, kiosk=kiosk_named(totem), step="who")


@router.get("/conta/criar")
async def ask_new(shop: KnownShop, totem: Totem = "") -> Response:
    """Ask who wants an account."""
    return _door(shop, kiosk=kiosk_named(totem), step="new")


@router.post("/conta/codigo")
async def send_code(shop: KnownShop, desk: OpenDesk, form: Form) -> Response:
    """Have a code sent, if there is whom to send it to."""
    kiosk, typed = kiosk_named(form.get("totem", "")), form.get("quem", "").strip()
    body = {"email": typed} if "@" in typed else {"cpf": re.sub(r"\D", "", typed)}
    try:
        session = await _session(desk, shop, "/challenges", body)
    except Refused as exc:
        fault = _FAULTS.get(exc.status, _WHO)
        return _door(shop, kiosk=kiosk, step="who", fault=fault, status=exc.status, typed=form)
    return _door(shop, kiosk=kiosk, step="code", session=session)


@router.post("/conta/criar")
async def sign_up(shop: KnownShop, desk: OpenDesk, form: Form) -> Response:
    """Take a sign-up; the account is made when the code is right."""
    kiosk = kiosk_named(form.get("totem", ""))
    if form.get("aceito") != "sim":
        fault = "Sem o seu aceite não podemos guardar seus dados."
        return _door(shop, kiosk=kiosk, step="new", fault=fault, status=422, typed=form)
    body = {
        "name": form.get("nome", "").strip(),
        "email": form.get("email", "").strip(),
        "cpf": re.sub(r"\D", "", form.get("cpf", "")),
        "consent_version": CONSENT,
    }
    try:
        session = await _session(desk, shop, "/customers", body)
    except Refused as exc:
        named = [_FIELDS.get(str(e.get("field", "")).rpartition(".")[2], "") for e in exc.errors]
        wrong = "Confira: " + (", ".join(filter(None, named)) or "o que foi digitado") + "."
        fault = _FAULTS.get(exc.status, wrong)
        return _door(shop, kiosk=kiosk, step="new", fault=fault, status=exc.status, typed=form)
    return _door(shop, kiosk=kiosk, step="code", session=session)


@router.post("/conta/entrar")
async def enter(shop: KnownShop, desk: OpenDesk, form: Form, request: Request) -> Response:
    """Trade the code for a session; a kiosk gives the means to renew it back at once."""
    kiosk, session = kiosk_named(form.get("totem", "")), form.get("sessao", "")[:200]
    code = re.sub(r"\s", "", form.get("codigo", ""))
    status, fault = 422, _WRONG_CODE
    if _CODE.fullmatch(code) and session:
        try:
            customer = await _entered(desk, shop, {"session": session, "code": code}, kiosk=kiosk)
        except Refused as exc:
            status, fault = exc.status, _FAULTS.get(exc.status, _WRONG_CODE)
        else:
            keep_customer(request, desk, customer)
            target = "conta" if kiosk == PHONE else f"pedir?totem={kiosk}&conta=sim"
            return RedirectResponse(f"/loja/{shop}/{target}", status_code=303)
    return _door(shop, kiosk=kiosk, step="code", session=session, fault=fault, status=status)


async def _entered(desk: Desk, shop: ShopId, body: Mapping[str, str], *, kiosk: str) -> Customer:
    begun = desk.sessions.now().timestamp()
    call = Call(method="POST", context=Context.AUTH, shop=shop, path="/tokens", body=body)
    tokens = await desk.contexts.read(call)
    token = str(tokens["access_token"])
    profile = await desk.contexts.read(
        Call(method="GET", context=Context.AUTH, shop=shop, path="/me", token=token)
    )
    session = Session(
        shop=shop,
        username=first_name(str(profile["name"])),
        groups=(),
        access_token=token,
        refresh_token=str(tokens["refresh_token"] or ""),
        ends_at=begun + float(tokens["expires_in"]),
        csrf=secrets.token_urlsafe(24),
    )
    if kiosk != PHONE:
        # It ends by itself if auth cannot be told; nobody has it any more.
        with suppress(Refused, OutOfReach):
            await desk.sessions.sign_out(session)
        session = replace(session, refresh_token="")
    return Customer(session=session, kiosk=kiosk)


async def _session(desk: Desk, shop: ShopId, path: str, body: Mapping[str, Any]) -> str:
    call = Call(method="POST", context=Context.AUTH, shop=shop, path=path, body=body)
    return str((await desk.contexts.read(call))["session"])


def _door(
    shop: ShopId,
    *,
    kiosk: str,
    step: str,
    session: str = "",
    fault: str = "",
    status: int = 200,
    typed: Mapping[str, str] | None = None,
) -> Response:
    return page(
        "account_door.html",
        status=status,
        shop=shop,
        kiosk=kiosk,
        is_kiosk=kiosk != PHONE,
        step=step,
        auth_session=session,
        fault=fault,
        typed=typed or {},
    )
