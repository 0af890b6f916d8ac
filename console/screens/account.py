"""A customer's own account: their orders, what we know of them, their copy of it, and the end."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from console.screens.contexts import Answer, Call, Context, OutOfReach, Refused
from console.screens.customers import Customer, OpenCustomer, forget_customer, keep_customer
from console.screens.doors import Desk, Form, OpenDesk
from console.screens.rendering import page
from console.screens.visits import PHONE

router = APIRouter()
# Typed by hand, so that nobody loses their account by a slip of the finger.
GOODBYE = "APAGAR"
NOTICES = {
    "nome": "Nome guardado.",
    "cpf": "Recebido. Se o CPF não for de outra conta, você já pode entrar com ele.",
}
_FAULTS = {
    412: "Seus dados mudaram em outro lugar. Veja como estão agora.",
    422: "Confira o que foi digitado.",
    428: "Seus dados mudaram em outro lugar. Veja como estão agora.",
    429: "Muitas tentativas seguidas. Espere um pouco e tente de novo.",
}


@router.get("/conta")
async def show(
    customer: OpenCustomer,
    desk: OpenDesk,
    cursor: Annotated[str, Query(max_length=200)] = "",
    aviso: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show one's orders and data; at a kiosk others look on, so it shows none."""
    if customer.kiosk != PHONE:
        target = f"pedir?totem={customer.kiosk}&conta=sim"
        return RedirectResponse(f"/loja/{customer.session.shop}/{target}", status_code=303)
    return await _shown(desk, customer, cursor=cursor, notice=aviso)


@router.get("/conta/dados.json")
async def export(customer: OpenCustomer, desk: OpenDesk) -> Response:
    """Give a copy of all that is held about them."""
    answer = await _ask(desk, customer, "GET", Context.AUTH, "/me/export")
    headers = {"Content-Disposition": 'attachment; filename="meus-dados.json"'}
    return Response(answer.content, media_type="application/json", headers=headers)


@router.post("/conta/sair")
async def leave(customer: OpenCustomer, desk: OpenDesk, form: Form, request: Request) -> Response:
    """Sign out, here or everywhere."""
    shop = customer.session.shop
    if form.get("tudo") == "sim":
        # Who wants out everywhere must know whether it was done.
        await _ask(desk, customer, "DELETE", Context.AUTH, "/me/sessions")
    else:
        with suppress(Refused, OutOfReach):
            await desk.sessions.sign_out(customer.session)
    forget_customer(request, shop)
    totem = "" if customer.kiosk == PHONE else f"?totem={customer.kiosk}"
    return RedirectResponse(f"/loja/{shop}/pedir{totem}", status_code=303)


@router.post("/conta/nome")
async def rename(customer: OpenCustomer, desk: OpenDesk, form: Form, request: Request) -> Response:
    """Change one's name, unless it was changed elsewhere since the page was shown."""
    body = {"name": form.get("nome", "").strip()}
    edition = form.get("edicao", "")
    headers = {"If-Match": f'"{edition}"'} if edition.isascii() and edition.isdigit() else {}
    answer = await _changed(desk, customer, "PATCH", "/me", body, headers=headers)
    if answer.status_code == 303:
        keep_customer(request, desk, customer.called(body["name"]))
    return answer


@router.post("/conta/cpf")
async def claim_cpf(customer: OpenCustomer, desk: OpenDesk, form: Form) -> Response:
    """Sign in by this CPF from now on, if nobody else does; the answer does not tell."""
    body = {"cpf": re.sub(r"\D", "", form.get("cpf", ""))}
    return await _changed(desk, customer, "PUT", "/me/cpf", body, done="cpf")


@router.post("/conta/apagar")
async def erase(customer: OpenCustomer, desk: OpenDesk, form: Form, request: Request) -> Response:
    """Be forgotten; the protocol number is all that stays."""
    if form.get("certeza", "").strip().upper() != GOODBYE:
        fault = f"Para apagar, digite {GOODBYE}."
        return await _shown(desk, customer, fault=fault, status=422)
    receipt = (await _ask(desk, customer, "DELETE", Context.AUTH, "/me")).json
    forget_customer(request, customer.session.shop)
    return page("account_gone.html", shop=customer.session.shop, receipt=receipt)


async def _changed(
    desk: Desk,
    customer: Customer,
    method: str,
    path: str,
    body: Mapping[str, str],
    *,
    headers: Mapping[str, str] | None = None,
    done: str = "nome",
) -> Response:
    call = Call(
        method=method,
        context=Context.AUTH,
        shop=customer.session.shop,
        path=path,
        token=customer.session.access_token,
        body=body,
        headers=headers,
    )
    try:
        await desk.contexts.ask(call)
    except Refused as exc:
        if exc.status not in _FAULTS:
            raise
        return await _shown(desk, customer, fault=_FAULTS[exc.status], status=exc.status)
    return RedirectResponse(f"/loja/{customer.session.shop}/conta?aviso={done}", status_code=303)


async def _shown(
    desk: Desk,
    customer: Customer,
    *,
    cursor: str = "",
    notice: str = "",
    fault: str = "",
    status: int = 200,
) -> Response:
    query = {"limit": "20"} | ({"cursor": cursor} if cursor else {})
    found = (await _ask(desk, customer, "GET", Context.ORDERS, "/orders", query=query)).json
    profile = await _ask(desk, customer, "GET", Context.AUTH, "/me")
    return page(
        "account.html",
        status=status,
        shop=customer.session.shop,
        session=customer.session,
        profile=profile.json,
        edition=profile.headers.get("ETag", "").strip('"'),
        notice=NOTICES.get(notice, ""),
        orders=found["orders"],
        cursor=found.get("cursor"),
        goodbye=GOODBYE,
        fault=fault,
    )


async def _ask(
    desk: Desk,
    customer: Customer,
    method: str,
    context: Context,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
) -> Answer:
    call = Call(
        method=method,
        context=context,
        shop=customer.session.shop,
        path=path,
        token=customer.session.access_token,
        query=query,
    )
    return await desk.contexts.ask(call)
