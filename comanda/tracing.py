"""Where spans are made, if they are: one switch, and what whoever makes them must be able to do.

The switch is off unless `workers.runtime.tracing` turned it on, and nothing of OpenTelemetry is
imported then; each place that could make a span looks at one attribute.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from comanda.envelope import Envelope
from comanda.messaging.ports import Message

# What a maker of spans gives out and takes back: where in a trace something happens.
Place = Any


class Ending(Protocol):
    """What a span is told of the answer once there is one."""

    def __call__(self, status: int | str, *, route: str = "") -> None:
        """Note an HTTP status, or the name of a fault; and which route answered."""


class Spans(Protocol):
    """Whoever makes spans; `workers.runtime.spans` has the only one."""

    def here(self) -> Place:
        """Give the span that the calling task is in."""

    def serving(self, method: str, *, traceparent: str | None) -> AbstractContextManager[Ending]:
        """Be in the span of a request to an API."""

    def handling(self, message: Message, *, context: str) -> AbstractContextManager[object]:
        """Be in the span of a message, linked to that of its event."""

    def note(self, outcome: str) -> None:
        """Say what became of the message that the calling task handles."""

    def created(self, envelope: Envelope, *, cause: Envelope | None) -> Envelope:
        """Make the span of an outgoing event; give the envelope with its context in it."""

    def sending(
        self, envelopes: Sequence[Envelope], *, topic: str
    ) -> AbstractContextManager[object]:
        """Be in the span of a batch that is published."""

    def committing(
        self, places: Iterable[Place | None], *, system: str, operation: str
    ) -> AbstractContextManager[object]:
        """Be in the span of a commit, which messages or requests at these places share."""

    def calling(self, method: str, url: str) -> AbstractContextManager[Ending]:
        """Be in the span of one HTTP request of ours."""

    def finish(self) -> None:
        """Export what is left, for a second at most."""


class Switch:
    """Hold who makes spans in this process, or nobody."""

    __slots__ = ("spans",)

    def __init__(self) -> None:
        self.spans: Spans | None = None


switch = Switch()
