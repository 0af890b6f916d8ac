"""Who works in the shop, for its owners: invite, change, lock out, and who did what and why."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from console.screens.contexts import Refused
from console.screens.doors import Admit, Desk, Form, NotHere, OpenDesk
from console.screens.rendering import page
from console.screens.sessions import Session

router = APIRouter()
GROUPS = (("kitchen", "Cozinha"), ("manager", "Gerência"), ("owner", "Dono"))
ACTS: Mapping[str, str] = {
    "staff.invited": "convidou",
    "staff.changed": "mudou",
    "cpf.released": "liberou um CPF de",
}
_MOST_ACTS = 100
_USERNAME = re.compile(r"[a-z0-9][a-z0-9.-]{2,63}", re.ASCII)
Owner = Annotated[Session, Depends(Admit("owner"))]


@router.get("/pessoas")
async def show(
    owner: Owner, desk: OpenDesk, aviso: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Show the staff, and what was done to it."""
    return page(
        "staff_office.html",
        session=owner,
        members=(await desk.ask_auth(owner, "GET", "/staff"))["staff"],
        acts=(await desk.ask_auth(owner, "GET", "/staff/audit"))["acts"][:_MOST_ACTS],
        groups=GROUPS,
        words=ACTS,
        notice=aviso,
    )


@router.post("/pessoas")
async def invite(owner: Owner, desk: OpenDesk, form: Form) -> Response:
    """Invite somebody; their first password goes to them by e-mail."""
    body = {
        "username": form.get("usuario", "").strip(),
        "email": form.get("email", "").strip(),
        "groups": _groups(form),
        "reason": form.get("motivo", "").strip(),
    }
    return await _done(desk, owner, "POST", "/staff", body, notice="convidado")


@router.post("/pessoas/{username}")
async def change(username: str, *, owner: Owner, desk: OpenDesk, form: Form) -> Response:
    """Change somebody's groups, or whether they get in."""
    if not _USERNAME.fullmatch(username):
        raise NotHere
    body = {
        "groups": _groups(form),
        "is_enabled": form.get("ativo") == "sim",
        "reason": form.get("motivo", "").strip(),
    }
    path = f"/staff/members/{username}"
    return await _done(desk, owner, "PATCH", path, body, notice="pessoa")


def _groups(form: Form) -> list[str]:
    return [group for group, _ in GROUPS if form.get(f"grupo-{group}") == "sim"]


async def _done(
    desk: Desk, owner: Session, method: str, path: str, body: dict[str, Any], *, notice: str
) -> Response:
    try:
        await desk.ask_auth(owner, method, path, body=body)
    except Refused as exc:
        if exc.status not in (404, 409, 422):
            raise
        notice = "ocupado" if exc.status == 409 else "recusado"
    return RedirectResponse(f"/loja/{owner.shop}/pessoas?aviso={notice}", status_code=303)
