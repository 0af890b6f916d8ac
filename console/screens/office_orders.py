"""The orders of a day, and all that there is to see and do about one of them."""

import hashlib
from contextlib import suppress
from datetime import date
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Header, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from comanda.ids import is_id
from comanda.money import InvalidMoney, Money
from console.queues.noting import Note
from console.screens.acts import SessionNotebook
from console.screens.contexts import Call, Context, Refused
from console.screens.doors import Desk, Form, NotHere, Office, OpenDesk
from console.screens.rendering import page, render
from console.screens.sessions import Session
from console.screens.wording import REASONS, STATUSES

router = APIRouter()
# What staff may give as a reason; the others say what happened by itself.
STAFF_REASONS = ("customer_asked", "out_of_stock", "kitchen_problem", "closing", "mistake")
_CAN_CANCEL = frozenset({"PENDING_PAYMENT", "RECEIVED", "IN_PREPARATION", "READY"})
_CAN_REFUND = frozenset({"PAID", "PARTIALLY_REFUNDED", "PAID_LATE"})
Text = Annotated[str, Query(max_length=200)]


@router.get("/pedidos")
async def list_orders(
    office: Office,
    desk: OpenDesk,
    dia: Text = "",
    status: Text = "",
    senha: Text = "",
    cursor: Text = "",
) -> Response:
    """List a day's orders; what cannot be read in the filters is left out."""
    query = {"limit": "50"}
    with suppress(ValueError):
        query["day"] = date.fromisoformat(dia).isoformat()
    if status in STATUSES:
        query["status"] = status
    if senha.isascii() and senha.isdigit() and 0 < int(senha) < 1_000_000:
        query["call_number"] = senha
    if cursor:
        query["cursor"] = cursor
    filters = {"dia": query.get("day", ""), "status": status, "senha": query.get("call_number", "")}
    return page(
        "orders.html",
        session=office,
        listed=await _listed(desk, office, query, filters=filters),
        # A day that is over, a page further on and a single order do not move.
        is_live=not (filters["dia"] or filters["senha"] or cursor),
        filters=filters,
    )


@router.get("/pedidos/lista")
async def show_list(
    office: Office,
    desk: OpenDesk,
    status: Text = "",
    seen: Annotated[str, Header(alias="If-None-Match", max_length=80)] = "",
) -> Response:
    """Give today's list alone, or 304 when it is the one that the page has."""
    known = {"status": status} if status in STATUSES else {}
    filters = {"dia": "", "status": known.get("status", ""), "senha": ""}
    listed = await _listed(desk, office, {"limit": "50", **known}, filters=filters)
    etag = f'"{hashlib.sha256(listed.encode()).hexdigest()[:16]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag in seen:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(listed, headers=headers)


@router.get("/pedidos/{order_id}")
async def show_order(
    order_id: str, *, office: Office, desk: OpenDesk, aviso: Text = ""
) -> Response:
    """Show an order, its money, and what may be done."""
    if not is_id(order_id):
        raise NotHere
    order = await _read(desk, office, Context.ORDERS, f"/orders/{order_id}")
    query = {"order_id": order_id}
    charges = (await _read(desk, office, Context.PAYMENTS, "/charges", query=query))["charges"]
    for charge in charges:
        base = f"/charges/{charge['id']}"
        charge["ledger"] = (await _read(desk, office, Context.PAYMENTS, f"{base}/ledger"))[
            "entries"
        ]
        refunds = await _read(desk, office, Context.PAYMENTS, f"{base}/refunds")
        charge["attempts"] = refunds["refunds"]
        charge["left"] = _left(charge)
        charge["told"] = await _told(desk, office, charge["provider_id"])
    return page(
        "order_office.html",
        session=office,
        order=order,
        charges=charges,
        notice=aviso,
        can_cancel=order["status"] in _CAN_CANCEL,
        reasons=[(word, REASONS[word]) for word in STAFF_REASONS],
        # One form is one refund, however often it is sent.
        key=str(uuid4()),
    )


@router.post("/pedidos/{order_id}/cancelar")
async def cancel(order_id: str, *, office: Office, desk: OpenDesk, form: Form) -> Response:
    """Cancel an order with a reason; the money follows by itself."""
    if not is_id(order_id) or form.get("motivo") not in STAFF_REASONS:
        return _back(office, order_id, "recusado")
    body = {"reason": form["motivo"], "note": form.get("nota", "").strip()}
    notice = await _done(desk, office, Context.ORDERS, f"/orders/{order_id}/cancel", body)
    return _back(office, order_id, notice or "cancelado")


