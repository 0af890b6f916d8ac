"""What the lean AWS client does when the service, the network or the clock is unwell."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zlib import crc32

import aiohttp
import botocore.session
import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)

from tests.wire_recorder import Recorder, Scripted, recording
from workers.runtime.wire.client import SignedClient
from workers.runtime.wire.retries import ATTEMPTS, THROTTLING_CODES, pause
from workers.runtime.wire.signing import Signer

SERVER_ERROR = Scripted(status=500, body=b'{"__type":"InternalServerError"}')
BROKEN_PROXY = Scripted(status=502, body=b"<html>bad gateway</html>")
DROPPED = Scripted(drops=True)


class Credentials:
    """As botocore's refreshable credentials: whoever asks gets what is valid now."""

    def __init__(self) -> None:
        self.keys = ["first"]

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        key = self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]
        return ReadOnlyCredentials(key, "secret", None)


class Bed:
    """A client, the server that it talks to, and the pauses that it made."""

    def __init__(self, client: SignedClient, recorder: Recorder, pauses: list[float]) -> None:
        self.client = client
        self.recorder = recorder
        self.pauses = pauses
        self.credentials = Credentials()

    @property
    def keys(self) -> list[str]:
        """Give the access keys by which the requests were signed."""
        return [
            request.headers["authorization"].partition("Credential=")[2].partition("/")[0]
            for request in self.recorder.requests
        ]


@asynccontextmanager
async def bed(
    *script: Scripted, service: str = "dynamodb", url: str | None = None, patience: float = 5.0
) -> AsyncIterator[Bed]:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    credentials = Credentials()
    model = botocore.session.get_session().get_service_model(service)
    timeout = aiohttp.ClientTimeout(sock_read=patience)
    async with recording() as recorder, aiohttp.ClientSession(timeout=timeout) as session:
        recorder.script.extend(script)
        signer = Signer(credentials, service=service, region="sa-east-1", url=recorder.url)
        client = SignedClient(
            session, model=model, url=url or recorder.url, signer=signer, sleep=sleep
        )
        made = Bed(client, recorder, pauses)
        made.credentials = credentials
        yield made


@pytest.mark.parametrize("setback", [SERVER_ERROR, BROKEN_PROXY, DROPPED], ids=str)
async def test_a_call_that_went_wrong_is_sent_again_as_it_was(setback: Scripted) -> None:
    async with bed(setback, Scripted(body=b'{"Item":{}}')) as b:
        assert await b.client.get_item(TableName="orders") == {"Item": {}}
        first, second = b.recorder.requests
        assert first.body == second.body == b'{"TableName":"orders"}'
        assert len(b.pauses) == 1


async def test_a_call_gives_up_after_four_attempts() -> None:
    async with bed(*[SERVER_ERROR] * 9) as b:
        with pytest.raises(ClientError, match="InternalServerError") as caught:
            await b.client.get_item(TableName="orders")
        assert len(b.recorder.requests) == ATTEMPTS
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


@pytest.mark.parametrize("code", sorted(THROTTLING_CODES))
async def test_a_throttled_call_waits_longer_and_is_sent_again(code: str) -> None:
    throttled = Scripted(status=400, body=json.dumps({"__type": f"com.amazon#{code}"}).encode())
    async with bed(throttled, Scripted()) as b:
        assert await b.client.get_item(TableName="orders") == {}
    assert pause(1, is_throttled=True, jitter=1.0) > pause(1, is_throttled=False, jitter=1.0)


async def test_a_refusal_is_final_and_tells_all_that_the_service_said() -> None:
    reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}]
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "cancelled",
        "CancellationReasons": reasons,
    }
    async with bed(Scripted(status=400, body=json.dumps(body).encode())) as b:
        with pytest.raises(ClientError) as caught:
            await b.client.transact_write_items(TransactItems=[])
        assert len(b.recorder.requests) == 1
    assert caught.value.response["Error"] == {
        "Code": "TransactionCanceledException",
        "Message": "cancelled",
    }
    assert caught.value.response["CancellationReasons"] == reasons


async def test_an_older_error_code_in_the_header_wins() -> None:
    fault = Scripted(
        status=400,
        body=b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"}',
        headers={"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"},
    )
    async with bed(fault, service="sqs") as b:
        with pytest.raises(ClientError) as caught:
            await b.client.receive_message(QueueUrl="q")
    assert caught.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


