"""Spans that are made as in a pod and kept in memory instead of sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import SpanKind

from comanda.tracing import switch
from workers.runtime.sampling import FollowsLinks
from workers.runtime.spans import OTelSpans

At = tuple[int, int]


class Kept:
    """What was made since the switch was turned."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        """Give all, in the order in which they ended."""
        return self._exporter.get_finished_spans()

    def of(self, kind: SpanKind) -> list[ReadableSpan]:
        """Give those of a kind."""
        return [span for span in self.all if span.kind is kind]

    def named(self, name: str) -> ReadableSpan:
        """Give the only one of that name."""
        (span,) = [span for span in self.all if span.name == name]
        return span


@contextmanager
def kept_spans(*, ratio: float = 1) -> Iterator[Kept]:
    """Turn the switch on, with the sampler of a pod."""
    exporter = InMemorySpanExporter()
    processor = SimpleSpanProcessor(exporter)
    provider = TracerProvider(
        sampler=FollowsLinks(ParentBasedTraceIdRatio(ratio)),
        resource=Resource({"service.name": "test"}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(processor)
    switch.spans = OTelSpans(provider, emit=processor.on_end, finish=processor.shutdown)
    try:
        yield Kept(exporter)
    finally:
        switch.spans = None


def at(span: ReadableSpan) -> At:
    """Give where a span is."""
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def links_of(span: ReadableSpan) -> list[At]:
    """Give where the links of a span lead."""
    return [(link.context.trace_id, link.context.span_id) for link in span.links]
