"""Draw any event of Comanda, whole, from nothing but the types of its fields."""

import types
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from comanda.envelope import Envelope
from comanda.events import TYPES, Event
from comanda.ids import EventId, ShopId
from comanda.money import Money

_SHOPS = st.from_regex(r"\A[a-z][a-z0-9-]{1,30}[a-z0-9]\Z").map(ShopId)
_INSTANTS = st.datetimes(timezones=st.just(UTC))
_TEXT = st.text(max_size=12)
_SCALARS: dict[object, st.SearchStrategy[Any]] = {
    str: _TEXT,
    int: st.integers(min_value=-(2**63), max_value=2**63),
    bool: st.booleans(),
    datetime: _INSTANTS,
    Money: st.integers(min_value=0, max_value=10**12 - 1).map(Money),
    ShopId: _SHOPS,
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Draw a value of a field's type."""
    arguments = get_args(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return st.one_of(*(st.none() if a is type(None) else values_of(a) for a in arguments))
    if get_origin(kind) is tuple and arguments[-1] is Ellipsis:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if get_origin(kind) is tuple:
        return st.tuples(*map(values_of, arguments))
    kind = getattr(kind, "__supertype__", kind)
    if kind in _SCALARS:
        return _SCALARS[kind]
    assert is_dataclass(kind), kind
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: values_of(hints[field.name]) for field in fields(kind)})


def events_of(event_class: type[Event]) -> st.SearchStrategy[Event]:
    """Draw an event of one type."""
    return values_of(event_class)


def envelopes_of(event_class: type[Event]) -> st.SearchStrategy[Envelope]:
    """Draw an envelope around an event of one type."""
    named = st.from_regex(r"\A[ -~]{1,12}\Z")
    return st.builds(
        Envelope,
        id=named.map(EventId),
        time=_INSTANTS,
        event=events_of(event_class),
        correlation_id=named,
        causation_id=st.none() | named,
        traceparent=st.none() | named,
    )


envelopes = st.sampled_from(sorted(TYPES.values(), key=lambda kind: kind.wire_type)).flatmap(
    envelopes_of
)
