"""A password that somebody of the staff forgot: a code by mail, and a new one."""

import re

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from comanda.ids import ShopId
from console.screens.contexts import Call, Context, Refused
from console.screens.doors import Form, KnownShop, OpenDesk
from console.screens.rendering import page

router = APIRouter()
_FAULTS = {
    400: "Confira o que foi digitado.",
    401: "O código não confere ou venceu. Tente de novo, ou peça outro.",
    422: "A senha nova precisa de 12 letras ou mais, com minúscula, maiúscula e número; "
    "o código tem 6 dígitos.",
    429: "Muitas tentativas seguidas. Espere um pouco e tente de novo.",
}


@router.get("/entrar/senha")
async def ask_who(shop: KnownShop) -> Response:
    """Ask who forgot their password."""
    return _page(shop)


@router.post("/entrar/senha")
async def send_code(shop: KnownShop, desk: OpenDesk, form: Form) -> Response:
    """Have a code sent; the page that asks for it comes for nobody's name, too."""
    body = {"username": form.get("usuario", "").strip()}
    call = Call(
        method="POST", context=Context.AUTH, shop=shop, path="/staff/password-codes", body=body
    )
    try:
        told = await desk.contexts.read(call)
    except Refused as exc:
        if exc.status not in (422, 429):
            raise
        fault = _FAULTS[429 if exc.status == 429 else 400]
        return _page(shop, fault=fault, status=exc.status)
    return _page(shop, session=str(told["session"]))


@router.post("/entrar/senha/nova")
async def set_password(shop: KnownShop, desk: OpenDesk, form: Form) -> Response:
    """Set the password by the code, and lead back to the door."""
    session = form.get("sessao", "")[:200]
    body = {
        "session": session,
        "code": re.sub(r"\s", "", form.get("codigo", "")),
        "new_password": form.get("nova", ""),
    }
    call = Call(method="POST", context=Context.AUTH, shop=shop, path="/staff/passwords", body=body)
    try:
        await desk.contexts.ask(call)
    except Refused as exc:
        if exc.status not in (401, 422, 429):
            raise
        return _page(shop, session=session, fault=_FAULTS[exc.status], status=exc.status)
    return RedirectResponse(f"/loja/{shop}/entrar", status_code=303)


def _page(shop: ShopId, *, session: str = "", fault: str = "", status: int = 200) -> Response:
    return page("password.html", status=status, shop=shop, auth_session=session, fault=fault)
