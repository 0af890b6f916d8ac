"""A stand-in for AWS that enforces IAM, the stage's resources in it, and one call per action."""

import io
import json
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from comanda.settings import topology
from local.provision.context import REPOSITORY
from local.provision.tables import table_request
from local.supervisor.ports import reserve_ports

REGION, ACCOUNT, STAGE = "sa-east-1", "000000000000", "dev"
PREFIX = f"comanda-{STAGE}"
BUCKET = f"{PREFIX}-archive-{ACCOUNT}"
DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}
)
_QUICK = Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=10)
Client = Callable[[str], Any]


@dataclass(frozen=True, kw_only=True)
class World:
    """The address of the stand-in, and the words that its policies are rendered with."""

    url: str
    words: Mapping[str, str]

    def client(self, service: str, keys: tuple[str, str] = ("test", "test")) -> Any:
        """Build a client of whoever has these keys; without any, of the account itself."""
        return boto3.session.Session().client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
            config=_QUICK,
        )

    def queue_url(self, name: str) -> str:
        """Give the address of a queue by the rest of its name."""
        return f"{self.url}/{ACCOUNT}/{PREFIX}-{name}"

    def topic_arn(self, context: str) -> str:
        """Give a context's topic."""
        return f"arn:aws:sns:{REGION}:{ACCOUNT}:{PREFIX}-{context}-events"


@contextmanager
def enforcing_world() -> Iterator[World]:
    """Start the stand-in and make what a stage has in it."""
    with empty_world("--enforcing") as world:
        yield World(url=world.url, words=_make_stage(world))


@contextmanager
def empty_world(*options: str) -> Iterator[World]:
    """Start the stand-in, with nothing in it."""
    with reserve_ports(1) as (port,):
        python = str(REPOSITORY / ".venv-ministack" / "bin" / "python")
        whole = str(REPOSITORY / "local" / "ministack" / "whole.py")
        process = subprocess.Popen((python, whole, "--port", str(port), *options))
        try:
            world = World(url=f"http://127.0.0.1:{port}", words={})
            _wait(world)
            yield world
        finally:
            process.terminate()
            process.wait()


def is_denied(call: Callable[[], object]) -> bool:
    """Tell whether IAM refuses; whatever else a service answers came after IAM let it pass."""
    try:
        call()
    except ClientError as exc:
        return exc.response["Error"]["Code"] in DENIED
    return False


def call_of(action: str, *, workload: str, world: World, client: Client) -> Callable[[], object]:
    """Give the call that this workload needs this action for."""
    service, _, operation = action.partition(":")
    method = {
        "dynamodb": _table_call,
        "sqs": _queue_call,
        "cognito-idp": _pool_call,
        "s3": _object_call,
    }.get(service, _other_call)
    return method(operation, workload, world, client)


def _table_call(
    operation: str, workload: str, world: World, client: Client
) -> Callable[[], object]:
    dynamodb = client("dynamodb")
    owner = workload.partition("-")[0]
    owned = {"auth": "customers", "archive": "archive"}.get(owner, "orders")
    name = f"{PREFIX}-{owned}"
    key = {"pk": {"S": "ana#ORDER#1"}, "sk": {"S": "ORDER"}}
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": key["pk"]}}
    if workload == "orders-worker":
        query = {
            "IndexName": "outbox",
            "KeyConditionExpression": "outbox_pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "PENDING#0"}},
        }
    return {
        "GetItem": lambda: dynamodb.get_item(TableName=name, Key=key),
        "BatchWriteItem": lambda: dynamodb.batch_write_item(
            RequestItems={name: [{"PutRequest": {"Item": key}}]}
        ),
        "BatchGetItem": lambda: dynamodb.batch_get_item(RequestItems={name: {"Keys": [key]}}),
        # The workers write in transactions, for which IAM asks item by item.
        "PutItem": lambda: dynamodb.transact_write_items(
            TransactItems=[{"Put": {"TableName": name, "Item": key}}]
        ),
        "UpdateItem": lambda: dynamodb.update_item(
            TableName=name,
            Key=key,
            UpdateExpression="SET x = :x",
            ExpressionAttributeValues={":x": {"S": "x"}},
        ),
        "DeleteItem": lambda: dynamodb.delete_item(TableName=name, Key=key),
        "Query": lambda: dynamodb.query(TableName=name, **query),
        "Scan": lambda: dynamodb.scan(TableName=name, Limit=1),
    }[operation]


