"""Every distinct thing that was asked, once, in a file of the run; what varies freely is left out.

Runs in ministack's environment, so it imports the standard library alone.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.iam.asked import Question

# A word of ours in a key, as in `ana#ORDER#1`; whatever is not one is an id, a shop or a day.
_WORD = re.compile(r"[A-Z][A-Z_-]*")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Entry:
    """One kind of call: who asked what, and the answer."""

    workload: str
    action: str
    resource: str
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()
    is_allowed: bool = field(default=True)

    def question(self) -> Question:
        """Give what to ask again."""
        return Question(action=self.action, resource=self.resource, context=dict(self.context))

    def as_data(self) -> dict[str, Any]:
        """Give the entry as plain data."""
        told: dict[str, Any] = {
            "workload": self.workload,
            "action": self.action,
            "resource": self.resource,
        }
        if self.context:
            told["context"] = {name: list(values) for name, values in self.context}
        return told if self.is_allowed else {**told, "denied": True}


def entry_of(data: Mapping[str, Any]) -> Entry:
    """Read what `as_data` gave."""
    context = data.get("context", {})
    return Entry(
        workload=data["workload"],
        action=data["action"],
        resource=data["resource"],
        context=tuple((name, tuple(values)) for name, values in sorted(context.items())),
        is_allowed=not data.get("denied", False),
    )


def entry_for(workload: str, question: Question, *, keys: Iterable[str], is_allowed: bool) -> Entry:
    """Give the kind that this question is of, with those keys of its context that matter."""
    context = tuple(
        (name, tuple(sorted({_shape(name, it) for it in question.context[name]})))
        for name in sorted(keys)
        if name in question.context
    )
    return Entry(
        workload=workload,
        action=question.action,
        resource=_resource(question.resource),
        context=context,
        is_allowed=is_allowed,
    )


def _shape(name: str, value: str) -> str:
    if name != "dynamodb:LeadingKeys":
        return value
    parts = value.split("#")
    return "#".join(part if _WORD.fullmatch(part) else "x" for part in parts)


def _resource(resource: str) -> str:
    if not resource.startswith("arn:aws:s3:::"):
        return resource
    bucket, slash, key = resource.partition("/")
    folder, more, _ = key.partition("/")
    return f"{bucket}{slash}{folder}{'/x' if more else ''}"


class Record:
    """What was asked so far; a kind is in the file once the answer to its first call leaves."""

    def __init__(self, file: Path) -> None:
        # A guard that was killed goes on with what it had seen.
        lines = file.read_text().splitlines() if file.exists() else []
        self._seen = {entry_of(json.loads(line)) for line in lines}
        self._file = file.open("a", buffering=1)
        self.calls = 0

    def add(self, entry: Entry) -> None:
        """Note one more call of this kind."""
        self.calls += 1
        if entry not in self._seen:
            self._seen.add(entry)
            self._file.write(json.dumps(entry.as_data()) + "\n")

    def as_data(self) -> dict[str, Any]:
        """Give all kinds in order, and the number of calls."""
        return {"calls": self.calls, "entries": [it.as_data() for it in sorted(self._seen)]}
