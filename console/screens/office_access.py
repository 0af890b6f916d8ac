"""How a member of staff gets in: their password, and an app that shows one-time codes."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from console.screens.contexts import Call, Context, Refused
from console.screens.doors import AnyStaff, Desk, Form, OpenDesk, Owner, forget_session
from console.screens.rendering import page
from console.screens.sessions import Session

router = APIRouter()
_CODE = re.compile(r"[0-9]{6}", re.ASCII)
# The secret waits in the page, sealed, for the first code.
_SETTING_UP = timedelta(minutes=10)
_REFUSED = (401, 422, 429)
_FAULTS = {
    401: "A senha atual não confere.",
    422: "A senha nova precisa de 12 letras ou mais, com minúscula, maiúscula e número.",
    429: "Muitas tentativas seguidas. Espere um pouco e tente de novo.",
}
_WRONG_CODE = "O código não confere. Espere o próximo e digite de novo."
_TOO_LATE = "Passou tempo demais. Comece de novo."


@router.get("/acesso")
async def show(member: AnyStaff, aviso: Annotated[str, Query(max_length=40)] = "") -> Response:
    """Show what somebody may change of their own access."""
    return _page(member, notice=aviso)


@router.post("/acesso/senha")
async def change_password(
    member: AnyStaff, desk: OpenDesk, form: Form, request: Request
) -> Response:
    """Change one's own password; it ends every session, this one too."""
    body = {"password": form.get("senha", ""), "new_password": form.get("nova", "")}
    try:
        await _ask(desk, member, "PUT", "/staff/me/password", body)
    except Refused as exc:
        return _fault(member, exc)
    return _signed_out(member, request)


@router.post("/acesso/aplicativo")
async def begin_totp(owner: Owner, desk: OpenDesk) -> Response:
    """Show the secret for an app, as a picture and as letters."""
    told = await _ask(desk, owner, "POST", "/staff/me/totp", {})
    return _setting_up(desk, owner, {"secret": told["secret"], "uri": told["uri"]})


@router.post("/acesso/aplicativo/conferir")
async def finish_totp(owner: Owner, desk: OpenDesk, form: Form) -> Response:
    """Ask for the app's code at each sign-in, once it showed a right one."""
    waiting = desk.sealer.open(form.get("espera", ""), age=_SETTING_UP)
    if waiting is None or waiting.get("for") != owner.username:
        return _page(owner, fault=_TOO_LATE, status=422)
    code = re.sub(r"\s", "", form.get("codigo", ""))
    if not _CODE.fullmatch(code):
        return _setting_up(desk, owner, waiting, fault=_WRONG_CODE, status=422)
    try:
        await _ask(desk, owner, "PUT", "/staff/me/totp", {"totp": code})
    except Refused as exc:
        if exc.status not in _REFUSED:
            raise
        fault = _FAULTS[429] if exc.status == 429 else _WRONG_CODE
        return _setting_up(desk, owner, waiting, fault=fault, status=exc.status)
    return RedirectResponse(f"/loja/{owner.shop}/acesso?aviso=aplicativo", status_code=303)


@router.post("/acesso/aplicativo/tirar")
async def remove_totp(member: AnyStaff, desk: OpenDesk, form: Form, request: Request) -> Response:
    """Ask for no app's code any more; the password proves who wants that."""
    body = {"password": form.get("senha", "")}
    try:
        await _ask(desk, member, "POST", "/staff/me/totp-removals", body)
    except Refused as exc:
        return _fault(member, exc)
    return _signed_out(member, request)


def _signed_out(member: Session, request: Request) -> Response:
    forget_session(request, member.shop)
    return RedirectResponse(f"/loja/{member.shop}/entrar", status_code=303)


def _fault(member: Session, exc: Refused) -> Response:
    if exc.status not in _REFUSED:
        raise exc
    return _page(member, fault=_FAULTS[exc.status], status=exc.status)


def _setting_up(
    desk: Desk, owner: Session, told: Mapping[str, str], *, fault: str = "", status: int = 200
) -> Response:
    sealed = desk.sealer.seal({**told, "for": owner.username})
    drawing = segno.make_qr(told["uri"], error="m").svg_inline(
        omitsize=True, border=4, light="#fff", svgclass=None, lineclass=None
    )
    letters = told["secret"]
    return page(
        "access_app.html",
        status=status,
        session=owner,
        drawing=drawing,
        secret=" ".join(letters[i : i + 4] for i in range(0, len(letters), 4)),
        waiting=sealed,
        fault=fault,
    )


def _page(member: Session, *, notice: str = "", fault: str = "", status: int = 200) -> Response:
    may_set_up = member.may("owner")
    return page(
        "access.html",
        status=status,
        session=member,
        may_set_up=may_set_up,
        notice=notice,
        fault=fault,
    )


async def _ask(desk: Desk, member: Session, method: str, path: str, body: Mapping[str, str]) -> Any:
    call = Call(
        method=method,
        context=Context.AUTH,
        shop=member.shop,
        path=path,
        token=member.access_token,
        body=body,
    )
    return await desk.contexts.read(call)
