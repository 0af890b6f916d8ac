"""For who runs the shop's system: who did what, when, why, and what it changed."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from console.deeds import SOURCES, Deed, Source, facts, in_order
from console.screens.contexts import Call, Context, OutOfReach
from console.screens.doors import Desk, OpenDesk, Owner
from console.screens.rendering import page
from console.screens.sessions import Session

router = APIRouter(prefix="/ops/acts")
Text = Annotated[str, Query(max_length=64)]


@router.get("")
async def show(owner: Owner, desk: OpenDesk, *, what: Text = "", who: Text = "") -> Response:
    """Show the newest acts of all contexts; those that are out of reach are named."""
    answers = await asyncio.gather(*(_asked(desk, owner, source) for source in SOURCES))
    silent = [s.context for s, found in zip(SOURCES, answers, strict=True) if found is None]
    found = in_order(deed for deeds in answers for deed in deeds or ())
    kinds = sorted({deed.what for deed in found})
    chosen = [it for it in found if what in ("", it.what) and who.lower() in it.who.lower()]
    fault = f"Out of reach, and so not shown: {', '.join(silent)}." if silent else ""
    return page(
        "ops_acts.html",
        session=owner,
        simulator=desk.simulator is not None,
        fault=fault,
        deeds=[(deed, facts(deed.before), facts(deed.after)) for deed in chosen],
        kinds=kinds,
        what=what,
        who=who,
    )


async def _asked(desk: Desk, owner: Session, source: Source) -> list[Deed] | None:
    call = Call(
        method="GET",
        context=Context(source.context),
        shop=owner.shop,
        path=source.path,
        token=owner.access_token,
        query=source.query or None,
    )
    try:
        return list(source.read(await desk.contexts.read(call)))
    except OutOfReach:
        return None
