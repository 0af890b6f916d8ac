"""For who runs the shop's system: send a window of archived events to one queue again.

The archive counts and carries out; a window is sent only when its count is typed, and whoever asked
for it stands in the archive's own list.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from comanda.ids import is_id
from console.screens.contexts import Call, Context, Refused
from console.screens.doors import Desk, Form, NotHere, OpenDesk, Owner
from console.screens.rendering import page
from console.screens.sessions import Session
from console.screens.wording import zone

router = APIRouter(prefix="/ops/replays")
Text = Annotated[str, Query(max_length=128)]


@router.get("")
async def show(
    owner: Owner,
    desk: OpenDesk,
    *,
    queue: Text = "",
    since: Text = "",
    until: Text = "",
    about: Text = "",
) -> Response:
    """Show the replays of the shop and, once a window is chosen, what it holds."""
    preview, fault = None, ""
    if queue:
        try:
            wanted = wanted_window(queue, since, until, about)
            preview = await _ask(desk, owner, "GET", "/preview", query=wanted)
        except (ValueError, Refused) as exc:
            fault = _fault(exc)
    return await _page(
        desk, owner, preview=preview, fault=fault, typed=(queue, since, until, about)
    )


@router.post("")
async def start(owner: Owner, desk: OpenDesk, form: Form) -> Response:
    """Have a window sent, if its count was typed and still is its count."""
    typed = tuple(form.get(name, "").strip() for name in ("queue", "since", "until", "about"))
    preview: Any = None
    try:
        wanted = wanted_window(*typed)
        preview = await _ask(desk, owner, "GET", "/preview", query=wanted)
        if form.get("confirm", "").strip() != str(preview["count"]):
            fault = f"Nothing was sent: type {preview['count']} to confirm."
            return await _page(desk, owner, preview=preview, fault=fault, typed=typed)
        subjects = [wanted.pop("subjects")] if "subjects" in wanted else []
        await _ask(desk, owner, "POST", "", body={**wanted, "subjects": subjects})
    except (ValueError, Refused) as exc:
        return await _page(desk, owner, preview=preview, fault=_fault(exc), typed=typed)
    return RedirectResponse(f"/loja/{owner.shop}/ops/replays", status_code=303)


@router.post("/{replay_id}/cancel")
async def cancel(replay_id: str, *, owner: Owner, desk: OpenDesk, form: Form) -> Response:  # noqa: ARG001  # Its token was checked.
    """End a replay before its next batch; one that has ended is left as it is."""
    if not is_id(replay_id):
        raise NotHere
    try:
        await _ask(desk, owner, "POST", f"/{replay_id}/cancellation", body={})
    except Refused as exc:
        if exc.status != 409:
            raise
    return RedirectResponse(f"/loja/{owner.shop}/ops/replays", status_code=303)


def wanted_window(queue: str, since: str, until: str, about: str) -> dict[str, str]:
    """Read what was typed, in the shop's time; raise `ValueError`."""
    instants = [datetime.fromisoformat(text).replace(tzinfo=zone()) for text in (since, until)]
    wanted = {"queue": queue, "since": instants[0].isoformat(), "until": instants[1].isoformat()}
    return wanted | ({"subjects": about} if about else {})


def _fault(exc: ValueError | Refused) -> str:
    if isinstance(exc, Refused):
        if exc.status not in (409, 422):
            raise exc
        return exc.detail or str(exc)
    return "A beginning and an end are needed."


async def _page(
    desk: Desk, owner: Session, *, preview: Any, fault: str, typed: tuple[str, ...]
) -> Response:
    return page(
        "ops_replays.html",
        status=422 if fault else 200,
        session=owner,
        simulator=desk.simulator is not None,
        queues=desk.queues.contexts,
        replays=(await _ask(desk, owner, "GET", ""))["replays"],
        preview=preview,
        fault=fault,
        typed=dict(zip(("queue", "since", "until", "about"), typed, strict=True)),
    )


async def _ask(
    desk: Desk,
    owner: Session,
    method: str,
    path: str,
    *,
    query: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
) -> Any:
    call = Call(
        method=method,
        context=Context.ARCHIVE,
        shop=owner.shop,
        path=f"/replays{path}",
        token=owner.access_token,
        query=query,
        body=body,
    )
    return await desk.contexts.read(call)
