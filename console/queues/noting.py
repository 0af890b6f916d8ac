"""Note what is done to dead letters before it is done: who, what, why, and what it changed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Facts = Mapping[str, str | int | bool | None]
# What names or describes a person in an event; the audit outlives their erasure.
_PERSONAL = frozenset({"email", "customer_id", "name", "notes", "cpf", "body", "query", "headers"})
_MOST_FIELDS = 15
_LONGEST = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What is about to be done; `before` says to what."""

    what: str
    whom: str
    why: str
    operator: str
    before: Facts = field(default_factory=dict)


class Notebook(Protocol):
    """Where acts are noted; what cannot be noted must not be done."""

    async def begin(self, note: Note) -> str:
        """Note a beginning and give its id; raise whatever "out of reach" is there."""

    async def end(self, act_id: str, after: Facts) -> None:
        """Note what came of it; the act is done, so a failure is only logged."""


def edits(before: str, after: str) -> dict[str, str]:
    """Name the fields that an edit changed, with both values; what is personal shows neither."""
    was, now = (dict(_fields(text)) for text in (before, after))
    changed = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    shown = {
        f"edited {name[:_LONGEST]}": _change(name, was, now) for name in changed[:_MOST_FIELDS]
    }
    left = len(changed) - len(shown)
    return shown | ({"edited besides": f"{left} fields"} if left else {})


def _change(name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if _PERSONAL & set(name.split(".")):
        return "changed"
    texts = (json.dumps(side[name]) if name in side else "nothing" for side in (was, now))
    return " → ".join(text[:_LONGEST] for text in texts)


def _fields(text: str) -> Iterator[tuple[str, Any]]:
    try:
        yield from _leaves(json.loads(text), "")
    except (ValueError, RecursionError):
        # Such a text may hold anything, so the audit shows nothing of it.
        yield "body", text


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{number}")
    else:
        yield path, value
