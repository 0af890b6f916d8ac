"""One log format and one typed list of metrics for all that runs long."""

import json
import logging
import sys
from datetime import UTC, datetime

from prometheus_client import Counter, Gauge, Histogram

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
REQUEST_SECONDS = Histogram(
    "comanda_http_request_seconds", "From request to answer.", ["context", "route", "status"]
)

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Render a record as one line of JSON: time, level, event, and the keys given as `extra`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Give the line; values that JSON does not know become their text."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "event": record.getMessage(),
        }
        line |= {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(service: str, *, level: int = logging.INFO) -> None:
    """Send all records of this process to standard error in the one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("botocore", "aiobotocore", "urllib3", "uvicorn.access", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
