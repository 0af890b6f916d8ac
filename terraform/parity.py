"""Compare what is in AWS, or in a stand-in, with what the laptop would make of the topology."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from local.provision.plan import Plan, QueuePlan
from local.provision.tables import table_request

Client = Callable[[str], Any]


def differences(client: Client, plan: Plan) -> list[str]:
    """Give every difference in names, attributes, filters, keys and lifetimes, in words."""
    return [
        *_topics(client("sns"), plan),
        *(it for name, queue in plan.queues.items() for it in _queue(client("sqs"), name, queue)),
        *_subscriptions(client("sns"), plan),
        *_tables(client("dynamodb"), plan),
        *_buckets(client("s3"), plan),
    ]


def _topics(sns: Any, plan: Plan) -> Iterator[str]:
    found = {it["TopicArn"].rpartition(":")[2] for it in sns.list_topics()["Topics"]}
    wanted = set(plan.topics.values())
    yield from (f"topic {name} is missing" for name in sorted(wanted - found))
    yield from (f"topic {name} is too many" for name in sorted(found - wanted))


def _queue(sqs: Any, context: str, queue: QueuePlan) -> Iterator[str]:
    attributes = _attributes(sqs, queue.name)
    letters = _attributes(sqs, queue.dlq_name)
    redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
    pairs = {
        "visibility": (attributes.get("VisibilityTimeout"), queue.visibility_seconds),
        "retention": (attributes.get("MessageRetentionPeriod"), queue.retention_seconds),
        "wait": (attributes.get("ReceiveMessageWaitTimeSeconds"), queue.receive_wait_seconds),
        "receives": (redrive.get("maxReceiveCount"), queue.max_receive_count),
        "dlq retention": (letters.get("MessageRetentionPeriod"), queue.dlq_retention_seconds),
        "dlq": (redrive.get("deadLetterTargetArn", "").rpartition(":")[2], queue.dlq_name),
    }
    for what, (found, wanted) in pairs.items():
        if str(found) != str(wanted):
            yield f"queue {context}: {what} is {found}, not {wanted}"


def _attributes(sqs: Any, name: str) -> dict[str, str]:
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        return {}
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    return found


def _subscriptions(sns: Any, plan: Plan) -> Iterator[str]:
    found = {}
    for it in sns.list_subscriptions()["Subscriptions"]:
        attributes = sns.get_subscription_attributes(SubscriptionArn=it["SubscriptionArn"])
        found[_last(it["TopicArn"]), _last(it["Endpoint"])] = attributes["Attributes"]
    for wanted in plan.subscriptions:
        key = (plan.topics[wanted.publisher], plan.queues[wanted.subscriber].name)
        attributes = found.pop(key, {})
        if attributes.get("RawMessageDelivery") != "true":
            yield f"subscription {key} is missing or wraps its messages"
        elif json.loads(attributes["FilterPolicy"]) != json.loads(wanted.filter_policy):
            yield f"subscription {key} hears {attributes['FilterPolicy']}"
    yield from (f"subscription {key} is too many" for key in sorted(found))


def _tables(dynamodb: Any, plan: Plan) -> Iterator[str]:
    for name, shape in plan.tables:
        try:
            table = dynamodb.describe_table(TableName=name)["Table"]
        except dynamodb.exceptions.ResourceNotFoundException:
            yield f"table {name} is missing"
            continue
        wanted = table_request(name, shape)
        if _by_type(table["KeySchema"]) != _by_type(wanted["KeySchema"]):
            yield f"table {name} has other keys"
        if _indexes(table) != _indexes(wanted):
            yield f"table {name} has other indexes: {sorted(_indexes(table))}"
        lifetime = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if lifetime.get("AttributeName") != shape["ttl_attribute"]:
            yield f"table {name} forgets by {lifetime.get('AttributeName')}"


def _buckets(s3: Any, plan: Plan) -> Iterator[str]:
    there = [it["Name"] for it in s3.list_buckets()["Buckets"]]
    for name, shape in plan.buckets:
        # In AWS a name ends in the account, for names of buckets are the world's.
        found = [it for it in there if it == name or it.startswith(f"{name}-")]
        if len(found) != 1:
            yield f"bucket {name} is there {len(found)} times"
            continue
        rules = s3.get_bucket_lifecycle_configuration(Bucket=found[0])["Rules"]
        days = [it["Expiration"]["Days"] for it in rules if it["Status"] == "Enabled"]
        if days != [shape["expire_days"]]:
            yield f"bucket {name} forgets after {days} days, not {shape['expire_days']}"


def _indexes(table: dict[str, Any]) -> dict[str, Any]:
    return {
        it["IndexName"]: (_by_type(it["KeySchema"]), it["Projection"]["ProjectionType"])
        for it in table.get("GlobalSecondaryIndexes", ())
    }


def _by_type(schema: list[dict[str, str]]) -> dict[str, str]:
    return {it["KeyType"]: it["AttributeName"] for it in schema}


def _last(arn: str) -> str:
    return arn.rpartition(":")[2]
