"""Turn spans on where a collector is named, and off in time; off, nothing of them is imported.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `..._TRACES_ENDPOINT`) is the setting, and OpenTelemetry's other
standard variables say the rest: sampler, queue, timeouts, headers, the service's name.
"""

import os
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from comanda.envelope import Envelope, seal
from comanda.events import Event
from comanda.messaging.ports import Message, Publisher
from comanda.tracing import Place, Spans, switch

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_OFF = nullcontext()
Handle = Callable[[Message], Coroutine[Any, Any, None]]


def is_wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a collector is named and the SDK is not disabled."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return any(environ.get(name, "").strip() for name in _ENDPOINTS)


def start(service: str) -> None:
    """Make spans from now on, if they are wanted; `OTEL_SERVICE_NAME` comes before `service`."""
    if switch.spans is None and is_wanted():
        from workers.runtime.exporting import exported_spans

        switch.spans = exported_spans(os.environ.get("OTEL_SERVICE_NAME") or service)


def stop() -> None:
    """Export what is left, for a second at most, and make no more spans."""
    spans, switch.spans = switch.spans, None
    if spans is not None:
        spans.finish()


def traced_handling(handle: Handle, *, context: str) -> Handle:
    """Give the same handling, with a span for each message if spans are made."""
    spans = switch.spans
    if spans is None:
        return handle

    async def traced(message: Message) -> None:
        with spans.handling(message, context=context):
            await handle(message)

    return traced


def traced_publisher(publisher: Publisher, *, topic_arn: str) -> Publisher:
    """Give the same publisher, with a span for each batch if spans are made."""
    spans = switch.spans
    if spans is None:
        return publisher
    return _TracedPublisher(publisher, spans=spans, topic=topic_arn.rpartition(":")[2])


class _TracedPublisher:
    def __init__(self, publisher: Publisher, *, spans: Spans, topic: str) -> None:
        self._publisher = publisher
        self._spans = spans
        self._topic = topic

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        with self._spans.sending(envelopes, topic=self._topic):
            await self._publisher.publish(envelopes)


def seal_traced(event: Event, *, now: datetime, cause: Envelope | None) -> Envelope:
    """Seal an outgoing event; with spans made, its `traceparent` is a span of its own."""
    sealed = seal(event, now=now, cause=cause)
    spans = switch.spans
    return sealed if spans is None else spans.created(sealed, cause=cause)


def here() -> Place | None:
    """Give where the calling task is in its trace, if spans are made."""
    spans = switch.spans
    return None if spans is None else spans.here()


def committing(
    places: Iterable[Place | None], *, system: str, operation: str
) -> AbstractContextManager[object]:
    """Be in the span of a commit that is shared by these places, if spans are made."""
    spans = switch.spans
    if spans is None:
        return _OFF
    return spans.committing(places, system=system, operation=operation)
