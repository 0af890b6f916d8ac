"""For who runs the shop's system: queues, and dead letters to be mended, sent back or let go.

These pages are for engineers and in English. They show and touch the letters of one shop alone;
those that nobody can read, and so are nobody's, are for the command line.
"""

import logging
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from comanda.messaging.dead_letters import SQSDeadLetters
from comanda.messaging.redrive import RedriveReport
from console.queues import runs
from console.queues.letters import grouped
from console.queues.queues import NoSuchQueue
from console.queues.runs import Act, Choice
from console.screens.acts import SessionNotebook
from console.screens.doors import Desk, Form, NotHere, OpenDesk, Owner
from console.screens.rendering import page
from console.screens.sessions import Session

log = logging.getLogger(__name__)
router = APIRouter(prefix="/ops")
_SHOWN = 200
Verb = Annotated[str, Query(pattern="^(sent back|discarded|)$")]
Count = Annotated[int, Query(ge=0, le=1_000_000)]


@router.get("")
async def show_queues(owner: Owner, desk: OpenDesk) -> Response:
    """Show every queue: how deep, who receives, how many dead letters."""
    return page(
        "ops_queues.html",
        session=owner,
        states=await desk.queues.states(),
        simulator=desk.simulator is not None,
    )


@router.get("/dead-letters/{context}")
async def list_letters(
    context: str,
    *,
    owner: Owner,
    desk: OpenDesk,
    done: Verb = "",
    sent: Count = 0,
    refused: Count = 0,
    more: bool = False,
) -> Response:
    """Show the shop's dead letters of a queue, by reason."""
    letters = await _letters(desk, context)
    found = await runs.read_letters(letters, Choice(shop=owner.shop))
    told = f"{sent} {done}." + (f" {refused} refused." if refused else "") if done else ""
    return page(
        "ops_letters.html",
        session=owner,
        simulator=desk.simulator is not None,
        context=context,
        groups=grouped(found),
        count=len(found),
        shown=_SHOWN,
        looked_at=runs.MOST_AT_ONCE,
        told=told + (" There may be more: do it again." if more else ""),
    )


@router.get("/dead-letters/{context}/{message_id}")
async def show_letter(context: str, message_id: str, *, owner: Owner, desk: OpenDesk) -> Response:
    """Show one letter, decoded, with what may be done."""
    return await _letter_page(desk, owner, context, message_id)


@router.post("/dead-letters/{context}")
async def act(context: str, *, owner: Owner, desk: OpenDesk, form: Form) -> Response:
    """Send back or discard: one letter, those of a reason, or all of the shop's."""
    letters = await _letters(desk, context)
    message_id, why = form.get("id", ""), form.get("why", "").strip()
    if form.get("confirm", "").strip() != context or not why:
        fault = f"Nothing was done: type {context} to confirm, and say why."
        return await _refusal(desk, owner, context, message_id, fault=fault)
    choice = Choice(
        shop=owner.shop,
        ids=frozenset({message_id} if message_id else ()),
        reason=form.get("reason", ""),
    )
    done = Act(context=context, by=owner.username, why=why[:500])
    notebook = SessionNotebook(desk.contexts, owner)
    body = form.get("body", "").strip() if message_id else ""
    if form.get("act") == "discard":
        report = await runs.discard(letters, choice, act=done, notebook=notebook)
        verb = "discarded"
    elif form.get("act") == "redrive":
        report = await runs.send_back(
            letters, choice, act=done, notebook=notebook, body=body or None
        )
        verb = "sent back"
    else:
        raise NotHere
    if message_id and not report.sent:
        return await _refusal(desk, owner, context, message_id, fault=_why(report), body=body)
    query = {"done": verb, "sent": report.sent, "refused": report.refused}
    if not report.is_complete:
        query["more"] = "true"
    path = f"/loja/{owner.shop}/ops/dead-letters/{context}?{urlencode(query)}"
    return RedirectResponse(path, status_code=303)


async def _letters(desk: Desk, context: str) -> SQSDeadLetters:
    with suppress(NoSuchQueue):
        return await desk.queues.letters(context)
    raise NotHere


async def _refusal(
    desk: Desk, owner: Session, context: str, message_id: str, *, fault: str, body: str = ""
) -> Response:
    if message_id:
        return await _letter_page(desk, owner, context, message_id, fault=fault, body=body)
    return page("ops_refused.html", status=422, session=owner, context=context, fault=fault)


async def _letter_page(
    desk: Desk, owner: Session, context: str, message_id: str, *, fault: str = "", body: str = ""
) -> Response:
    choice = Choice(shop=owner.shop, ids=frozenset({message_id}))
    found = await runs.read_letters(await _letters(desk, context), choice)
    if not found:
        raise NotHere
    return page(
        "ops_letter.html",
        status=422 if fault else 200,
        session=owner,
        simulator=desk.simulator is not None,
        context=context,
        letter=found[0],
        body=body or found[0].pretty,
        fault=fault,
    )


def _why(report: RedriveReport) -> str:
    if report.kept:
        return next(iter(report.kept.values()))
    return "It was not there: it went meanwhile, or somebody else is looking at it."