@router.post("/pedidos/{order_id}/conferir")
async def check(order_id: str, *, office: Office, desk: OpenDesk, form: Form) -> Response:
    """Have a charge read at Mercado Pago now."""
    charge_id = form.get("cobranca", "")
    if not is_id(order_id) or not is_id(charge_id):
        return _back(office, order_id, "recusado")
    notice = await _done(desk, office, Context.PAYMENTS, f"/charges/{charge_id}/check", {})
    note = Note(
        what="payments.checked", whom=charge_id, why="the order's page", operator=office.username
    )
    outcome = {"outcome": notice or "asked for"}
    # A question changes nothing by itself, and money must not wait for the archive.
    await SessionNotebook(desk.contexts, office).tell(note, outcome)
    return _back(office, order_id, notice or "conferindo")


@router.post("/pedidos/{order_id}/devolver")
async def refund(order_id: str, *, office: Office, desk: OpenDesk, form: Form) -> Response:
    """Pay back all or a part of a charge."""
    charge_id, key = form.get("cobranca", ""), form.get("chave", "")
    if not is_id(order_id) or not is_id(charge_id) or not is_id(key):
        return _back(office, order_id, "recusado")
    body: dict[str, Any] = {"reason": form.get("motivo", "").strip()}
    if form.get("valor", "").strip():
        try:
            body["amount"] = str(typed_amount(form["valor"]))
        except InvalidMoney:
            return _back(office, order_id, "recusado")
    path = f"/charges/{charge_id}/refunds"
    headers = {"Idempotency-Key": key}
    notice = await _done(desk, office, Context.PAYMENTS, path, body, headers=headers)
    return _back(office, order_id, notice or "devolvido")


def typed_amount(text: str) -> Money:
    """Read an amount as people type it: `1.234,56`, `12,5`, `R$ 12`; raise `InvalidMoney`."""
    plain = text.replace("R$", "").replace("\u00a0", " ").strip()
    if "," in plain:
        plain = plain.replace(".", "").replace(",", ".")
    return Money.parse(plain)


def _left(charge: dict[str, Any]) -> Money | None:
    if charge["status"] not in _CAN_REFUND:
        return None
    charged, refunded = Money.parse(charge["charged"]), Money.parse(charge["refunded"])
    return charged - refunded if charged > refunded else None


async def _told(desk: Desk, office: Session, provider_id: str | None) -> Any:
    """List what Mercado Pago told us about a charge, and what became of it."""
    if not provider_id:
        return []
    query = {"resource_id": provider_id}
    found = await _read(desk, office, Context.PAYMENTS, "/notifications", query=query)
    return found["notifications"]


async def _listed(
    desk: Desk, office: Session, query: dict[str, str], *, filters: dict[str, str]
) -> str:
    found = await _read(desk, office, Context.ORDERS, "/orders", query=query)
    return render(
        "orders_list.html",
        session=office,
        orders=found["orders"],
        cursor=found.get("cursor"),
        filters=filters,
    )


async def _read(
    desk: Desk,
    office: Session,
    context: Context,
    path: str,
    *,
    query: dict[str, str] | None = None,
) -> Any:
    token = office.access_token
    return await desk.contexts.read(
        Call(method="GET", context=context, shop=office.shop, path=path, token=token, query=query)
    )


async def _done(
    desk: Desk,
    office: Session,
    context: Context,
    path: str,
    body: dict[str, Any],
    *,
    headers: dict[str, str] | None = None,
) -> str:
    """Ask for a change; give the word for a refusal, or nothing."""
    call = Call(
        method="POST",
        context=context,
        shop=office.shop,
        path=path,
        token=office.access_token,
        body=body,
        headers=headers,
    )
    try:
        await desk.contexts.ask(call)
    except Refused as exc:
        if exc.status in (409, 412):
            return "mudou"
        if exc.status == 422:
            return "recusado"
        raise
    return ""


def _back(office: Session, order_id: str, notice: str) -> Response:
    if not is_id(order_id):
        raise NotHere
    path = f"/loja/{office.shop}/pedidos/{order_id}?aviso={notice}"
    return RedirectResponse(path, status_code=303)
