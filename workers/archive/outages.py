"""What an outage of S3 or DynamoDB looks like, by one name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from workers.runtime.errors import StoreUnavailable

# Nobody waits at a counter for the archive, so it may be patient.
DEADLINE = timedelta(seconds=20)
_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "ThrottlingException",
    }
)


@asynccontextmanager
async def reaching_the_store() -> AsyncIterator[None]:
    """Turn what an outage looks like into `StoreUnavailable`; other faults stay what they are."""
    try:
        async with asyncio.timeout(DEADLINE.total_seconds()):
            yield
    except (BotoConnectionError, HTTPClientError, ResponseParserError) as exc:
        raise StoreUnavailable from exc
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise StoreUnavailable from exc
    except ClientError as exc:
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status < 500 and exc.response["Error"]["Code"] not in _THROTTLED:
            raise
        raise StoreUnavailable from exc
