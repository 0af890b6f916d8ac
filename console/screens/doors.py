"""What routes share: the shop of a path, who looks, what was typed, and refusals as pages."""

import asyncio
import hmac
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import RedirectResponse, Response

from comanda.ids import InvalidShopId, ShopId
from comanda.messaging.ports import MessagingUnavailable
from console.queues.processes import Processes
from console.queues.queues import Queues
from console.screens.board import Boards
from console.screens.contexts import JSON, Call, Context, Contexts, OutOfReach, Refused
from console.screens.guarding import cookie_header
from console.screens.rendering import page
from console.screens.sealing import Sealer
from console.screens.sessions import LONGEST_VISIT, Session, Sessions
from console.screens.simulator import Simulator

log = logging.getLogger(__name__)
STAFF_COOKIE = "__Secure-staff"
_BODY_LIMIT = 16 * 1024
# The contexts explain themselves to engineers, in English; these are for a shop's people.
_WORDS = {
    403: "Seu usuário não tem permissão para isto.",
    409: "Isso não é mais possível: já mudou. Veja como está agora.",
    412: "Outra pessoa mudou isto antes. Veja como está agora.",
    413: "É grande demais.",
    422: "Confira o que foi digitado.",
    429: "Muitas tentativas seguidas. Espere um pouco.",
}
OFFICE = ("manager", "owner")
COOKS = ("kitchen", "manager")


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """All that one process of the console needs."""

    contexts: Contexts
    sessions: Sessions
    boards: Boards
    sealer: Sealer
    queues: Queues
    processes: Processes
    # Only on a laptop.
    simulator: Simulator | None
    clock: Callable[[], datetime]
    # Set when the process is told to stop: streams end then, and their pages come back elsewhere.
    stopping: asyncio.Event

    async def ask_auth(
        self, who: Session, method: str, path: str, *, body: JSON | None = None
    ) -> Any:
        """Ask auth in somebody's name; raise `Refused` or `OutOfReach`."""
        call = Call(
            method=method,
            context=Context.AUTH,
            shop=who.shop,
            path=path,
            token=who.access_token,
            body=body,
        )
        return await self.contexts.read(call)


class NotHere(Exception):
    """There is no such page."""


class SignInNeeded(Exception):
    """Nobody is signed in, or not any more."""

    def __init__(self, shop: ShopId) -> None:
        super().__init__(shop)
        self.shop = shop


class NotYours(Exception):
    """Somebody is signed in who may not do this."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.username)
        self.session = session


async def desk_of(request: Request) -> Desk:
    """Give what the lifespan connected."""
    desk: Desk = request.app.state.desk
    return desk


async def known_shop(shop: str, request: Request) -> ShopId:
    """Take the shop of the path."""
    with suppress(InvalidShopId):
        shop_id = ShopId(shop)
        if shop_id in request.app.state.shops:
            return shop_id
    raise NotHere


OpenDesk = Annotated[Desk, Depends(desk_of)]
KnownShop = Annotated[ShopId, Depends(known_shop)]


async def session_of(shop: KnownShop, desk: OpenDesk, request: Request) -> Session:
    """Give who is signed in, with a token that is good; check the form's token of what changes."""
    found = desk.sessions.opened(request.cookies.get(STAFF_COOKIE, ""), shop=shop)
    if found is None:
        raise SignInNeeded(shop)
    if request.method not in ("GET", "HEAD"):
        sent = request.headers.get("x-csrf") or (await form_of(request)).get("csrf", "")
        if not hmac.compare_digest(sent.encode(), found.csrf.encode()):
            raise SignInNeeded(shop)
    try:
        fresh = await desk.sessions.fresh(found)
    except Refused as exc:
        forget_session(request, shop)
        raise SignInNeeded(shop) from exc
    if fresh is not found:
        keep_session(request, desk, fresh)
    return fresh


def keep_session(request: Request, desk: Desk, session: Session) -> None:
    """Let the answer carry the session."""
    seconds = int(LONGEST_VISIT.total_seconds())
    give_cookie(request, STAFF_COOKIE, desk.sessions.cookie(session), session.shop, seconds=seconds)


def forget_session(request: Request, shop: ShopId) -> None:
    """Let the answer take the session away."""
    give_cookie(request, STAFF_COOKIE, "", shop, seconds=0)


