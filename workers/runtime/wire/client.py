"""An operation with parameters arrives, one signed POST leaves, a dictionary comes back.

Operations are called by boto3's names (`client.receive_message(QueueUrl=...)`) and fail with
botocore's exceptions, so an adapter does not know which client it was given.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import aiohttp
from botocore import xform_name
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.model import ServiceModel
from yarl import URL

from workers.runtime.wire import retries
from workers.runtime.wire.protocol import Answer, UnreadableAnswer, protocol_of
from workers.runtime.wire.signing import Signer

Operation = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Setback:
    fault: BotoCoreError | ClientError
    may_go_better: bool = True
    is_throttled: bool = False


class SignedClient:
    """Call one AWS service over a session of pooled connections.

    Raises `ClientError` for what the service refuses, and other `BotoCoreError`s when there was no
    usable answer after all attempts.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        model: ServiceModel,
        url: str,
        signer: Signer,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._url = URL(url)
        self._signer = signer
        self._clock = clock
        self._sleep = sleep
        self._protocol = protocol_of(model)
        self._retries = retries.Retries()
        self._actions = {xform_name(action): action for action in model.operation_names}

    def __getattr__(self, name: str) -> Operation:
        action = self._actions.get(name)
        if action is None:
            raise AttributeError(name)

        async def operation(**params: Any) -> dict[str, Any]:
            return await self.call(action, params)

        # Found once: the next access finds the attribute itself.
        self.__dict__[name] = operation
        return operation

    async def call(self, action: str, params: dict[str, Any]) -> dict[str, Any]:
        """Call the operation by its name in the API, with up to four attempts."""
        headers, body = self._protocol.request(action, params)
        for attempt in itertools.count(1):
            outcome = await self._attempt(action, headers, body)
            if not isinstance(outcome, _Setback):
                self._retries.succeeded(attempt)
                return outcome
            if not outcome.may_go_better or not self._retries.allows(
                attempt, is_timeout=isinstance(outcome.fault, ReadTimeoutError)
            ):
                raise outcome.fault
            await self._sleep(retries.pause(attempt, is_throttled=outcome.is_throttled))
        raise AssertionError("counting never ends")

    async def _attempt(
        self, action: str, headers: dict[str, str], body: bytes
    ) -> "dict[str, Any] | _Setback":
        try:
            answer = await self._send(headers, body)
            if answer.status < 300:
                return self._protocol.result(action, answer)
        except TimeoutError as exc:
            return _Setback(ReadTimeoutError(endpoint_url=str(self._url), error=exc))
        except OSError as exc:
            return _Setback(EndpointConnectionError(endpoint_url=str(self._url), error=exc))
        except (aiohttp.ClientError, UnreadableAnswer) as exc:
            return _Setback(HTTPClientError(error=exc))
        parsed = {**self._protocol.fault(answer), "ResponseMetadata": _metadata(answer)}
        code = parsed["Error"]["Code"]
        return _Setback(
            ClientError(parsed, action),
            may_go_better=self._may_go_better(answer, code),
            is_throttled=code in retries.THROTTLING_CODES,
        )

    async def _send(self, headers: dict[str, str], body: bytes) -> Answer:
        signed = await self._signer.sign(headers, body)
        async with self._session.post(self._url, data=body, headers=signed) as response:
            content = await response.read()
            answer = Answer(
                status=response.status,
                headers=response.headers,
                body=content,
            )
        # DynamoDB says what its body sums up to; a body that was cut or bent is asked for again.
        checksum = answer.headers.get("x-amz-crc32")
        if checksum is not None and checksum != str(crc32(content)):
            raise UnreadableAnswer("checksum differs")
        return answer

    def _may_go_better(self, answer: Answer, code: str) -> bool:
        if code in retries.CLOCK_CODES:
            return self._signer.learn_clock(answer.headers.get("date", ""), now=self._clock())
        if code in retries.EXPIRED_CODES:
            return True
        return retries.is_transient(status=answer.status, code=code)


def _metadata(answer: Answer) -> dict[str, Any]:
    return {
        "HTTPStatusCode": answer.status,
        "RequestId": answer.headers.get("x-amzn-requestid", ""),
    }
