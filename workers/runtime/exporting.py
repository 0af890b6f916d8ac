"""Build the SDK as its standard variables say, with an end that nobody has to wait for."""

import logging
import threading
from uuid import uuid4

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from workers.runtime.sampling import FollowsLinks
from workers.runtime.spans import OTelSpans

# What a collector has not taken by then is lost: a pod's end must not wait for it.
LONGEST_FINISH_SECONDS = 1.0


def exported_spans(service: str, *, exporter: SpanExporter | None = None) -> OTelSpans:
    """Make spans and send them, in batches of a bounded queue, to the collector of the environment.

    The queue (`OTEL_BSP_MAX_QUEUE_SIZE`, 2048) drops the oldest when it is full.
    """
    # That a collector is away is told once a batch; a full queue would be told span by span.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    resource = Resource.create(
        {
            "service.name": service,
            "service.namespace": "comanda",
            "service.instance.id": str(uuid4()),
        }
    )
    # The SDK's own end at exit would wait for half a minute.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.sampler = FollowsLinks(provider.sampler)
    processor = BatchSpanProcessor(exporter or OTLPSpanExporter())
    provider.add_span_processor(processor)

    def finish() -> None:
        ending = threading.Thread(target=processor.shutdown, name="last spans", daemon=True)
        ending.start()
        ending.join(LONGEST_FINISH_SECONDS)

    return OTelSpans(provider, emit=processor.on_end, finish=finish)
