"""What operators do beside the contexts is noted here by the console, before it is done."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from comanda.identity.verifier import Identity
from comanda.ids import new_id
from workers.archive.acts import Act, ActUnknown, What
from workers.archive.doors import OpenShelves, answered
from workers.runtime.http import KnownShop, Problem, staff

router = APIRouter(prefix="/acts")
Office = Annotated[Identity, Depends(staff("manager", "owner"))]
# What an act changed: names of fields and short texts, never a whole message.
_Text = Annotated[str, Field(max_length=2000)]
_Facts = Annotated[dict[_Text, _Text | int | bool | None], Field(max_length=40)]


class ActBody(BaseModel):
    """What is about to be done; whose token it is counts as who does it."""

    model_config = ConfigDict(extra="forbid")

    what: What
    whom: Annotated[str, Field(min_length=1, max_length=200)]
    why: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
    operator: Annotated[str, Field(max_length=128)] = ""
    before: _Facts = {}


class EndBody(BaseModel):
    """What came of it."""

    model_config = ConfigDict(extra="forbid")

    after: _Facts = {}


class ActView(BaseModel):
    """One act; without `done_at` it was begun, and broke or still goes on."""

    id: str
    at: datetime
    done_at: datetime | None
    who: str
    operator: str
    what: str
    whom: str
    why: str
    before: dict[str, Any]
    after: dict[str, Any]

    @classmethod
    def of(cls, act: Act) -> "ActView":
        """Show an act."""
        return cls(
            id=act.id,
            at=act.at,
            done_at=act.done_at,
            who=act.who,
            operator=act.operator,
            what=act.what.value,
            whom=act.whom,
            why=act.why,
            before=dict(act.before),
            after=dict(act.after),
        )


class ActsView(BaseModel):
    """The newest acts of a shop, the newest first."""

    acts: list[ActView]


@router.post("", status_code=201)
async def begin(shop: KnownShop, body: ActBody, office: Office, *, shelves: OpenShelves) -> ActView:
    """Note what is about to be done; whoever gets no 201 must not do it."""
    now = shelves.clock()
    act = Act(
        id=new_id(now),
        shop_id=shop,
        at=now,
        who=office.subject,
        operator=body.operator,
        what=body.what,
        whom=body.whom,
        why=body.why.strip(),
        before=body.before,
    )
    await answered(shelves.acts.begin(act))
    return ActView.of(act)


@router.post("/{act_id}/end", status_code=204)
async def end(
    shop: KnownShop, act_id: str, body: EndBody, office: Office, *, shelves: OpenShelves
) -> None:
    """Note what came of one's own act, once; 404 for none and for one that has ended."""
    ending = shelves.acts.end(
        shop, act_id, who=office.subject, after=body.after, now=shelves.clock()
    )
    try:
        await answered(ending)
    except ActUnknown as exc:
        raise Problem(404, "There is no such open act") from exc


@router.get("", dependencies=[Depends(staff("owner"))])
async def show_all(
    shop: KnownShop, *, shelves: OpenShelves, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> ActsView:
    """Show the newest acts of the shop."""
    found = await answered(shelves.acts.acts(shop, limit=limit))
    return ActsView(acts=[ActView.of(it) for it in found])
