"""What is sold and what ran out, the menu as a sheet, and when the shop is open."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from comanda.ids import is_id
from console.screens.contexts import Answer, Call, Context, Refused
from console.screens.doors import AnyStaff, Desk, Form, NotHere, Office, OpenDesk
from console.screens.rendering import page, render
from console.screens.sessions import Session
from console.screens.wording import WEEKDAYS, by_shelf

router = APIRouter()
SHEET_LIMIT = 1024 * 1024
SWITCHES = (("BY_HOURS", "Seguir os horários"), ("OPEN", "Aberta"), ("CLOSED", "Fechada"))
_ROWS_A_DAY = 2
Notice = Annotated[str, Query(max_length=40)]


@router.get("/cardapio")
async def show(crew: AnyStaff, desk: OpenDesk, aviso: Notice = "") -> Response:
    """Show each product, whether it can be had, and what is left of it."""
    products = (await _ask(desk, crew, "GET", "/products")).json["products"]
    levels = (await _ask(desk, crew, "GET", "/stock")).json["levels"]
    return page(
        "menu_office.html",
        session=crew,
        shelves=by_shelf(product for product in products if not product["is_removed"]),
        left={level["product_id"]: level["left"] for level in levels},
        shop=(await _ask(desk, crew, "GET", "/shop")).json,
        switches=SWITCHES,
        is_office=crew.may("manager", "owner"),
        notice=aviso,
    )


@router.post("/cardapio/produtos/{product_id}/disponivel")
async def switch(product_id: str, *, crew: AnyStaff, desk: OpenDesk, form: Form) -> Response:
    """Say that a product can be had, or that it ran out; for new orders at once."""
    if not is_id(product_id):
        raise NotHere
    body = {"is_available": form.get("disponivel") == "sim"}
    await _ask(desk, crew, "PUT", f"/products/{product_id}/availability", body=body)
    return RedirectResponse(f"/loja/{crew.shop}/cardapio?aviso=cardapio", status_code=303)


@router.get("/cardapio/planilha.csv")
async def download(office: Office, desk: OpenDesk) -> Response:
    """Give the menu as a sheet."""
    sheet = await _ask(desk, office, "GET", "/menu.csv")
    headers = {"Content-Disposition": f'attachment; filename="cardapio-{office.shop}.csv"'}
    return Response(sheet.content, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/cardapio/planilha.csv")
async def upload(
    office: Office,
    desk: OpenDesk,
    request: Request,
    *,
    conferir: Annotated[bool, Query()] = True,
) -> Response:
    """Check a sheet, or make it the menu; all rows or none."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > SHEET_LIMIT:
            raise Refused(413, {"title": "too large"})
    call = Call(
        method="POST",
        context=Context.CATALOG,
        shop=office.shop,
        path="/menu.csv",
        token=office.access_token,
        raw=raw,
        media_type="text/csv; charset=utf-8",
        query={"is_dry_run": str(conferir).lower()},
    )
    try:
        outcome: dict[str, Any] = await desk.contexts.read(call)
    except Refused as exc:
        if exc.status not in (400, 422):
            raise
        faults = [{"row": "", **error} for error in exc.errors]
        outcome = {"added": 0, "changed": 0, "unchanged": 0, "faults": faults or [{}]}
    return HTMLResponse(render("sheet.html", outcome=outcome, is_check=conferir))


@router.post("/cardapio/loja")
async def open_or_close(office: Office, desk: OpenDesk, form: Form) -> Response:
    """Open or close the shop whatever its hours say, or let it follow them."""
    if form.get("chave") not in dict(SWITCHES):
        raise NotHere
    await _ask(desk, office, "PUT", "/shop/switch", body={"switch": form["chave"]})
    return RedirectResponse(f"/loja/{office.shop}/cardapio?aviso=horarios", status_code=303)


@router.get("/horarios")
async def show_hours(office: Office, desk: OpenDesk, aviso: Notice = "") -> Response:
    """Show the week."""
    shop = (await _ask(desk, office, "GET", "/shop")).json
    days = []
    for weekday, name in enumerate(WEEKDAYS):
        stretches = [s for s in shop["hours"] if s["weekday"] == weekday]
        empty = {"opens": "", "closes": ""}
        rows = stretches + [empty] * max(1, _ROWS_A_DAY - len(stretches))
        days.append((weekday, name, rows))
    return page("hours.html", session=office, shop=shop, days=days, notice=aviso)


@router.post("/horarios")
async def set_hours(office: Office, desk: OpenDesk, form: Form) -> Response:
    """Replace the week, unless somebody else changed it first."""
    most = form.get("maximo", "").strip()
    begins = form.get("inicio", "0").strip()
    notice = "horarios"
    try:
        body = {
            "hours": typed_hours(form),
            "switch": form.get("chave", "BY_HOURS"),
            "most_in_flight": int(most) if most else None,
            "day_begins_at": int(begins or 0),
        }
        version = f'"{int(form.get("versao", ""))}"'
        await _ask(desk, office, "PUT", "/shop", body=body, headers={"If-Match": version})
    except ValueError:
        notice = "recusado"
    except Refused as exc:
        if exc.status not in (409, 412, 422):
            raise
        notice = "recusado" if exc.status == 422 else "mudou"
    return RedirectResponse(f"/loja/{office.shop}/horarios?aviso={notice}", status_code=303)


def typed_hours(form: Form) -> list[dict[str, Any]]:
    """Read the stretches of a form; raise `ValueError` for one that has no end or no beginning."""
    found = []
    for name, opens in sorted(form.items()):
        if name.startswith("abre-"):
            closes = form.get(name.replace("abre-", "fecha-"), "")
            if bool(opens) != bool(closes):
                raise ValueError("a stretch has a beginning and an end")
            if opens:
                weekday = int(name.split("-")[1])
                found.append({"weekday": weekday, "opens": opens[:5], "closes": closes[:5]})
    return found


async def _ask(
    desk: Desk,
    session: Session,
    method: str,
    path: str,
    *,
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    call = Call(
        method=method,
        context=Context.CATALOG,
        shop=session.shop,
        path=path,
        token=session.access_token,
        body=body,
        headers=headers,
    )
    return await desk.contexts.ask(call)
