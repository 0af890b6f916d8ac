"""Open the AWS clients of a pod, with the timeouts and pools that a worker needs.

botocore's own session finds the credentials, the region, the endpoint (`AWS_ENDPOINT_URL[_SERVICE]`
or the region's) and the model of each service; `workers.runtime.wire` does the calls.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiobotocore.session import get_session

from comanda.messaging.ports import Publisher
from comanda.messaging.sns import SNSPublisher
from comanda.messaging.sqs import SQSQueue
from workers.runtime.tracing import traced_publisher
from workers.runtime.wire.client import SignedClient
from workers.runtime.wire.signing import Signer

_CONNECT_SECONDS = 3.0
# Must outlast a long poll of 20 s, or every idle poll would be an error.
_READ_SECONDS = 30.0
_CONNECTIONS = 64
_HEADERS = {"User-Agent": "comanda", "Accept-Encoding": "identity"}


@asynccontextmanager
async def aws_client(service: str) -> AsyncIterator[SignedClient]:
    """Open a client of one service; region, credentials and endpoint come from the environment."""
    session = get_session()
    async with session.create_client(service) as resolved:
        meta = resolved.meta
    signer = Signer(
        await session.get_credentials(),
        service=meta.service_model.signing_name,
        region=meta.region_name,
        url=meta.endpoint_url,
    )
    async with _http() as http:
        yield SignedClient(http, model=meta.service_model, url=meta.endpoint_url, signer=signer)


def _http() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=12),
        timeout=aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS),
        # No answer of AWS's may set a cookie, and a proxy's must not reach the next call.
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        skip_auto_headers=("Accept",),
        auto_decompress=False,
    )


@asynccontextmanager
async def sns_publisher(topic_arn: str) -> AsyncIterator[Publisher]:
    """Open the publisher of one topic."""
    async with aws_client("sns") as client:
        yield traced_publisher(SNSPublisher(client, topic_arn=topic_arn), topic_arn=topic_arn)


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