async def test_a_server_whose_clock_differs_is_believed() -> None:
    theirs = datetime.now(UTC) + timedelta(hours=1)
    skewed = Scripted(
        status=403,
        body=b'{"__type":"InvalidSignatureException","message":"Signature expired"}',
        headers={"Date": format_datetime(theirs, usegmt=True)},
    )
    async with bed(skewed, Scripted(), Scripted()) as b:
        await b.client.get_item(TableName="orders")
        await b.client.get_item(TableName="orders")
        dates = [
            datetime.strptime(r.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            for r in b.recorder.requests
        ]
    assert all(abs(date - theirs) < timedelta(minutes=1) for date in dates[1:])
    assert theirs - dates[0] > timedelta(minutes=50)


async def test_a_bad_signature_is_not_blamed_on_a_clock_that_agrees() -> None:
    now = format_datetime(datetime.now(UTC), usegmt=True)
    refused = Scripted(
        status=403, body=b'{"__type":"InvalidSignatureException"}', headers={"Date": now}
    )
    async with bed(*[refused] * 4) as b:
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            await b.client.get_item(TableName="orders")
        assert len(b.recorder.requests) == 1


async def test_an_expired_token_is_replaced_by_the_renewed_one() -> None:
    expired = Scripted(status=400, body=b'{"__type":"ExpiredTokenException"}')
    async with bed(expired, Scripted()) as b:
        b.credentials.keys = ["old", "renewed"]
        await b.client.get_item(TableName="orders")
        assert b.keys == ["old", "renewed"]


async def test_a_body_that_was_bent_on_the_way_is_asked_for_again() -> None:
    good = b'{"Item":{"pk":{"S":"1"}}}'
    bent = Scripted(body=good.replace(b"1", b"2"), headers={"x-amz-crc32": str(crc32(good))})
    async with bed(bent, Scripted(body=good, headers={"x-amz-crc32": str(crc32(good))})) as b:
        assert await b.client.get_item(TableName="t") == {"Item": {"pk": {"S": "1"}}}


@pytest.mark.parametrize("page", [b"<html>hello</html>", b"[1]", b"\xff"])
async def test_a_page_in_place_of_an_answer_is_an_outage(page: bytes) -> None:
    async with bed(*[Scripted(body=page)] * ATTEMPTS) as b:
        with pytest.raises(HTTPClientError):
            await b.client.get_item(TableName="t")


@pytest.mark.parametrize("page", [b"<html>hello</html>", b"", b"{}"])
async def test_a_page_in_place_of_xml_is_an_outage(page: bytes) -> None:
    async with bed(*[Scripted(body=page)] * ATTEMPTS, service="sns") as b:
        with pytest.raises(HTTPClientError):
            await b.client.publish_batch(TopicArn="t", PublishBatchRequestEntries=[])


async def test_a_server_that_is_not_there_is_an_outage() -> None:
    async with bed(url="http://127.0.0.1:1") as b:
        with pytest.raises(EndpointConnectionError):
            await b.client.get_item(TableName="t")
        assert len(b.pauses) == ATTEMPTS - 1


async def test_a_server_that_says_nothing_is_a_timeout() -> None:
    async with bed(patience=0.000001) as b:
        with pytest.raises(ReadTimeoutError):
            await b.client.get_item(TableName="t")


async def test_a_service_that_stays_down_is_asked_less_and_less() -> None:
    async with bed(*[SERVER_ERROR] * 1000) as b:
        for _ in range(60):
            with pytest.raises(ClientError):
                await b.client.get_item(TableName="t")
        # 500 units of quota at 5 a retry are a hundred retries; after that each call is one try.
        assert len(b.recorder.requests) == 60 + 100


async def test_an_operation_that_the_service_does_not_have_is_an_attribute_error() -> None:
    async with bed() as b:
        with pytest.raises(AttributeError):
            await b.client.recieve_message(QueueUrl="q")


def test_a_signer_without_credentials_says_so() -> None:
    with pytest.raises(NoCredentialsError):
        Signer(None, service="sqs", region="sa-east-1", url="http://127.0.0.1")


@pytest.mark.parametrize("date", ["", "yesterday", "32 Foo 2026"])
def test_a_date_that_cannot_be_read_moves_no_clock(date: str) -> None:
    signer = Signer(Credentials(), service="sqs", region="sa-east-1", url="http://127.0.0.1")
    assert signer.learn_clock(date, now=datetime.now(UTC)) is False
