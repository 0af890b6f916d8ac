"""One typed list of metrics, and logging, for all that runs long."""

import logging
import sys

from prometheus_client import Counter, Gauge, Histogram

from comanda.logs import JsonFormatter

MESSAGES_HANDLED = Counter(
    "comanda_messages_handled_total",
    "Messages by what became of them.",
    ["context", "type", "outcome"],
)
HANDLING_SECONDS = Histogram(
    "comanda_message_handling_seconds", "From received to effect committed.", ["context", "type"]
)
MESSAGES_IN_FLIGHT = Gauge("comanda_messages_in_flight", "Messages in hand.", ["context"])
OUTBOX_SWEPT = Counter(
    "comanda_outbox_swept_total", "Envelopes that the sweep published because a relay did not."
)
OUTBOX_OLDEST_SECONDS = Gauge(
    "comanda_outbox_oldest_seconds",
    "Age of the oldest envelope that the last sweep found unsent; 0 when there was none.",
)
MESSAGE_WAIT_SECONDS = Gauge(
    "comanda_message_wait_seconds",
    "How long the oldest of the messages received last had been on the queue; 0 when none came.",
)
REQUEST_SECONDS = Histogram(
    "comanda_http_request_seconds", "From request to answer.", ["context", "route", "status"]
)


def configure_logging(service: str, *, level: int = logging.INFO) -> None:
    """Send all records of this process to standard error in the one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("botocore", "aiobotocore", "urllib3", "uvicorn.access", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
