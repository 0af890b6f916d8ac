"""Who did what: the acts that each context keeps, put into one list, the newest first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

JSON = Mapping[str, Any]
MOST = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """One act of a person; `at` is an ISO instant in UTC. Not `is_done`: begun, and no more."""

    at: str
    who: str
    what: str
    whom: str
    why: str
    before: JSON
    after: JSON
    is_done: bool
    kept_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Whom to ask for acts, and how to read the answer."""

    context: str
    path: str
    read: Callable[[JSON], Iterable[Deed]]
    query: Mapping[str, str]


def _of_staff(answer: JSON) -> Iterable[Deed]:
    for it in answer["acts"]:
        yield Deed(
            at=it["at"],
            who=it["who"],
            what=it["what"],
            whom=it["whom"],
            why=it["why"],
            before=it["before"],
            after=it["after"],
            is_done=it["done_at"] is not None,
            kept_by="auth",
        )


def _of_operators(answer: JSON) -> Iterable[Deed]:
    for it in answer["acts"]:
        yield Deed(
            at=it["at"],
            who=_named(it["operator"], it["who"]),
            what=it["what"],
            whom=it["whom"],
            why=it["why"],
            before=it["before"],
            after=it["after"],
            is_done=it["done_at"] is not None,
            kept_by="archive",
        )


def _of_replays(answer: JSON) -> Iterable[Deed]:
    for it in answer["replays"]:
        window = {name: it[name] for name in ("since", "until", "types", "subjects")}
        yield Deed(
            at=it["asked_at"],
            who=it["by"],
            what="replay.asked",
            whom=it["queue"],
            why="",
            before=window,
            after={"state": it["state"], "sent": it["sent"]},
            is_done=it["state"] != "OPEN",
            kept_by="archive",
        )


SOURCES: Sequence[Source] = (
    Source(context="auth", path="/staff/audit", read=_of_staff, query={}),
    Source(context="archive", path="/acts", read=_of_operators, query={"limit": str(MOST)}),
    Source(context="archive", path="/replays", read=_of_replays, query={}),
)


def in_order(deeds: Iterable[Deed], *, most: int = MOST) -> list[Deed]:
    """Give the newest, the newest first."""
    return sorted(deeds, key=lambda it: datetime.fromisoformat(it.at), reverse=True)[:most]


def facts(side: JSON) -> list[str]:
    """Write what was before or after as short lines, without what is empty."""
    return [
        f"{name}: {_short(value)}" for name, value in side.items() if value not in (None, "", [])
    ]


def _short(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _named(operator: str, who: str) -> str:
    # The name is what somebody said; the id of their token is what is certain.
    return f"{operator} ({who})" if operator else who
