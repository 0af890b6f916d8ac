"""Every call of ours is the one that botocore would make, down to the signature."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from tests.wire_recorder import Recorded, Scripted, recording
from workers.runtime.aws import aws_client

KEY, SECRET, TOKEN, REGION = "AKIDEXAMPLE", "not-a-real-secret", "a/session+token=", "sa-east-1"
QUEUE = "http://127.0.0.1:4566/000000000000/orders"
ATTRIBUTES = {"type": {"DataType": "String", "StringValue": "orders.order.paid.v1"}}
ITEM = {"pk": {"S": "loja#ORDER#1"}, "n": {"N": "12.50"}, "l": {"L": [{"BOOL": True}]}}
KEYS = {"pk": {"S": "ação"}, "sk": {"S": "ORDER"}}
JSON_CALLS = [
    ("sqs", "receive_message", {"QueueUrl": QUEUE, "MaxNumberOfMessages": 10}),
    ("sqs", "delete_message_batch", {"QueueUrl": QUEUE, "Entries": [{"Id": "0"}]}),
    ("sqs", "change_message_visibility", {"QueueUrl": QUEUE, "VisibilityTimeout": 0}),
    ("sqs", "change_message_visibility_batch", {"QueueUrl": QUEUE, "Entries": [{"Id": "0"}]}),
    (
        "sqs",
        "send_message",
        {"QueueUrl": QUEUE, "MessageBody": "pão & água ☕", "MessageAttributes": ATTRIBUTES},
    ),
    ("dynamodb", "get_item", {"TableName": "orders", "Key": KEYS, "ConsistentRead": True}),
    ("dynamodb", "put_item", {"TableName": "orders", "Item": ITEM}),
    ("dynamodb", "update_item", {"TableName": "orders", "Key": KEYS, "UpdateExpression": "SET a"}),
    ("dynamodb", "delete_item", {"TableName": "orders", "Key": KEYS}),
    ("dynamodb", "query", {"TableName": "orders", "Limit": 5}),
    ("dynamodb", "scan", {"TableName": "orders"}),
    ("dynamodb", "batch_get_item", {"RequestItems": {"orders": {"Keys": [KEYS]}}}),
    (
        "dynamodb",
        "batch_write_item",
        {"RequestItems": {"orders": [{"DeleteRequest": {"Key": KEYS}}]}},
    ),
    (
        "dynamodb",
        "transact_write_items",
        {
            "TransactItems": [{"Put": {"TableName": "orders", "Item": ITEM}}],
            "ClientRequestToken": "t",
        },
    ),
    ("secretsmanager", "get_secret_value", {"SecretId": "comanda/laptop/loja"}),
]
PUBLISH = {
    "TopicArn": "arn:aws:sns:sa-east-1:000000000000:orders-events",
    "PublishBatchRequestEntries": [
        {"Id": "0", "Message": "pão & água=☕", "MessageAttributes": ATTRIBUTES},
        {"Id": "1", "Message": "", "MessageAttributes": {}},
    ],
}
PUBLISHED = b"""<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
<PublishBatchResult><Successful><member><Id>0</Id><MessageId>m0</MessageId></member></Successful>
<Failed><member><Id>1</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member></Failed>
</PublishBatchResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>
</PublishBatchResponse>"""


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)


async def both(
    service: str, name: str, params: dict[str, Any], *, answer: Scripted, monkeypatch: Any
) -> tuple[list[Recorded], list[dict[str, Any]]]:
    """Make the call with our client and with aiobotocore's; give what was sent and answered."""
    async with recording(answer) as recorder:
        monkeypatch.setenv("AWS_ENDPOINT_URL", recorder.url)
        answers = []
        async with aws_client(service) as ours:
            answers.append(await getattr(ours, name)(**params))
        config = AioConfig(parameter_validation=False)
        async with get_session().create_client(service, config=config) as theirs:
            answers.append(await getattr(theirs, name)(**params))
    return recorder.requests, answers


def assert_signed(request: Recorded, *, service: str) -> None:
    """Let botocore sign the same headers at the same instant."""
    authorization = request.headers["authorization"]
    signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    again = AWSRequest(
        request.method,
        f"http://{request.headers['host']}{request.path}",
        {name: request.headers[name] for name in signed if name not in ("host", "x-amz-date")},
        request.body,
    )
    credentials = ReadOnlyCredentials(KEY, SECRET, TOKEN)
    signer = FixedInstant(credentials, service, REGION)
    signer.stamp = request.headers["x-amz-date"]
    signer.add_auth(again)
    assert again.headers["Authorization"] == authorization
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(signed)


class FixedInstant(SigV4Auth):  # type: ignore[misc]  # botocore has no types.
    stamp: str

    def _set_necessary_date_headers(self, request: AWSRequest) -> None:
        request.context["timestamp"] = self.stamp
        super()._set_necessary_date_headers(request)


@pytest.mark.parametrize(("service", "name", "params"), JSON_CALLS, ids=lambda v: str(v)[:24])
async def test_a_json_call_is_the_one_that_botocore_makes(
    service: str, name: str, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests, _ = await both(service, name, params, answer=Scripted(), monkeypatch=monkeypatch)
    ours, theirs = requests
    assert json.loads(ours.body) == json.loads(theirs.body) == params
    named = ("x-amz-target", "content-type", "x-amzn-query-mode", "x-amz-security-token")
    assert [ours.headers.get(n) for n in named] == [theirs.headers.get(n) for n in named]
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert_signed(ours, service=service)


async def test_a_publish_is_the_one_that_botocore_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Scripted(body=PUBLISHED, headers={"Content-Type": "text/xml"})
    requests, answers = await both(
        "sns", "publish_batch", PUBLISH, answer=answer, monkeypatch=monkeypatch
    )
    ours, theirs = requests
    assert sorted(parse_qsl(ours.body.decode(), keep_blank_values=True)) == sorted(
        parse_qsl(theirs.body.decode(), keep_blank_values=True)
    )
    assert ours.headers["content-type"] == theirs.headers["content-type"]
    assert_signed(ours, service="sns")
    assert answers[0]["Successful"] == answers[1]["Successful"] == [{"Id": "0", "MessageId": "m0"}]
    assert answers[0]["Failed"] == answers[1]["Failed"]
    assert answers[0]["Failed"][0]["SenderFault"] is False