def _queue_call(
    operation: str, workload: str, world: World, client: Client
) -> Callable[[], object]:
    sqs = client("sqs")
    of_all = workload in ("keda-operator", "console-api")
    url = world.queue_url("orders" if of_all else workload.partition("-")[0])
    if workload == "console-api":
        return _letters_call(operation, url, sqs)
    return {
        "ReceiveMessage": lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0),
        # AWS asks for the same action for a batch; the stand-in knows single calls alone.
        "DeleteMessage": lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle="gone"),
        "ChangeMessageVisibility": lambda: sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle="gone", VisibilityTimeout=1
        ),
        "SendMessage": lambda: sqs.send_message(QueueUrl=f"{url}-dlq", MessageBody="bad"),
        "GetQueueAttributes": lambda: sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        ),
    }[operation]


def _letters_call(operation: str, url: str, sqs: Any) -> Callable[[], object]:
    """Give the calls about dead letters, which go back where they came from."""
    dead = f"{url}-dlq"
    return {
        "GetQueueUrl": lambda: sqs.get_queue_url(QueueName=dead.rpartition("/")[2]),
        "GetQueueAttributes": lambda: sqs.get_queue_attributes(
            QueueUrl=dead, AttributeNames=["ApproximateNumberOfMessages"]
        ),
        "ReceiveMessage": lambda: sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=0),
        "DeleteMessage": lambda: sqs.delete_message(QueueUrl=dead, ReceiptHandle="gone"),
        "ChangeMessageVisibility": lambda: sqs.change_message_visibility(
            QueueUrl=dead, ReceiptHandle="gone", VisibilityTimeout=1
        ),
        "SendMessage": lambda: sqs.send_message(QueueUrl=url, MessageBody="again"),
    }[operation]


def _object_call(
    operation: str,
    workload: str,
    world: World,
    client: Client,
) -> Callable[[], object]:
    s3, there = client("s3"), {"Bucket": BUCKET, "Key": "events/2026/11/21/12/x"}
    return {
        "GetObject": lambda: s3.get_object(**there),
        "PutObject": lambda: s3.put_object(**there, Body=b"x"),
        "ListBucket": lambda: s3.list_objects_v2(Bucket=BUCKET),
    }[operation]


def _pool_call(operation: str, workload: str, world: World, client: Client) -> Callable[[], object]:
    cognito = client("cognito-idp")
    for_staff = {"ListUsers", "AdminAddUserToGroup", "AdminRemoveUserFromGroup"} | {
        "AdminDisableUser",
        "AdminEnableUser",
        "AdminListGroupsForUser",
        "AdminSetUserMFAPreference",
    }
    pool = world.words["staff_pool" if operation in for_staff else "customers_pool"]
    whom = {"UserPoolId": pool, "Username": "somebody"}
    more: dict[str, dict[str, Any]] = {
        "AdminInitiateAuth": {"UserPoolId": pool, "ClientId": "c", "AuthFlow": "CUSTOM_AUTH"},
        "AdminRespondToAuthChallenge": {
            "UserPoolId": pool,
            "ClientId": "c",
            "ChallengeName": "CUSTOM_CHALLENGE",
        },
        "ListUsers": {"UserPoolId": pool},
        "AdminSetUserPassword": {**whom, "Password": "aA1!aA1!aA1!", "Permanent": True},
        "AdminUpdateUserAttributes": {**whom, "UserAttributes": [{"Name": "name", "Value": "x"}]},
        "AdminDeleteUserAttributes": {**whom, "UserAttributeNames": ["name"]},
        "AdminAddUserToGroup": {**whom, "GroupName": "kitchen"},
        "AdminRemoveUserFromGroup": {**whom, "GroupName": "kitchen"},
    }
    method = getattr(cognito, _snake(operation))
    return lambda: method(**more.get(operation, whom))


