"""Spans with ids that are known without being told: the landmark of an order, and a Lambda's.

A notification of the provider, a sweep or a cook knows an order and no trace. The landmark is one
span whose ids follow from the order's id: what is done for the order later links to it, and it
links to the event that placed the order. Nothing has to be stored for that.
"""

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags

from comanda.envelope import Envelope
from comanda.ids import OrderId
from comanda.traceparent import TraceContext, landmark_of
from workers.runtime.span_facts import facts_of


def landmark(
    order_id: OrderId, *, placed: Envelope, by: SpanContext, told: Resource
) -> ReadableSpan:
    """Make the landmark of an order that was placed by that event's span."""
    at = _nanoseconds(placed)
    return ReadableSpan(
        "order",
        context=context_of(landmark_of(order_id)),
        resource=told,
        attributes={"comanda.order.id": order_id, "comanda.shop.id": str(placed.event.shop_id)},
        links=[Link(by)],
        start_time=at,
        end_time=at,
    )


def lambdas_span(envelope: Envelope, *, begun: TraceContext, told: Resource) -> ReadableSpan:
    """Make the span that a Lambda of ours began and could not export: its event's creation."""
    at, source = _nanoseconds(envelope), envelope.event.source
    return ReadableSpan(
        f"create {source}-events",
        context=context_of(begun),
        resource=told.merge(Resource({"service.name": f"{source}-lambda"})),
        attributes=facts_of(envelope),
        kind=SpanKind.PRODUCER,
        start_time=at,
        end_time=at,
    )


def context_of(known: TraceContext) -> SpanContext:
    """Give the SDK's form of a context that came from outside."""
    flags = TraceFlags(TraceFlags.SAMPLED if known.is_sampled else TraceFlags.DEFAULT)
    ids = int(known.trace_id, 16), int(known.span_id, 16)
    return SpanContext(*ids, is_remote=True, trace_flags=flags)


def _nanoseconds(envelope: Envelope) -> int:
    return int(envelope.time.timestamp() * 1_000_000) * 1000
