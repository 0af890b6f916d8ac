"""Topics and their subscriptions: who hears what is published."""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local.bus.attributes import MOST, Attributes
from local.bus.errors import AwsError
from local.bus.filters import Policy, admits, admits_body, parse_policy
from local.bus.names import topic_arn

SCOPES = ("MessageAttributes", "MessageBody")


@dataclass(slots=True)
class Subscription:
    """A queue that listens to a topic."""

    arn: str
    topic_arn: str
    endpoint: str
    attributes: dict[str, str] = field(default_factory=dict)
    policy: Policy = field(default_factory=dict)
    is_raw: bool = False
    is_about_bodies: bool = False

    def set(self, changes: dict[str, str]) -> None:
        """Set attributes together, because scope and policy belong together; all or none."""
        attributes = {**self.attributes, **changes}
        scope = attributes.get("FilterPolicyScope", SCOPES[0])
        if scope not in SCOPES:
            raise AwsError("InvalidParameter", "Invalid parameter: FilterPolicyScope")
        is_about_bodies = scope == SCOPES[1]
        self.policy = parse_policy(attributes.get("FilterPolicy", ""), is_nested=is_about_bodies)
        self.is_about_bodies = is_about_bodies
        self.is_raw = attributes.get("RawMessageDelivery", "false").lower() == "true"
        self.attributes = attributes

    def wants(self, body: str, attributes: Attributes) -> bool:
        """Tell whether the message is to be delivered."""
        if self.is_raw and len(attributes) > MOST:
            return False  # SNS discards it: the queue could not take so many attributes.
        if self.is_about_bodies:
            return admits_body(self.policy, body)
        return admits(self.policy, attributes)

    def facts(self) -> dict[str, Any]:
        """Give what the log needs to make it again."""
        return {
            "arn": self.arn,
            "topic_arn": self.topic_arn,
            "endpoint": self.endpoint,
            "attributes": self.attributes,
        }


class Topics:
    """All topics, each with its subscriptions."""

    def __init__(self) -> None:
        self._by_topic: dict[str, dict[str, Subscription]] = {}

    @property
    def arns(self) -> list[str]:
        """Give all topics."""
        return list(self._by_topic)

    @property
    def subscriptions(self) -> list[Subscription]:
        """Give all subscriptions of all topics."""
        return [s for mine in self._by_topic.values() for s in mine.values()]

    def create(self, name: str) -> str:
        """Make a topic, or give the one that is there."""
        arn = topic_arn(name)
        self._by_topic.setdefault(arn, {})
        return arn

    def delete(self, arn: str) -> None:
        """Forget a topic and its subscriptions."""
        self._by_topic.pop(arn, None)

    def check(self, arn: str) -> None:
        """Raise `NotFound` unless the topic is there."""
        if arn not in self._by_topic:
            raise AwsError("NotFound", "Topic does not exist", status=404)

    def of(self, arn: str) -> list[Subscription]:
        """Give the subscriptions of a topic that is there."""
        return list(self._by_topic[arn].values())

    def find(self, arn: str) -> Subscription | None:
        """Find a subscription by its own name."""
        return self._by_topic.get(arn.rpartition(":")[0], {}).get(arn)

    def subscribe(self, topic: str, endpoint: str, attributes: dict[str, str]) -> Subscription:
        """Let a queue listen; the same pair again is the same subscription."""
        for found in self.of(topic):
            if found.endpoint == endpoint:
                break
        else:
            found = Subscription(f"{topic}:{uuid4()}", topic, endpoint)
        found.set(attributes)
        self.keep(found)
        return found

    def keep(self, subscription: Subscription) -> None:
        """Take a subscription in, if its topic is there."""
        if subscription.topic_arn in self._by_topic:
            self._by_topic[subscription.topic_arn][subscription.arn] = subscription

    def unsubscribe(self, arn: str) -> None:
        """Forget a subscription."""
        self._by_topic.get(arn.rpartition(":")[0], {}).pop(arn, None)


def notification(
    body: str, attributes: Attributes, *, topic: str, message_id: str, at: float
) -> str:
    """Wrap a message in SNS's own envelope, for a subscription that is not raw."""
    envelope: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": topic,
        "Message": body,
        "Timestamp": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
    }
    if attributes:
        envelope["MessageAttributes"] = {
            name: {"Type": value["DataType"], "Value": _value(value)}
            for name, value in attributes.items()
        }
    return json.dumps(envelope)


def _value(attribute: dict[str, str]) -> str:
    if "BinaryValue" in attribute:
        return base64.b64encode(base64.b64decode(attribute["BinaryValue"])).decode()
    return attribute["StringValue"]
