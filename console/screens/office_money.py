"""The ledger's sums, the reconciliation's three numbers, and the cases for a person to settle."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from console.screens.contexts import Call, Context, Refused
from console.screens.doors import Desk, Form, Office, OpenDesk
from console.screens.rendering import page
from console.screens.sessions import Session

router = APIRouter()
WINDOWS = ((24, "24 horas"), (24 * 7, "7 dias"), (24 * 30, "30 dias"))


@router.get("/caixa")
async def show(
    office: Office,
    desk: OpenDesk,
    horas: Annotated[int, Query(ge=1, le=24 * 90)] = 24,
    aviso: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show what came, what went back, and what is open."""
    return page(
        "money.html",
        session=office,
        totals=await _read(desk, office, "/totals"),
        report=await _read(desk, office, "/reconciliation", hours=str(horas)),
        cases=(await _read(desk, office, "/cases", limit="200"))["cases"],
        hours=horas,
        windows=WINDOWS,
        notice=aviso,
    )


@router.post("/caixa/casos/{case_id}/resolver")
async def resolve(case_id: int, *, office: Office, desk: OpenDesk, form: Form) -> Response:
    """Close a case with a reason."""
    call = Call(
        method="POST",
        context=Context.PAYMENTS,
        shop=office.shop,
        path=f"/cases/{case_id}/resolution",
        token=office.access_token,
        body={"reason": form.get("motivo", "").strip()},
    )
    notice = "resolvido"
    try:
        await desk.contexts.ask(call)
    except Refused as exc:
        if exc.status not in (404, 409, 422):
            raise
        notice = "recusado" if exc.status == 422 else "mudou"
    return RedirectResponse(f"/loja/{office.shop}/caixa?aviso={notice}", status_code=303)


async def _read(desk: Desk, office: Session, path: str, **query: str) -> Any:
    call = Call(
        method="GET",
        context=Context.PAYMENTS,
        shop=office.shop,
        path=path,
        token=office.access_token,
        query=query or None,
    )
    return await desk.contexts.read(call)
