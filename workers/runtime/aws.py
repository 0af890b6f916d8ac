"""Open the AWS clients of a pod, with the timeouts, retries and pools that a worker needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from comanda.messaging.sns import SNSPublisher
from comanda.messaging.sqs import SQSQueue

# The read timeout must outlast a long poll of 20 s, or every idle poll would be an error.
_CONFIG = AioConfig(
    connect_timeout=3,
    read_timeout=30,
    max_pool_connections=64,
    retries={"mode": "standard", "max_attempts": 4},
    tcp_keepalive=True,
    # Our own code builds every request and the tests run each against a server that checks it.
    parameter_validation=False,
)


@asynccontextmanager
async def aws_client(service: str) -> AsyncIterator[Any]:
    """Open a client of one service; region, credentials and endpoint come from the environment."""
    async with get_session().create_client(service, config=_CONFIG) as client:
        yield client


@asynccontextmanager
async def sns_publisher(topic_arn: str) -> AsyncIterator[SNSPublisher]:
    """Open the publisher of one topic."""
    async with aws_client("sns") as client:
        yield SNSPublisher(client, topic_arn=topic_arn)


@asynccontextmanager
async def sqs_queue(queue_url: str, dlq_url: str) -> AsyncIterator[SQSQueue]:
    """Open one input queue."""
    async with aws_client("sqs") as client:
        yield SQSQueue(client, url=queue_url, dlq_url=dlq_url)


@asynccontextmanager
async def dynamodb_client() -> AsyncIterator[Any]:
    """Open a DynamoDB client."""
    async with aws_client("dynamodb") as client:
        yield client
