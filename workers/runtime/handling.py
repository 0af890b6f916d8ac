"""What became of messages and how long it took, by type; the labels are looked up once."""

from contextlib import AbstractContextManager
from functools import cache
from time import perf_counter
from typing import Any

from comanda.telemetry import HANDLING_SECONDS, MESSAGES_HANDLED
from comanda.tracing import switch


class HandlingMetrics:
    """The metrics of one consumer; types and outcomes are few, so each child is kept."""

    def __init__(self, context: str) -> None:
        self._seconds = cache(lambda kind: HANDLING_SECONDS.labels(context, kind))
        self._handled = cache(lambda kind, outcome: MESSAGES_HANDLED.labels(context, kind, outcome))

    def timed(self, kind: str) -> AbstractContextManager[None]:
        """Observe how long a message of this type takes until its effect is committed."""
        return _Stopwatch(self._seconds(kind))

    def count(self, kind: str, outcome: str) -> None:
        """Count a message by what became of it."""
        child: Any = self._handled(kind, outcome)
        child.inc()
        if switch.spans is not None:
            switch.spans.note(outcome)


class _Stopwatch(AbstractContextManager[None]):
    __slots__ = ("_began", "_histogram")

    def __init__(self, histogram: Any) -> None:
        self._histogram = histogram
        self._began = perf_counter()

    def __exit__(self, *_: object) -> None:
        self._histogram.observe(perf_counter() - self._began)
