"""Reading an event from its envelope."""

from typing import TypeVar

from comanda.envelope import Envelope
from comanda.events import Event
from workers.runtime.errors import InvalidMessage

E = TypeVar("E", bound=Event)


def fact_of(message: Envelope, kind: type[E]) -> E:
    """Give the event if it is of this kind; raise `InvalidMessage`."""
    if not isinstance(message.event, kind):
        raise InvalidMessage(f"{message.event.wire_type} is not {kind.wire_type}")
    return message.event
