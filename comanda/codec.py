"""Frozen dataclasses to JSON values and back; how to do it is worked out once per class.

Amounts and instants travel as text, tuples as lists. Unknown fields are ignored, missing ones with
a default get it. What does not fit raises `InvalidValue`, which names the place.
"""

import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from comanda.ids import ShopId
from comanda.money import Money

T = TypeVar("T")
Coder = Callable[[Any], Any]


class InvalidValue(ValueError):
    """A JSON value does not fit; the text says where and what is needed."""

    def __init__(self, need: str, *, at: str = "") -> None:
        super().__init__(need)
        self.need = need
        self.at = at

    def __str__(self) -> str:
        return f"{self.at}: {self.need}"

    def inside(self, outer: str) -> "InvalidValue":
        """Say the same of a place within `outer`."""
        self.at = outer + self.at
        return self


def decode(kind: type[T], value: object) -> T:
    """Build a dataclass from JSON values; raise `InvalidValue`."""
    known: Any = kind
    try:
        result: T = decoder_of(known)(value)
    except InvalidValue as exc:
        raise exc.inside(kind.__name__) from exc.__cause__
    return result


def encode(value: object) -> Any:
    """Turn a dataclass, and all that it holds, into JSON values."""
    kind: Any = type(value)
    return encoder_of(kind)(value)


@cache
def decoder_of(kind: Any) -> Coder:
    """Give the function that reads one type from a JSON value."""
    kind = getattr(kind, "__supertype__", kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _optional(decoder_of(arguments[0]))
    if origin is tuple:
        return _tuple(arguments)
    if kind in _READ_TEXT:
        return _text(kind, _READ_TEXT[kind])
    if is_dataclass(kind):
        return _dataclass(kind)
    return _exactly(kind)


def _optional(decode_one: Coder) -> Coder:
    return lambda value: None if value is None else decode_one(value)


def _tuple(arguments: tuple[Any, ...]) -> Coder:
    length = None if arguments[-1] is Ellipsis else len(arguments)
    kinds = arguments[:1] if length is None else arguments
    decoders = [decoder_of(kind) for kind in kinds]

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise InvalidValue("a list is needed")
        if length is not None and len(value) != length:
            raise InvalidValue(f"{length} items are needed")
        each = decoders if length is not None else decoders * len(value)
        items = []
        for index, (decode_one, item) in enumerate(zip(each, value, strict=True)):
            try:
                items.append(decode_one(item))
            except InvalidValue as exc:
                raise exc.inside(f"[{index}]") from exc.__cause__
        return tuple(items)

    return read


def _dataclass(kind: Any) -> Coder:
    hints = get_type_hints(kind)
    shape = [
        (field.name, decoder_of(hints[field.name]), field.default is MISSING)
        for field in fields(kind)
    ]

    def read(value: object) -> Any:
        if not isinstance(value, dict):
            raise InvalidValue("an object is needed")
        arguments = {}
        for name, decode_one, is_required in shape:
            if name in value:
                try:
                    arguments[name] = decode_one(value[name])
                except InvalidValue as exc:
                    raise exc.inside(f".{name}") from exc.__cause__
            elif is_required:
                raise InvalidValue("missing", at=f".{name}")
        return kind(**arguments)

    return read


def _text(kind: Any, parse: Coder) -> Coder:
    def read(value: object) -> Any:
        if not isinstance(value, str):
            raise InvalidValue(f"{kind.__name__} is needed")
        try:
            return parse(value)
        except (ValueError, OverflowError) as exc:
            raise InvalidValue(str(exc)) from exc

    return read


def _exactly(kind: Any) -> Coder:
    def read(value: object) -> Any:
        # `True` is an `int` to Python and not to JSON Schema, so the exact type decides.
        if type(value) is not kind:
            raise InvalidValue(f"{kind.__name__} is needed")
        return value

    return read


def _plain(text: str) -> str:
    if not text.isascii():
        # JSON can escape half a surrogate pair; no store and no topic would take it.
        text.encode()
    return text


def read_instant(text: str) -> datetime:
    """Read an instant with its offset, as UTC; raise `ValueError`."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)


def write_instant(at: datetime) -> str:
    """Write an instant in UTC with microseconds; raise `ValueError` for a naive one."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_READ_TEXT: dict[Any, Coder] = {
    str: _plain,
    Money: Money.parse,
    ShopId: ShopId,
    datetime: read_instant,
}


@cache
def encoder_of(kind: Any) -> Coder:
    """Give the function that writes values of one class as JSON values."""
    if kind is Money:
        return str
    if kind is datetime:
        return write_instant
    if kind is tuple:
        return lambda value: [encode(item) for item in value]
    if is_dataclass(kind):
        names = [field.name for field in fields(kind)]
        return lambda value: {name: encode(getattr(value, name)) for name in names}
    return lambda value: value
