"""Owners have a window of events sent to one queue again, after a preview of how many."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from comanda.identity.verifier import Identity
from comanda.ids import ShopId, new_id
from workers.archive.doors import EventType, OpenShelves, answered, window_of
from workers.archive.plan import listeners
from workers.archive.replays import MOST_PER_SECOND, Replay, ReplayTaken, types_for
from workers.archive.views import PreviewView
from workers.archive.windows import Window, counted
from workers.runtime.http import KnownShop, Problem, staff
from workers.runtime.problems import document_refusals

_owner = staff("owner")
router = APIRouter(prefix="/replays", dependencies=[Depends(_owner)])
Owner = Annotated[Identity, Depends(_owner)]
_Subject = Annotated[str, Field(min_length=1, max_length=128)]


class ReplayBody(BaseModel):
    """What shall be sent again; without types and subjects all that the queue's context hears."""

    model_config = ConfigDict(extra="forbid")

    queue: Annotated[str, Field(max_length=80)]
    since: AwareDatetime
    until: AwareDatetime
    types: list[EventType] = Field(default=[], max_length=50)
    subjects: list[_Subject] = Field(default=[], max_length=100)
    per_second: int = Field(default=20, ge=1, le=MOST_PER_SECOND)


class ReplayView(BaseModel):
    """A replay and how far it has come."""

    id: str
    queue: str
    since: datetime
    until: datetime
    types: list[str]
    subjects: list[str]
    per_second: int
    by: str
    asked_at: datetime
    state: str
    sent: int

    @classmethod
    def of(cls, replay: Replay) -> "ReplayView":
        """Show a replay."""
        return cls(
            id=replay.id,
            queue=replay.queue,
            since=replay.window.since,
            until=replay.window.until,
            types=sorted(replay.window.types),
            subjects=sorted(replay.window.subjects),
            per_second=replay.per_second,
            by=replay.by,
            asked_at=replay.asked_at,
            state=replay.state.value,
            sent=replay.sent,
        )


class ReplaysView(BaseModel):
    """All replays of a shop, the newest first: who had what sent, and when."""

    replays: list[ReplayView]


@router.get("/preview")
async def preview(
    shop: KnownShop, asked: Annotated[ReplayBody, Query()], *, shelves: OpenShelves
) -> PreviewView:
    """Count what a replay would send, by type."""
    window = _window(shop, asked)
    heard = types_for(window, _heard(asked.queue)).types
    counts = await answered(counted(window, shelves.objects))
    sent = {kind: n for kind, n in sorted(counts.items()) if kind in heard}
    left = {kind: n for kind, n in sorted(counts.items()) if kind not in heard}
    return PreviewView(queue=asked.queue, count=sum(sent.values()), by_type=sent, left_out=left)


@router.post("", status_code=202)
async def ask(
    shop: KnownShop, asked: ReplayBody, owner: Owner, *, shelves: OpenShelves
) -> ReplayView:
    """Note the order; the archive's worker carries it out at the given rate."""
    _heard(asked.queue)
    now = shelves.clock()
    replay = Replay(
        id=new_id(now),
        window=_window(shop, asked),
        queue=asked.queue,
        by=owner.subject,
        asked_at=now,
        per_second=asked.per_second,
    )
    await answered(shelves.book.add(replay))
    return ReplayView.of(replay)


@router.get("")
async def show_all(shop: KnownShop, *, shelves: OpenShelves) -> ReplaysView:
    """Show all replays of the shop."""
    found = await answered(shelves.book.all(shop))
    return ReplaysView(replays=[ReplayView.of(it) for it in found])


@router.post("/{replay_id}/cancellation", responses=document_refusals(409))
async def cancel(shop: KnownShop, replay_id: str, *, shelves: OpenShelves) -> ReplayView:
    """End a replay before its next batch; 404 for none, 409 when it has ended."""
    found = {it.id: it for it in await answered(shelves.book.all(shop))}
    if replay_id not in found:
        raise Problem(404, "There is no such replay")
    try:
        await answered(shelves.book.cancel(found[replay_id]))
    except ReplayTaken as exc:
        raise Problem(409, "This replay has ended") from exc
    again = {it.id: it for it in await answered(shelves.book.all(shop))}
    return ReplayView.of(again[replay_id])


def _window(shop: ShopId, asked: ReplayBody) -> Window:
    return window_of(
        shop,
        since=asked.since,
        until=asked.until,
        types=frozenset(asked.types),
        subjects=frozenset(asked.subjects),
    )


def _heard(queue: str) -> frozenset[str]:
    heard = listeners()
    if queue not in heard:
        raise Problem(422, "There is no such queue", detail=f"one of: {', '.join(sorted(heard))}")
    return heard[queue]
