"""dramatiq on SQS, with its ordinary middleware but for the Prometheus server."""

import dramatiq
from dramatiq.middleware import default_middleware
from dramatiq_sqs import SQSBroker
from handlers import handle

broker = SQSBroker(
    middleware=[m() for m in default_middleware if m.__name__ != "Prometheus"],
    visibility_timeout=None,
)
dramatiq.set_broker(broker)


@dramatiq.actor(actor_name="benchmark.approve", queue_name="bench")
def approve(text):
    """Handle one message."""
    handle(text)
