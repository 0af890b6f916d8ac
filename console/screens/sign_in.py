"""The staff's door: sign in, see what one may open, sign out."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from comanda.ids import ShopId
from console.screens.contexts import OutOfReach, Refused
from console.screens.doors import (
    COOKS,
    OFFICE,
    AnyStaff,
    Form,
    KnownShop,
    OpenDesk,
    forget_session,
    keep_session,
)
from console.screens.rendering import page
from console.screens.sessions import Login

router = APIRouter()
_WRONG = "Usuário ou senha não conferem."
_FAULTS = {
    422: "A senha nova precisa de 12 letras ou mais, com minúscula, maiúscula e número.",
    429: "Muitas tentativas seguidas. Espere um pouco e tente de novo.",
}
_DOWN = "O serviço de acesso não respondeu. Tente de novo em instantes."


@router.get("/entrar")
async def show(shop: KnownShop, para: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Show the form."""
    return _form(shop, target=para)


@router.post("/entrar")
async def enter(shop: KnownShop, desk: OpenDesk, form: Form, request: Request) -> Response:
    """Sign in; the answer does not say which of the two was wrong."""
    target = form.get("para", "")
    login = Login(
        username=form.get("usuario", "").strip(),
        password=form.get("senha", ""),
        totp=form.get("codigo", "").strip(),
        new_password=form.get("nova", ""),
    )
    try:
        session = await desk.sessions.sign_in(shop, login)
    except Refused as exc:
        fault = _FAULTS.get(exc.status, _WRONG)
        status = exc.status if exc.status in _FAULTS else 401
        return _form(shop, target=target, username=login.username, fault=fault, status=status)
    except OutOfReach:
        return _form(shop, target=target, username=login.username, fault=_DOWN, status=503)
    keep_session(request, desk, session)
    return RedirectResponse(_safe(shop, target), status_code=303)


@router.post("/sair")
async def leave(desk: OpenDesk, session: AnyStaff, request: Request) -> Response:
    """Sign out here; the tokens are given back if auth can be reached."""
    forget_session(request, session.shop)
    # The browser has no session any more; what it held ends by itself if auth cannot be told.
    with suppress(Refused, OutOfReach):
        await desk.sessions.sign_out(session)
    return RedirectResponse(f"/loja/{session.shop}/entrar", status_code=303)


@router.get("/equipe")
async def home(session: AnyStaff) -> Response:
    """Show what this person may open."""
    return page(
        "home.html",
        session=session,
        is_cook=session.may(*COOKS),
        is_office=session.may(*OFFICE),
    )


def _form(
    shop: ShopId, *, target: str, username: str = "", fault: str = "", status: int = 200
) -> Response:
    return page(
        "sign_in.html", status=status, shop=shop, target=target, username=username, fault=fault
    )


def _safe(shop: ShopId, target: str) -> str:
    # Nobody is led to another site, nor to another shop, by a link that somebody sent them.
    own = f"/loja/{shop}/"
    plain = target.startswith(own) and "\\" not in target and ".." not in target
    return target if plain else f"{own}equipe"
