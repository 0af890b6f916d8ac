"""The laptop's resources and Terraform's are compared by one function, which sees differences."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from comanda.settings import topology
from local.provision.buckets import lifecycle
from local.provision.plan import Plan, plan_for
from local.provision.tables import table_request
from terraform.parity import differences

REGION = "sa-east-1"


@pytest.fixture
def plan() -> Plan:
    return plan_for(topology(), stage="test")


@pytest.fixture
def made(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plan]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        make(plan)
        yield plan


def client(service: str) -> Any:
    return boto3.session.Session(region_name=REGION).client(service)


def make(plan: Plan) -> None:
    """Make what a plan says by the same requests as the laptop's provisioning."""
    sns, sqs, dynamodb = client("sns"), client("sqs"), client("dynamodb")
    topics = {context: sns.create_topic(Name=it)["TopicArn"] for context, it in plan.topics.items()}
    for queue in plan.queues.values():
        retention = {"MessageRetentionPeriod": str(queue.dlq_retention_seconds)}
        sqs.create_queue(QueueName=queue.dlq_name, Attributes=retention)
        arn = f"arn:aws:sqs:{REGION}:123456789012:{queue.dlq_name}"
        redrive = (
            f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": {queue.max_receive_count}}}'
        )
        attributes = {
            "VisibilityTimeout": str(queue.visibility_seconds),
            "MessageRetentionPeriod": str(queue.retention_seconds),
            "ReceiveMessageWaitTimeSeconds": str(queue.receive_wait_seconds),
            "RedrivePolicy": redrive,
        }
        sqs.create_queue(QueueName=queue.name, Attributes=attributes)
    for it in plan.subscriptions:
        sns.subscribe(
            TopicArn=topics[it.publisher],
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:{REGION}:123456789012:{plan.queues[it.subscriber].name}",
            Attributes={"RawMessageDelivery": "true", "FilterPolicy": it.filter_policy},
        )
    for name, shape in plan.tables:
        dynamodb.create_table(**table_request(name, shape))
        lifetime = {"Enabled": True, "AttributeName": shape["ttl_attribute"]}
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=lifetime)
    s3, place = client("s3"), {"LocationConstraint": REGION}
    for name, shape in plan.buckets:
        own = f"{name}-123456789012"
        s3.create_bucket(Bucket=own, CreateBucketConfiguration=place)
        rules = lifecycle(shape)
        s3.put_bucket_lifecycle_configuration(Bucket=own, LifecycleConfiguration=rules)


def test_what_the_topology_says_is_no_difference(made: Plan) -> None:
    assert differences(client, made) == []


def test_a_changed_queue_is_seen(made: Plan) -> None:
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName="comanda-test-orders")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})

    wanted = made.queues["orders"].visibility_seconds
    assert differences(client, made) == [f"queue orders: visibility is 7, not {wanted}"]


def test_a_subscription_that_hears_other_types_is_seen(made: Plan) -> None:
    sns = client("sns")
    first = sns.list_subscriptions()["Subscriptions"][0]
    sns.set_subscription_attributes(
        SubscriptionArn=first["SubscriptionArn"],
        AttributeName="FilterPolicy",
        AttributeValue='{"type": ["nothing"]}',
    )

    assert [it for it in differences(client, made) if "nothing" in it] != []


def test_whatever_is_missing_or_too_many_is_seen(made: Plan) -> None:
    client("sns").create_topic(Name="comanda-test-stranger")
    client("dynamodb").delete_table(TableName="comanda-test-orders")

    assert differences(client, made) == [
        "topic comanda-test-stranger is too many",
        "table comanda-test-orders is missing",
    ]


def test_a_bucket_that_forgets_too_early_or_is_not_there_is_seen(made: Plan) -> None:
    s3 = client("s3")
    ((name, shape),) = made.buckets
    own = f"{name}-123456789012"
    early = lifecycle({**shape, "expire_days": 7})
    s3.put_bucket_lifecycle_configuration(Bucket=own, LifecycleConfiguration=early)

    assert differences(client, made) == [f"bucket {name} forgets after [7] days, not 400"]

    s3.delete_bucket(Bucket=own)
    assert differences(client, made) == [f"bucket {name} is there 0 times"]
