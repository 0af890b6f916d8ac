"""Celery on the SQS transport, acknowledging after the work."""

import os

from celery import Celery
from handlers import QUEUE_URL, handle

app = Celery(broker="sqs://bench:bench@")
app.conf.update(
    broker_transport_options={
        "region": os.environ["AWS_REGION"],
        "wait_time_seconds": 20,
        "polling_interval": 0,
        "predefined_queues": {"bench": {"url": QUEUE_URL}},
    },
    task_default_queue="bench",
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=4,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="benchmark.approve")
def approve(text):
    """Handle one message."""
    handle(text)