def _other_call(
    operation: str, workload: str, world: World, client: Client
) -> Callable[[], object]:
    context = {"auth": "customers"}.get(workload.partition("-")[0], workload.partition("-")[0])
    secret = {
        "payments": "ana/mercadopago",
        "webhooks": "ana/mercadopago",
        "external": "console/keys",
    }.get(context, "cpf-key")
    return {
        "Publish": lambda: client("sns").publish(TopicArn=world.topic_arn(context), Message="x"),
        "GetSecretValue": lambda: client("secretsmanager").get_secret_value(
            SecretId=f"comanda/{STAGE}/{secret}"
        ),
        "SendEmail": lambda: client("ses").send_email(
            Source="nao-responda@comanda.example",
            Destination={"ToAddresses": ["a@b.example"]},
            Message={"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}},
        ),
        "InvokeFunction": lambda: client("lambda").invoke(
            FunctionName=f"auth_lambda-{STAGE}-deliver_code", InvocationType="DryRun"
        ),
    }[operation]


def _make_stage(world: World) -> dict[str, str]:
    sns, sqs, dynamodb = (world.client(name) for name in ("sns", "sqs", "dynamodb"))
    for context, it in topology()["contexts"].items():
        sns.create_topic(Name=f"{PREFIX}-{context}-events")
        for table, shape in it.get("tables", {}).items():
            dynamodb.create_table(**table_request(f"{PREFIX}-{table}", shape))
        if "queue" in it:
            sqs.create_queue(QueueName=f"{PREFIX}-{context}")
            sqs.create_queue(QueueName=f"{PREFIX}-{context}-dlq")
    world.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    secrets = world.client("secretsmanager")
    for name in ("cpf-key", "guest-signing-key", "ana/mercadopago", "console/keys"):
        secrets.create_secret(Name=f"comanda/{STAGE}/{name}", SecretString="00")
    world.client("ses").verify_domain_identity(Domain="comanda.example")
    _make_function(world)
    cognito = world.client("cognito-idp")
    pools = {
        f"{name}_pool": cognito.create_user_pool(PoolName=f"{PREFIX}-{name}")["UserPool"]["Id"]
        for name in ("customers", "staff")
    }
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    return {
        "partition": "aws",
        "region": REGION,
        "account": ACCOUNT,
        "prefix": PREFIX,
        "stage": STAGE,
        "mail_domain": "comanda.example",
        "database": "db-STANDIN",
        **dict.fromkeys(("data_key", "messaging_key", "secrets_key"), key),
        **pools,
    }


def _make_function(world: World) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", "def deliver_code(event, context): return None\n")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    world.client("iam").create_role(
        RoleName=f"{PREFIX}-auth-deliver",
        AssumeRolePolicyDocument=policy_text({"Version": "2012-10-17", "Statement": [trust]}),
    )
    world.client("lambda").create_function(
        FunctionName=f"auth_lambda-{STAGE}-deliver_code",
        Runtime="python3.11",
        Handler="app.deliver_code",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-auth-deliver",
        Code={"ZipFile": content.getvalue()},
    )


def _wait(world: World) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            world.client("sts").get_caller_identity()
            return
        except (EndpointConnectionError, ClientError):
            assert time.monotonic() < until, "the stand-in does not start"
            time.sleep(0.1)


def _snake(operation: str) -> str:
    from botocore import xform_name

    return str(xform_name(operation))


def as_evaluated(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Give the policy as the stand-in can look at it.

    It knows neither DynamoDB's conditions on items nor the identity of a mail's sender.
    """
    return {**policy, "Statement": [_as_evaluated(it) for it in policy["Statement"]]}


def _as_evaluated(statement: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(statement)
    if "dynamodb:LeadingKeys" in json.dumps(kept.get("Condition", {})):
        del kept["Condition"]
    if kept["Action"] == ["ses:SendEmail"]:
        kept["Resource"] = "*"
    return kept


def policy_text(policy: Mapping[str, Any]) -> str:
    """Write a policy as IAM takes it."""
    return json.dumps(policy)
