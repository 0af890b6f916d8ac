"""CloudEvents 1.0 JSON around an event: dataclass to text and back; unknown fields ignored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from comanda.codec import InvalidValue, decode, encode, read_instant, write_instant
from comanda.events import TYPES, Event
from comanda.ids import EventId, new_id

_LONGEST_NAME = 256


class InvalidEnvelope(ValueError):
    """The text is not a CloudEvent that we can read; the message says where it goes wrong."""


class UnknownEventType(InvalidEnvelope):
    """The envelope is sound, but its type is none of ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """An event with what the wire needs: who, when, and what caused it.

    `text` is what it was read from, with the fields that this version does not know.
    """

    id: EventId
    time: datetime
    event: Event
    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None
    text: str | None = field(default=None, compare=False, repr=False)

    @property
    def attributes(self) -> dict[str, str]:
        """Give what subscriptions filter on, `type` and `source`, and where its trace goes on."""
        told = {"type": self.event.wire_type, "source": self.event.source}
        return told if self.traceparent is None else {**told, "traceparent": self.traceparent}

    def to_json(self) -> str:
        """Render as one line of CloudEvents JSON."""
        body: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": f"comanda/{self.event.source}",
            "type": self.event.wire_type,
            "subject": self.event.subject,
            "time": write_instant(self.time),
            "datacontenttype": "application/json",
            "shopid": str(self.event.shop_id),
            "correlationid": self.correlation_id,
            "data": encode(self.event),
        }
        if self.causation_id is not None:
            body["causationid"] = self.causation_id
        if self.traceparent is not None:
            body["traceparent"] = self.traceparent
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Envelope":
        """Read an envelope; raise `UnknownEventType` or `InvalidEnvelope`."""
        try:
            body = json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise InvalidEnvelope("the body is not JSON") from exc
        if not isinstance(body, dict) or body.get("specversion") != "1.0":
            raise InvalidEnvelope("not a CloudEvent 1.0")
        kind = body.get("type")
        event_class = TYPES.get(kind) if isinstance(kind, str) else None
        if event_class is None:
            raise UnknownEventType(f"unknown event type: {str(kind)[:80]!r}")
        return cls._from_fields(body, event_class, text)

    @classmethod
    def _from_fields(
        cls, body: Mapping[str, Any], event_class: type[Event], text: str
    ) -> "Envelope":
        try:
            event = decode(event_class, body.get("data"))
        except InvalidValue as exc:
            raise InvalidEnvelope(str(exc)) from exc
        if body.get("shopid") != event.shop_id:
            raise InvalidEnvelope("the envelope and its data name different shops")
        return cls(
            id=EventId(_text(body, "id")),
            time=_time(body),
            event=event,
            correlation_id=_text(body, "correlationid"),
            causation_id=_optional_text(body, "causationid"),
            traceparent=_optional_text(body, "traceparent"),
            text=text,
        )


def seal(event: Event, *, now: datetime, cause: Envelope | None = None) -> Envelope:
    """Put an event into a new envelope, in the conversation of the message that caused it."""
    event_id = EventId(new_id(now))
    return Envelope(
        id=event_id,
        time=now,
        event=event,
        correlation_id=cause.correlation_id if cause else event_id,
        causation_id=cause.id if cause else None,
        traceparent=cause.traceparent if cause else None,
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    # These travel through headers, keys and logs, and all of ours are plain.
    if not isinstance(value, str) or not value or len(value) > _LONGEST_NAME:
        raise InvalidEnvelope(f"{name}: text of up to {_LONGEST_NAME} characters is needed")
    if not value.isascii() or not value.isprintable():
        raise InvalidEnvelope(f"{name}: printable ASCII is needed")
    return value


def _optional_text(body: Mapping[str, Any], name: str) -> str | None:
    return None if body.get(name) is None else _text(body, name)


def _time(body: Mapping[str, Any]) -> datetime:
    try:
        return read_instant(_text(body, "time"))
    except (ValueError, OverflowError) as exc:
        raise InvalidEnvelope(f"time: {exc}") from exc