def give_cookie(
    request: Request, name: str, value: str, shop: ShopId, *, seconds: int | None = None
) -> None:
    """Let the answer carry a cookie for the pages of this shop."""
    cookie = cookie_header(name, value, path=f"/loja/{shop}", seconds=seconds)
    request.scope["state"].setdefault("cookies", []).append(cookie)


class Admit:
    """The dependency that admits staff of any of these groups."""

    def __init__(self, *groups: str) -> None:
        self._groups = groups

    async def __call__(self, session: Annotated[Session, Depends(session_of)]) -> Session:
        """Give the session, or refuse."""
        if not session.may(*self._groups):
            raise NotYours(session)
        return session


AnyStaff = Annotated[Session, Depends(Admit("kitchen", "manager", "owner"))]
Office = Annotated[Session, Depends(Admit(*OFFICE))]
Owner = Annotated[Session, Depends(Admit("owner"))]
Cook = Annotated[Session, Depends(Admit(*COOKS))]


async def form_of(request: Request) -> Mapping[str, str]:
    """Read a form of 16 KiB at most; of a field that comes twice the last one counts."""
    if not hasattr(request.state, "form"):
        raw = b""
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > _BODY_LIMIT:
                raise Refused(413, {"title": "too large"})
        text = raw.decode("utf-8", errors="replace")
        request.state.form = {k: v[-1] for k, v in parse_qs(text, keep_blank_values=True).items()}
    form: Mapping[str, str] = request.state.form
    return form


Form = Annotated[Mapping[str, str], Depends(form_of)]


def install(app: FastAPI) -> None:
    """Answer every refusal with a page that says what to do, in Portuguese."""
    app.add_exception_handler(NotHere, _not_here)
    app.add_exception_handler(404, _not_here)
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(NotYours, _not_yours)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(OutOfReach, _out_of_reach)
    app.add_exception_handler(MessagingUnavailable, _queues_away)
    app.add_exception_handler(RequestValidationError, _senseless)
    app.add_exception_handler(Exception, _broken)


async def _not_here(_: Request, __: Exception) -> Response:
    return page("message.html", status=404, title="Página não encontrada", text="", again=False)


async def _sign_in(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, SignInNeeded)  # Starlette calls by type; this tells mypy so.
    return _to_the_door(request, exc.shop)


def _to_the_door(request: Request, shop: ShopId) -> Response:
    target = f"/loja/{shop}/entrar"
    if "hx-request" in request.headers or "x-csrf" in request.headers:
        # htmx follows this, and a stream that is refused comes back to the same answer.
        return Response(status_code=401, headers={"HX-Redirect": target})
    if request.method == "GET":
        target += f"?para={quote(request.url.path)}"
    return RedirectResponse(target, status_code=303)


async def _not_yours(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, NotYours)  # As above.
    text = f"{exc.session.username} não tem permissão para isto."
    return page("message.html", status=403, title="Sem permissão", text=text, again=False)


async def _refused(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, Refused)  # As above.
    log.info("a context refused", extra={"status": exc.status, "reason": exc.detail})
    if exc.status == 404:
        return await _not_here(request, exc)
    shop = request.path_params.get("shop")
    if exc.status == 401 and shop and STAFF_COOKIE in request.cookies:
        # The token was good when it was sealed, and is not any more.
        return _to_the_door(request, ShopId(shop))
    text = _WORDS.get(exc.status, "O sistema não aceitou este pedido.")
    return page("message.html", status=exc.status, title="Não foi possível", text=text, again=True)


async def _senseless(_: Request, __: Exception) -> Response:
    title, text = "Não foi possível", "O endereço não está certo."
    return page("message.html", status=422, title=title, text=text, again=False)


async def _broken(_: Request, exc: Exception) -> Response:
    log.error("a page is broken", exc_info=exc)
    text = "Algo deu errado aqui, e ficou anotado. Nada se perdeu."
    return page("message.html", status=500, title="Não foi possível", text=text, again=True)


async def _queues_away(_: Request, exc: Exception) -> Response:
    log.warning("the queues are out of reach", extra={"reason": str(exc)})
    text = f"The queues cannot be reached: {exc}. Nothing was lost."
    return page("message.html", status=503, title="Out of reach", text=text, again=True)


async def _out_of_reach(_: Request, exc: Exception) -> Response:
    log.warning("a context is out of reach", extra={"reason": str(exc)})
    text = "Uma parte do sistema não respondeu. Nada se perdeu: tente de novo em instantes."
    answer = page("message.html", status=503, title="Só um momento", text=text, again=True)
    answer.headers["Retry-After"] = "2"
    return answer
