"""What requests ask of IAM, and which ways past the guard are none."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from local.iam.asked import Asker, NotUnderstood, Question, Request
from local.iam.encryption import asked_of_kms
from local.iam.record import entry_for

ASKER = Asker(
    keys={"orders": {"": "pk", "board": "board_pk"}},
    buckets={"archive": "archive-000000000000"},
    secrets=frozenset({"comanda/laptop/cpf-key"}),
)
TARGETS = {
    "dynamodb": "DynamoDB_20120810",
    "sqs": "AmazonSQS",
    "secretsmanager": "secretsmanager",
    "cognito-idp": "AWSCognitoIdentityProviderService",
}
TABLE = "arn:aws:dynamodb:sa-east-1:000000000000:table/orders"


def request(
    *, target: str = "", body: bytes = b"", method: str = "POST", path: str = "/", query: str = ""
) -> Request:
    headers = {"x-amz-target": target} if target else {}
    return Request(method=method, path=path, query=query, headers=headers, body=body)


def asked(service: str, operation: str, body: Any) -> tuple[Question, ...]:
    target = f"{TARGETS[service]}.{operation}"
    return ASKER.questions(request(target=target, body=json.dumps(body).encode()), service)


def key(value: str) -> dict[str, Any]:
    return {"pk": {"S": value}, "sk": {"S": "x"}}


def leading(question: Question) -> tuple[str, ...]:
    return question.context["dynamodb:LeadingKeys"]


def test_each_item_of_a_transaction_is_asked_for_as_the_call_that_it_is_alone() -> None:
    items = [
        {"Put": {"TableName": "orders", "Item": {**key("a#MENU"), "price": {"S": "1"}}}},
        {"Update": {"TableName": "orders", "Key": key("a#ORDER"), "UpdateExpression": "SET #s = :s",
                    "ExpressionAttributeNames": {"#s": "status"}}},
        {"Delete": {"TableName": "orders", "Key": key("c")}},
        {"ConditionCheck": {"TableName": "orders", "Key": key("d")}},
    ]  # fmt: skip

    put, update, delete, check = asked("dynamodb", "TransactWriteItems", {"TransactItems": items})

    assert [it.action for it in (put, update, delete, check)] == [
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:ConditionCheckItem",
    ]
    assert (leading(put), leading(update), put.resource) == (("a#MENU",), ("a#ORDER",), TABLE)
    assert put.context["dynamodb:Attributes"] == ("pk", "price", "sk")
    assert update.context["dynamodb:Attributes"] == ("pk", "sk", "status")


def test_a_batch_is_one_question_about_all_its_keys() -> None:
    requests = [{"PutRequest": {"Item": key("a")}}, {"DeleteRequest": {"Key": key("b#MENU")}}]

    (question,) = asked("dynamodb", "BatchWriteItem", {"RequestItems": {"orders": requests}})

    assert (question.action, leading(question)) == ("dynamodb:BatchWriteItem", ("a", "b#MENU"))


def test_a_query_is_asked_for_on_its_index_with_the_partition_of_the_index() -> None:
    (question,) = asked(
        "dynamodb",
        "Query",
        {
            "TableName": "orders",
            "IndexName": "board",
            "KeyConditionExpression": "#b = :b AND board_sk > :s",
            "ExpressionAttributeNames": {"#b": "board_pk"},
            "ExpressionAttributeValues": {":b": {"S": "ana#BOARD"}, ":s": {"S": "x"}},
        },
    )

    assert (question.resource, leading(question)) == (f"{TABLE}/index/board", ("ana#BOARD",))


def test_a_scan_and_a_query_of_an_unreadable_partition_name_no_key() -> None:
    for operation, more in (("Scan", {}), ("Query", {"KeyConditionExpression": "begins_with(x)"})):
        (question,) = asked("dynamodb", operation, {"TableName": "orders", **more})

        assert "dynamodb:LeadingKeys" not in question.context


def test_a_key_that_a_put_does_not_have_is_not_believed() -> None:
    body = {"TableName": "orders", "Item": key("ana#MENU"), "Key": key("ana#ORDER")}

    (question,) = asked("dynamodb", "PutItem", body)

    assert leading(question) == ("ana#MENU",)


@pytest.mark.parametrize(
    ("operation", "action"),
    [("SendMessageBatch", "SendMessage"), ("DeleteMessageBatch", "DeleteMessage")],
)
def test_a_batch_of_messages_is_the_action_of_one(operation: str, action: str) -> None:
    (question,) = asked("sqs", operation, {"QueueUrl": "http://x/000000000000/mine"})

    assert question.action == f"sqs:{action}"


def test_a_queues_name_beside_an_address_leads_nowhere() -> None:
    body = {"QueueUrl": "http://x/000000000000/theirs", "QueueName": "mine"}

    (question,) = asked("sqs", "SendMessage", body)

    assert question.resource.endswith(":theirs")


def test_a_publish_a_mail_a_function_and_an_object_name_what_they_are_about() -> None:
    topic = urlencode({"Action": "PublishBatch", "TopicArn": "arn:t"}).encode()
    mail = urlencode({"Action": "SendEmail", "Source": "Comanda <a@b.example>"}).encode()
    invoke = request(path="/2015-03-31/functions/post/invocations")
    got = request(method="GET", path="/archive/events/1", query="x-id=GetObject")
    listed = request(method="GET", path="/archive", query="list-type=2&prefix=e")

    found = [
        *ASKER.questions(request(body=topic), "sns"),
        *ASKER.questions(request(body=mail), "ses"),
        *ASKER.questions(invoke, "lambda"),
        *ASKER.questions(got, "s3"),
        *ASKER.questions(listed, "s3"),
    ]

    assert [(it.action, it.resource.rpartition(":")[2]) for it in found] == [
        ("sns:Publish", "t"),
        ("ses:SendEmail", "identity/b.example"),
        ("lambda:InvokeFunction", "post"),
        ("s3:GetObject", "archive-000000000000/events/1"),
        ("s3:ListBucket", "archive-000000000000"),
    ]


def test_a_secret_that_is_not_there_has_no_random_end() -> None:
    there, gone = (
        asked("secretsmanager", "GetSecretValue", {"SecretId": f"comanda/laptop/{name}"})[0]
        for name in ("cpf-key", "other")
    )

    assert there.resource.endswith("cpf-key-xxxxxx")
    assert gone.resource.endswith("other")


@pytest.mark.parametrize(
    ("service", "sent"),
    [
        # A target of another service than the one that the signature names.
        ("lambda", request(path="/2015-03-31/functions/f/invocations", target="DynamoDB_2.X")),
        ("dynamodb", request(target="secretsmanager.GetSecretValue", body=b'{"SecretId": "x"}')),
        ("dynamodb", request(target="DynamoDB_20120810.ListTables", body=b"{}")),
        ("dynamodb", request(target="DynamoDB_20120810.PutItem", body=b"no json")),
        ("sqs", request(target="AmazonSQS.ListQueues", body=b"{}")),
        ("lambda", request(path="/2015-03-31/functions/f", method="GET")),
        ("s3", request(path="/archive/events/1", method="PUT", query="acl=")),
        ("s3", request(path="/archive", method="POST", query="delete=")),
        ("iam", request(body=b"Action=CreateUser")),
    ],
)  # fmt: skip
def test_what_the_guard_does_not_understand_does_not_pass(service: str, sent: Request) -> None:
    with pytest.raises(NotUnderstood):
        ASKER.questions(sent, service)


def test_a_message_that_is_sent_needs_its_key_twice_and_one_that_is_deleted_not() -> None:
    send = Question(action="sqs:SendMessage", resource="q")

    assert [it.action for it in asked_of_kms(send)] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert next(asked_of_kms(send)).context == {"kms:ViaService": ("sqs.sa-east-1.amazonaws.com",)}
    assert list(asked_of_kms(Question(action="sqs:DeleteMessage", resource="q"))) == []


def test_the_record_keeps_the_words_of_a_key_and_neither_shops_nor_ids() -> None:
    question = Question(
        action="dynamodb:PutItem",
        resource="t",
        context={"dynamodb:LeadingKeys": ("ana#ORDER#0193", "beto#ORDER#7"), "other": ("x",)},
    )

    entry = entry_for("w", question, keys={"dynamodb:LeadingKeys"}, is_allowed=True)

    assert entry.context == (("dynamodb:LeadingKeys", ("x#ORDER#x",)),)
