"""Spans by OpenTelemetry's SDK; imported only where a collector is named.

Names and attributes are those of the semantic conventions for HTTP, databases, messaging and
CloudEvents. What could tell of a person stays out: no paths but their templates, no queries, no
bodies, no texts of exceptions, no subjects of events.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode

from comanda.envelope import Envelope
from comanda.events import OrderPlaced
from comanda.messaging.ports import Message
from comanda.traceparent import TraceContext, landmark_of, parse
from comanda.tracing import Ending
from workers.runtime.landmarks import context_of, lambdas_span, landmark
from workers.runtime.span_facts import envelope_of, facts_of, order_of, traceparent_of
from workers.runtime.templates import template_of

Facts = Mapping[str, Any]
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


class OTelSpans:
    """Make spans with one provider; `emit` takes those that are made by hand."""

    def __init__(
        self,
        provider: TracerProvider,
        *,
        emit: Callable[[ReadableSpan], None],
        finish: Callable[[], None],
    ) -> None:
        self._tracer = provider.get_tracer("comanda")
        self._resource = provider.resource
        self._emit = emit
        self.finish = finish

    def here(self) -> SpanContext:
        """Give the span that the calling task is in; an invalid context when it is in none."""
        return trace.get_current_span().get_span_context()

    @contextmanager
    def serving(self, method: str, *, traceparent: str | None) -> Iterator[Ending]:
        """Be in the span of a request, as a child of the caller's."""
        known = method if method in _METHODS else "_OTHER"
        shown = known if known in _METHODS else "HTTP"
        parent = _inside(context_of(caller)) if (caller := parse(traceparent)) else Context()
        facts = {"http.request.method": known, "url.scheme": "http"}
        with self._span(shown, SpanKind.SERVER, facts, parent=parent) as span:

            def ending(status: int | str, *, route: str = "") -> None:
                if route:
                    span.update_name(f"{shown} {route}")
                    span.set_attribute("http.route", route)
                _answered(span, status, worst=500)

            yield ending

    @contextmanager
    def handling(self, message: Message, *, context: str) -> Iterator[None]:
        """Be in the span of a message: the root of a trace, linked to the event's creation."""
        envelope = envelope_of(message)
        carried = parse(traceparent_of(message, envelope))
        links = [Link(context_of(carried))] if carried else []
        facts = {
            "messaging.system": "aws_sqs",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": context,
            "messaging.message.id": message.id,
            "comanda.message.receive_count": message.receive_count,
            **(facts_of(envelope) if envelope else {}),
        }
        name = f"process {context}"
        with self._span(name, SpanKind.CONSUMER, facts, parent=Context(), links=links) as span:
            if envelope and carried and span.is_recording():
                self._tell_for_lambda(envelope, carried, receive_count=message.receive_count)
            yield

    def _tell_for_lambda(
        self, envelope: Envelope, carried: TraceContext, *, receive_count: int
    ) -> None:
        if carried.is_untold and carried.is_sampled and receive_count == 1:
            self._emit(lambdas_span(envelope, begun=carried, told=self._resource))

    def note(self, outcome: str) -> None:
        """Say what became of the message that the calling task handles."""
        span = trace.get_current_span()
        span.set_attribute("comanda.outcome", outcome)
        if outcome not in ("handled", "duplicate"):
            span.set_attribute("error.type", outcome)
            span.set_status(StatusCode.ERROR)

    def created(self, envelope: Envelope, *, cause: Envelope | None) -> Envelope:
        """Make the span of an outgoing event; give the envelope with its context in it."""
        name = f"create {envelope.event.source}-events"
        facts = {
            "messaging.system": "aws_sns",
            "messaging.operation.name": "create",
            "messaging.operation.type": "create",
            "messaging.destination.name": f"{envelope.event.source}-events",
            "messaging.message.conversation_id": envelope.correlation_id,
            **facts_of(envelope),
        }
        span = self._tracer.start_span(
            name, kind=SpanKind.PRODUCER, attributes=facts, links=_landmarks(envelope, cause=cause)
        )
        span.end()
        return replace(envelope, traceparent=_text_of(span.get_span_context()))

    @contextmanager
    def sending(self, envelopes: Sequence[Envelope], *, topic: str) -> Iterator[None]:
        """Be in the span of a batch, linked to the creation of each of its events."""
        carried = [(each, parse(each.traceparent)) for each in envelopes]
        known = [(each, context_of(at)) for each, at in carried if at is not None]
        facts = {
            "messaging.system": "aws_sns",
            "messaging.operation.name": "publish_batch",
            "messaging.operation.type": "send",
            "messaging.destination.name": topic,
            "messaging.batch.message_count": len(envelopes),
        }
        with self._shared(f"publish_batch {topic}", [at for _, at in known], facts):
            yield
        for envelope, by in known:
            if isinstance(envelope.event, OrderPlaced) and by.trace_flags.sampled:
                order_id = envelope.event.order_id
                self._emit(landmark(order_id, placed=envelope, by=by, told=self._resource))

    @contextmanager
    def committing(
        self, places: Iterable[SpanContext | None], *, system: str, operation: str
    ) -> Iterator[None]:
        """Be in the span of a commit, linked to all that shares it."""
        sharing = [place for place in places if place is not None and place.is_valid]
        facts: dict[str, Any] = {"db.system.name": system, "db.operation.name": operation}
        if len(sharing) > 1:
            facts["db.operation.batch.size"] = len(sharing)
        with self._shared(operation, sharing, facts):
            yield

    @contextmanager
    def calling(self, method: str, url: str) -> Iterator[Ending]:
        """Be in the span of one HTTP request of ours; nothing of it is told to whom we ask."""
        parts = urlsplit(url)
        template = template_of(parts.path)
        facts: dict[str, Any] = {
            "http.request.method": method,
            "url.full": f"{parts.scheme}://{parts.netloc}{template}",
            "url.template": template,
            "server.address": parts.hostname or "",
            "server.port": parts.port or (443 if parts.scheme == "https" else 80),
        }
        with self._span(f"{method} {template}", SpanKind.CLIENT, facts) as span:

            def ending(status: int | str, *, route: str = "") -> None:  # noqa: ARG001  # Ours has none.
                _answered(span, status, worst=400)

            yield ending

    @contextmanager
    def _shared(self, name: str, places: Sequence[SpanContext], facts: Facts) -> Iterator[None]:
        # A child of the first that is recorded, so that it stands in one waterfall at least.
        first = next((it for it in places if it.trace_flags.sampled), None) or next(
            iter(places), None
        )
        parent = _inside(first) if first else Context()
        links = [Link(place) for place in places] if len(places) > 1 else []
        with self._span(name, SpanKind.CLIENT, facts, parent=parent, links=links):
            yield

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        facts: Facts,
        *,
        parent: Context | None = None,
        links: Sequence[Link] = (),
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            context=parent,
            kind=kind,
            attributes=facts,
            links=links,
            # The text of an exception may hold what nobody else should read.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as exc:
                span.set_attribute("error.type", type(exc).__name__)
                span.set_status(StatusCode.ERROR)
                raise


def _answered(span: Span, status: int | str, *, worst: int) -> None:
    if isinstance(status, int):
        span.set_attribute("http.response.status_code", status)
    if isinstance(status, str) or status >= worst:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


def _inside(place: SpanContext) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(place), Context())


def _text_of(place: SpanContext) -> str:
    sampled = "01" if place.trace_flags.sampled else "00"
    return f"00-{place.trace_id:032x}-{place.span_id:016x}-{sampled}"


def _landmarks(envelope: Envelope, *, cause: Envelope | None) -> Sequence[Link]:
    order_id = order_of(envelope)
    if order_id is None or isinstance(envelope.event, OrderPlaced) or order_id == order_of(cause):
        return ()
    return [Link(context_of(landmark_of(order_id)))]
