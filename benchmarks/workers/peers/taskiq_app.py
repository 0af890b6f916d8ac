"""taskiq on SQS, receiving ten at a time."""

import os

from handlers import Handler
from taskiq import TaskiqEvents
from taskiq_aio_sqs import SQSBroker

broker = SQSBroker(
    "bench",
    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    region_name=os.environ["AWS_REGION"],
    aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    max_number_of_messages=10,
    wait_time_seconds=20,
)
_handler = Handler()


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def _open(_):
    await _handler.__aenter__()


@broker.task(task_name="benchmark.approve")
async def approve(text):
    """Handle one message."""
    await _handler(text)
