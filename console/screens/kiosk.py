"""Where customers order: the menu by steps, a cart that lives in the page, one order at the end.

The page keeps the cart and makes up the idempotency key, so a lost answer costs nobody a second
order. Prices in the page are for the eye: the order is priced by the contexts.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import JSONResponse, Response

from console.screens.contexts import Call, Context, Refused
from console.screens.customers import CUSTOMER_COOKIE, OpenVisit, customer_in, forget_customer
from console.screens.doors import KnownShop, OpenDesk
from console.screens.rendering import page
from console.screens.visits import PHONE, begin_visit, kiosk_named, visit_in
from console.screens.wording import by_shelf

router = APIRouter()
_BODY_LIMIT = 32 * 1024
_CLOSED = "A loja está fechada agora."
_FAULTS = {
    409: _CLOSED,
    422: "Alguma coisa do pedido não está mais disponível. Confira e tente de novo.",
    429: "Muitos pedidos ao mesmo tempo. Espere um instante e tente de novo.",
}


@router.get("/pedir")
async def show_menu(
    shop: KnownShop,
    desk: OpenDesk,
    request: Request,
    *,
    totem: Annotated[str, Query(max_length=32)] = "",
    conta: Annotated[str, Query(max_length=3)] = "",
) -> Response:
    """Show the menu; a kiosk names itself by `totem`, a phone does not.

    A kiosk knows a customer only right after they signed in (`conta`): every other start is the
    next person's.
    """
    kiosk = kiosk_named(totem)
    customer = None
    if kiosk == PHONE or conta == "sim":
        customer = await customer_in(desk, request, shop)
    elif CUSTOMER_COOKIE in request.cookies:
        forget_customer(request, shop)
    call = Call(method="GET", context=Context.CATALOG, shop=shop, path="/menu")
    menu = await desk.contexts.read(call)
    products: list[Mapping[str, Any]] = menu["products"]
    return page(
        "kiosk.html",
        shop=shop,
        customer=customer,
        kiosk=kiosk,
        is_kiosk=kiosk != PHONE,
        is_open=menu.get("is_open", True),
        shelves=by_shelf(products),
        # In a script element no sign may end it, nor begin a comment.
        data=json.dumps({product["id"]: product for product in products}).replace("<", "\\u003c"),
    )


@router.post("/pedir/visita")
async def begin(shop: KnownShop, desk: OpenDesk, request: Request) -> Response:
    """Begin a visit, with a CPF if the customer gave one."""
    body = await _body(request)
    kiosk = kiosk_named(str(body.get("kiosk", PHONE)))
    cpf = str(body.get("cpf", ""))
    if await customer_in(desk, request, shop) is not None:
        # Whoever signed in orders in their own name.
        return JSONResponse({}, status_code=201)
    if kiosk == PHONE and not cpf and visit_in(desk, request, shop) is not None:
        # Who orders again on their own phone still sees what they ordered before.
        return JSONResponse({}, status_code=201)
    try:
        await begin_visit(desk, request, shop=shop, kiosk=kiosk, cpf=cpf)
    except Refused as exc:
        is_cpf = exc.status == 422
        fault = "Esse CPF não confere." if is_cpf else "Não foi possível começar. Tente de novo."
        return JSONResponse({"fault": fault, "field": "cpf" if is_cpf else ""}, status_code=422)
    return JSONResponse({}, status_code=201)


@router.post("/pedir/pedidos")
async def order(
    visit: OpenVisit,
    desk: OpenDesk,
    request: Request,
    key: Annotated[str, Header(alias="Idempotency-Key", pattern=r"^[0-9a-f-]{36}$")],
) -> Response:
    """Place the order and answer with its page; the Pix code is there or follows on it."""
    call = Call(
        method="POST",
        context=Context.ORDERS,
        shop=visit.shop,
        path="/orders",
        token=visit.token,
        body=await _body(request),
        headers={"Idempotency-Key": key, "Prefer": "wait=5"},
    )
    try:
        placed = await desk.contexts.read(call)
    except Refused as exc:
        fault = _FAULTS.get(exc.status, "Não foi possível fazer o pedido. Tente de novo.")
        return JSONResponse({"fault": fault, "lines": _faulty(exc)}, status_code=exc.status)
    return JSONResponse({"url": f"/loja/{visit.shop}/acompanhar/{placed['id']}"}, status_code=201)


def _faulty(exc: Refused) -> list[int]:
    """Name the lines of the cart that were refused."""
    found = (re.match(r"body\.lines\.(\d+)\.", str(e.get("field", ""))) for e in exc.errors)
    return sorted({int(match[1]) for match in found if match})


async def _body(request: Request) -> Mapping[str, Any]:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _BODY_LIMIT:
            raise Refused(413, {"title": "too large"})
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise Refused(400, {"title": "malformed"}) from exc
    if not isinstance(content, dict):
        raise Refused(400, {"title": "malformed"})
    return content
