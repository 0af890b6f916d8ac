"""The laptop's broker as an operator sees it: clients of the bus, and its queues by name."""

from collections.abc import Mapping
from typing import Any

import boto3

from comanda.settings import topology


def client_of(environment: Mapping[str, str], service: str) -> Any:
    """Make the boto3 client of `sns` or `sqs` for the system of this environment."""
    return boto3.client(
        service,
        endpoint_url=environment[f"AWS_ENDPOINT_URL_{service.upper()}"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def queues_of(environment: Mapping[str, str]) -> list[str]:
    """Name the queue of each context that has one; its dead letters are in `<name>-dlq`."""
    names = [name for name, context in topology()["contexts"].items() if "queue" in context]
    return [f"comanda-{environment['COMANDA_STAGE']}-{name}" for name in names]


def depth_of(sqs: Any, queue: str) -> int:
    """Count the messages of a queue, in flight or not."""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(told["ApproximateNumberOfMessages"]) + int(
        told["ApproximateNumberOfMessagesNotVisible"]
    )
