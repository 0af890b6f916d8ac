"""From OTLP's protocol buffers to plain values: one flat dictionary a span."""

from collections.abc import Iterator, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_KIND = "SPAN_KIND_"


def spans_in(body: bytes) -> Iterator[dict[str, Any]]:
    """Read a request; raise `google.protobuf.message.DecodeError` when it is none.

    Times are nanoseconds since 1970, ids are hexadecimal, a root has an empty parent.
    """
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = _values(resource_spans.resource.attributes).get("service.name", "")
        for scope in resource_spans.scope_spans:
            for span in scope.spans:
                yield _plain(span, service=str(service))


def _plain(span: Span, *, service: str) -> dict[str, Any]:
    return {
        "service": service,
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix(_KIND),
        "trace": span.trace_id.hex(),
        "span": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "links": [{"trace": it.trace_id.hex(), "span": it.span_id.hex()} for it in span.links],
        "begin": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "failed": span.status.code == 2,
        "said": span.status.message,
        "events": len(span.events),
        "attributes": _values(span.attributes),
    }


def _values(pairs: Sequence[KeyValue]) -> dict[str, object]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    return str(value) if kind in (None, "array_value", "kvlist_value") else getattr(value, kind)
