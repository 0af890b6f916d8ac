"""CloudEvents 1.0 JSON around an event: dataclass to text and back; unknown fields ignored."""

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from comanda.events import TYPES, Event
from comanda.ids import EventId, ShopId, new_id
from comanda.money import Money

T = TypeVar("T")
_LONGEST_NAME = 256


class InvalidEnvelope(ValueError):
    """The text is not a CloudEvent that we can read; the message says where it goes wrong."""


class UnknownEventType(InvalidEnvelope):
    """The envelope is sound, but its type is none of ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """An event with what the wire needs: who, when, and what caused it."""

    id: EventId
    time: datetime
    event: Event
    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None

    @property
    def attributes(self) -> dict[str, str]:
        """Give what subscriptions filter on: `type` and `source`."""
        return {"type": self.event.wire_type, "source": self.event.source}

    def to_json(self) -> str:
        """Render as one line of CloudEvents JSON."""
        body: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": f"comanda/{self.event.source}",
            "type": self.event.wire_type,
            "subject": self.event.subject,
            "time": _instant(self.time),
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
        return cls._from_fields(body, event_class)

    @classmethod
    def _from_fields(cls, body: Mapping[str, Any], event_class: type[Event]) -> "Envelope":
        event = decode(event_class, body.get("data"))
        if body.get("shopid") != event.shop_id:
            raise InvalidEnvelope("the envelope and its data name different shops")
        return cls(
            id=EventId(_text(body, "id")),
            time=_decode(datetime, body.get("time"), "time"),
            event=event,
            correlation_id=_text(body, "correlationid"),
            causation_id=_optional_text(body, "causationid"),
            traceparent=_optional_text(body, "traceparent"),
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


def encode(value: object) -> Any:
    """Turn a dataclass and what it holds into JSON values; amounts and instants become text."""
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, datetime):
        return _instant(value)
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    return value


def decode(kind: type[T], value: object) -> T:
    """Build a dataclass from JSON values; raise `InvalidEnvelope` naming the wrong field."""
    result: T = _decode(kind, value, kind.__name__)
    return result


def _decode(kind: Any, value: object, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in get_args(kind):
            return None
        return _decode(get_args(kind)[0], value, where)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value, where)
    if is_dataclass(kind) and kind is not Money:
        return _decode_dataclass(kind, value, where)
    return _decode_scalar(getattr(kind, "__supertype__", kind), value, where)


def _decode_tuple(arguments: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise InvalidEnvelope(f"{where}: a list is needed")
    if arguments[-1] is Ellipsis:
        arguments = (arguments[0],) * len(value)
    if len(arguments) != len(value):
        raise InvalidEnvelope(f"{where}: {len(arguments)} items are needed")
    pairs = zip(arguments, value, strict=True)
    return tuple(_decode(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(pairs))


def _decode_dataclass(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise InvalidEnvelope(f"{where}: an object is needed")
    arguments = {}
    for name, hint, is_required in _shape(kind):
        if name in value:
            arguments[name] = _decode(hint, value[name], f"{where}.{name}")
        elif is_required:
            raise InvalidEnvelope(f"{where}.{name}: missing")
    return kind(**arguments)


def _decode_scalar(kind: Any, value: object, where: str) -> Any:
    try:
        if kind is Money and isinstance(value, str):
            return Money.parse(value)
        if kind is ShopId and isinstance(value, str):
            return ShopId(value)
        if kind is datetime and isinstance(value, str):
            return _parse_instant(value)
        if isinstance(value, str):
            # JSON can escape half a surrogate pair; no store and no topic would take it.
            value.encode()
    except (ValueError, OverflowError) as exc:
        raise InvalidEnvelope(f"{where}: {exc}") from exc
    # `True` is an `int` to Python and not to JSON Schema, so the exact type decides.
    if type(value) is not kind:
        raise InvalidEnvelope(f"{where}: {kind.__name__} is needed")
    return value


@cache
def _shape(kind: Any) -> tuple[tuple[str, Any, bool], ...]:
    hints = get_type_hints(kind)
    return tuple(
        (field.name, hints[field.name], field.default is MISSING) for field in fields(kind)
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


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _parse_instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)
