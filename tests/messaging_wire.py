"""The clients of one party to the messaging contract, and short words for what tests do."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError


class Wire:
    """The clients of one party, and names that nobody else uses; `close` deletes them."""

    def __init__(self, sqs: Any, sns: Any) -> None:
        self.sqs, self.sns = sqs, sns
        self._queues: list[str] = []
        self._topics: list[str] = []

    def queue(self, **attributes: str) -> str:
        name = f"comanda-contract-{uuid4().hex[:12]}"
        self._queues.append(
            self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        )
        return self._queues[-1]

    def arn(self, queue: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def topic(self) -> str:
        name = f"comanda-contract-{uuid4().hex[:12]}"
        self._topics.append(self.sns.create_topic(Name=name)["TopicArn"])
        return self._topics[-1]

    def listen(self, topic: str, **attributes: str) -> str:
        queue = self.queue()
        self._allow(queue, topic)
        attributes = {"RawMessageDelivery": "true", **attributes}
        self.sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=self.arn(queue), Attributes=attributes
        )
        return queue

    def send(self, queue: str, body: str = "b", **more: Any) -> Any:
        return self.sqs.send_message(QueueUrl=queue, MessageBody=body, **more)

    def receive(self, queue: str, *, wait: int = 1, **more: Any) -> list[Any]:
        answer = self.sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=wait,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
            **more,
        )
        found: list[Any] = answer.get("Messages", [])
        return found

    def bodies(self, queue: str) -> list[str]:
        """Receive until nothing is left."""
        found: list[str] = []
        while messages := self.receive(queue):
            found += [message["Body"] for message in messages]
        return found

    def close(self) -> None:
        for topic in self._topics:
            self.sns.delete_topic(TopicArn=topic)
        for queue in self._queues:
            self.sqs.delete_queue(QueueUrl=queue)

    def _allow(self, queue: str, topic: str) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self.arn(queue),
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})


def code(call: Callable[..., Any], **params: Any) -> str:
    """Give the code of a refusal, or `taken`."""
    try:
        call(**params)
    except ClientError as exc:
        return str(exc.response["Error"]["Code"]).rpartition(".")[2]
    except ResponseParserError:
        return "no answer of AWS's"
    return "taken"
