"""Call SQS from a coroutine by boto3, whose calls block, in a thread for each."""

import asyncio
from collections.abc import Callable
from threading import Lock
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config

_CONFIG = Config(connect_timeout=3, read_timeout=25, retries={"total_max_attempts": 3})


class ThreadedCaller:
    """An SQS client as the dead letters' adapter wants it; made when it is first needed."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._client: Any = None
        self._lock = Lock()

    async def call(self, action: str, params: dict[str, Any]) -> dict[str, Any]:
        """Call the action and give its answer; raise botocore's exceptions."""
        return await asyncio.to_thread(self._call, xform_name(action), params)

    def _call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            # A process whose environment names no region is told so when it asks, not at its start.
            self._client = self._client or self._connect()
        answer: dict[str, Any] = getattr(self._client, method)(**params)
        return answer


def open_caller(endpoint: str | None = None) -> ThreadedCaller:
    """Connect by the environment; an `endpoint` is a laptop's bus, which looks at no keys."""
    options: dict[str, Any] = {}
    if endpoint is not None:
        options = {
            "endpoint_url": endpoint,
            "region_name": "sa-east-1",
            "aws_access_key_id": "laptop",
            "aws_secret_access_key": "laptop",
        }
    return ThreadedCaller(lambda: boto3.session.Session().client("sqs", config=_CONFIG, **options))
