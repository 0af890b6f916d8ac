"""What a dry run finds: for each message what was sent because of it then, and would be now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comanda.codec import encode
from comanda.envelope import Envelope


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One message whose outcome is not what was recorded."""

    event_id: str
    type: str
    subject: str
    then: tuple[str, ...]
    now: tuple[str, ...]

    def to_json(self) -> Mapping[str, Any]:
        """Give what programs want to know."""
        return {
            "event_id": self.event_id,
            "type": self.type,
            "subject": self.subject,
            "then": list(self.then),
            "now": list(self.now),
        }


@dataclass(kw_only=True, slots=True)
class Verdict:
    """How many messages were judged, which differ, and which could not be judged and why."""

    judged: int = 0
    differences: list[Difference] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, why: str) -> None:
        """Count a message that says nothing about the handlers."""
        self.skipped[why] = self.skipped.get(why, 0) + 1

    def compare(self, message: Envelope, *, then: tuple[str, ...], now: tuple[str, ...]) -> None:
        """Judge a message; the order of what was sent does not count."""
        self.judged += 1
        if sorted(then) != sorted(now):
            self.differences.append(
                Difference(
                    event_id=message.id,
                    type=message.event.wire_type,
                    subject=message.event.subject,
                    then=then,
                    now=now,
                )
            )

    def to_json(self) -> Mapping[str, Any]:
        """Give what programs want to know."""
        return {
            "judged": self.judged,
            "skipped": self.skipped,
            "differences": [it.to_json() for it in self.differences],
        }


def told(envelope: Envelope) -> str:
    """Write what an event says in one line: its type, and its data without what every one has."""
    data = {name: value for name, value in encode(envelope.event).items() if name != "shop_id"}
    said = ", ".join(f"{name}={value}" for name, value in sorted(data.items()))
    return f"{envelope.event.wire_type}({said})"
