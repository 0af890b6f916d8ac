"""Make the topics, the queues with their dead-letter queues, and the subscriptions between them."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.provision.context import ProvisionContext
from local.provision.plan import Plan, QueuePlan, SubscriptionPlan


@dataclass(frozen=True, kw_only=True)
class QueueAddress:
    """Where a context's messages are received, and where they end when they cannot be handled."""

    url: str
    arn: str
    dlq_url: str


@dataclass(frozen=True, kw_only=True)
class Messaging:
    """The addresses of all topics and queues, by context."""

    topic_arns: Mapping[str, str]
    queues: Mapping[str, QueueAddress]


async def provision_messaging(context: ProvisionContext, *, plan: Plan) -> Messaging:
    """Make what is not there yet; making it again changes nothing."""
    # Importing aiobotocore takes long enough to be done while the stand-ins start.
    from aiobotocore.session import get_session

    session = get_session()
    async with (
        session.create_client("sns", **context.client_options("sns")) as sns,
        session.create_client("sqs", **context.client_options("sqs")) as sqs,
    ):
        topics, queues = await asyncio.gather(
            _each(plan.topics, lambda name: _topic(sns, plan.topics[name])),
            _each(plan.queues, lambda name: _queue(sqs, plan.queues[name])),
        )
        made = Messaging(topic_arns=topics, queues=queues)
        await asyncio.gather(*(_subscribe(sns, it, made) for it in plan.subscriptions))
    return made


async def _each(names: Mapping[str, Any], make: Any) -> dict[str, Any]:
    results = await asyncio.gather(*(make(name) for name in names))
    return dict(zip(names, results, strict=True))


async def _topic(sns: Any, name: str) -> str:
    answer = await sns.create_topic(Name=name)
    return str(answer["TopicArn"])


async def _queue(sqs: Any, plan: QueuePlan) -> QueueAddress:
    dlq_url, dlq_arn = await _create_queue(
        sqs, plan.dlq_name, {"MessageRetentionPeriod": str(plan.dlq_retention_seconds)}
    )
    redrive = {"deadLetterTargetArn": dlq_arn, "maxReceiveCount": str(plan.max_receive_count)}
    attributes = {
        "VisibilityTimeout": str(plan.visibility_seconds),
        "MessageRetentionPeriod": str(plan.retention_seconds),
        "ReceiveMessageWaitTimeSeconds": str(plan.receive_wait_seconds),
        "RedrivePolicy": json.dumps(redrive),
    }
    url, arn = await _create_queue(sqs, plan.name, attributes)
    return QueueAddress(url=url, arn=arn, dlq_url=dlq_url)


async def _create_queue(sqs: Any, name: str, attributes: Mapping[str, str]) -> tuple[str, str]:
    url = (await sqs.create_queue(QueueName=name, Attributes=attributes))["QueueUrl"]
    answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(url), str(answer["Attributes"]["QueueArn"])


async def _subscribe(sns: Any, plan: SubscriptionPlan, made: Messaging) -> None:
    await sns.subscribe(
        TopicArn=made.topic_arns[plan.publisher],
        Protocol="sqs",
        Endpoint=made.queues[plan.subscriber].arn,
        Attributes={"RawMessageDelivery": "true", "FilterPolicy": plan.filter_policy},
        ReturnSubscriptionArn=True,
    )
