"""What owners see of their customers' rights: erasures by protocol number, and CPFs set free.

Customers read, export and erase their own data on their account's page; nobody does it for them,
for nobody here may learn who is behind an account.
"""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from console.screens.contexts import Refused
from console.screens.doors import Form, OpenDesk, Owner
from console.screens.rendering import page

router = APIRouter()
_ERASED, _RELEASED = "customer.erased", "cpf.released"
_MOST = 200


@router.get("/privacidade")
async def show(
    owner: Owner,
    desk: OpenDesk,
    protocolo: Annotated[str, Query(max_length=64)] = "",
    aviso: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show the requests, the newest first, or the one of a protocol number."""
    acts: list[dict[str, Any]] = (await desk.ask_auth(owner, "GET", "/staff/audit"))["acts"]
    wanted = protocolo.strip().lower()
    erasures = [act for act in acts if act["what"] == _ERASED]
    found = [act for act in erasures if act["whom"] == wanted] if wanted else erasures
    return page(
        "privacy.html",
        session=owner,
        requests=found[:_MOST],
        wanted=wanted,
        pending=sum(act["done_at"] is None for act in erasures),
        releases=[act for act in acts if act["what"] == _RELEASED][:_MOST],
        notice=aviso,
    )


@router.post("/privacidade/cpf")
async def release_cpf(owner: Owner, desk: OpenDesk, form: Form) -> Response:
    """Take a CPF from whoever claimed it; the answer does not tell whether anybody had."""
    cpf = re.sub(r"\D", "", form.get("cpf", ""))
    body = {"cpf": cpf, "reason": form.get("motivo", "").strip()}
    notice = "cpf"
    try:
        await desk.ask_auth(owner, "POST", "/staff/cpf-releases", body=body)
    except Refused as exc:
        if exc.status != 422:
            raise
        notice = "recusado"
    return RedirectResponse(f"/loja/{owner.shop}/privacidade?aviso={notice}", status_code=303)
