"""Dead letters as people read them: decoded, of one shop or all, grouped by why they are dead."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comanda.envelope import Envelope, InvalidEnvelope
from comanda.messaging.dead_letters import DeadLetter


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadLetter:
    """A dead letter with what its body says; `shop` is empty where nobody can tell."""

    letter: DeadLetter
    shop: str
    type: str
    subject: str
    event_id: str
    fault: str

    @property
    def id(self) -> str:
        """Give the message's id."""
        return self.letter.id

    @property
    def reason(self) -> str:
        """Give why it is dead."""
        return self.letter.reason

    @property
    def redriven(self) -> int:
        """Give how often it was sent back already."""
        times = self.letter.attributes.get("redriven_count", "0")
        return int(times) if times.isdecimal() and len(times) < 9 else 0

    @property
    def since(self) -> datetime:
        """Give since when its queue knew it: its history, else when it came to the dead letters."""
        try:
            told = json.loads(self.letter.attributes.get("history", "{}"))["sent_at"]
            at = datetime.fromisoformat(told)
        except (ValueError, KeyError, TypeError, RecursionError):
            return self.letter.sent_at
        return at if at.tzinfo is not None else self.letter.sent_at

    @property
    def pretty(self) -> str:
        """Give the body, indented if it is JSON."""
        try:
            return json.dumps(json.loads(self.letter.body), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return self.letter.body

    def to_json(self) -> dict[str, Any]:
        """Give what programs want to know."""
        return {
            "id": self.id,
            "shop": self.shop,
            "type": self.type,
            "subject": self.subject,
            "event_id": self.event_id,
            "reason": self.reason,
            "since": self.since.isoformat(),
            "redriven": self.redriven,
            "fault": self.fault,
            "attributes": dict(self.letter.attributes),
            "body": self.letter.body,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Letters that are dead for the same reason, the oldest first."""

    reason: str
    letters: tuple[ReadLetter, ...]


def read_letter(letter: DeadLetter) -> ReadLetter:
    """Decode as much as can be; `fault` says why the body is no event of ours."""
    fields, fault = _fields(letter.body), ""
    try:
        Envelope.from_json(letter.body)
    except InvalidEnvelope as exc:
        fault = str(exc)
    return ReadLetter(
        letter=letter,
        shop=_text(fields, "shopid"),
        type=_text(fields, "type") or letter.attributes.get("type", ""),
        subject=_text(fields, "subject"),
        event_id=_text(fields, "id"),
        fault=fault,
    )


def grouped(letters: Sequence[ReadLetter]) -> list[Group]:
    """Group by reason, the largest group first."""
    by_reason: dict[str, list[ReadLetter]] = {}
    for it in sorted(letters, key=lambda it: it.since):
        by_reason.setdefault(it.reason, []).append(it)
    groups = [Group(reason=reason, letters=tuple(them)) for reason, them in by_reason.items()]
    return sorted(groups, key=lambda group: -len(group.letters))


def edited_body(letter: DeadLetter, text: str) -> str:
    """Check a body that somebody wrote: the same event, of the same shop, but right.

    What only looks otherwise goes as it was. Raises `InvalidEnvelope`, which says what is wrong.
    """
    if _is_same(letter.body, text):
        return letter.body
    after, before = Envelope.from_json(text), _fields(letter.body)
    for name, value in (("shopid", after.event.shop_id), ("type", after.event.wire_type)):
        if before.get(name) not in (None, str(value)):
            raise InvalidEnvelope(f"{name}: an edit cannot make it {value}")
    if before.get("id") not in (None, after.id):
        raise InvalidEnvelope(f"id: an edit cannot make it {after.id}")
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def _is_same(body: str, text: str) -> bool:
    try:
        return bool(json.loads(body) == json.loads(text))
    except (ValueError, RecursionError):
        return body.split() == text.split()


def _fields(body: str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
