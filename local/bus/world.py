"""All topics, queues and subscriptions, and how a message gets from one to the other."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.bus.errors import AwsError
from local.bus.filters import admits, parse_policy
from local.bus.log import Log, read_log
from local.bus.queue import BusQueue, Entry

REGION, ACCOUNT = "sa-east-1", "000000000000"


@dataclass(slots=True)
class Subscription:
    """A queue that listens to a topic."""

    arn: str
    topic_arn: str
    endpoint: str
    attributes: dict[str, str] = field(default_factory=dict)
    policy: dict[str, list[Any]] = field(default_factory=dict)

    def set(self, name: str, value: str) -> None:
        """Set an attribute; the policy is checked at once."""
        if name == "FilterPolicy":
            self.policy = parse_policy(value)
        self.attributes[name] = value

    @property
    def is_raw(self) -> bool:
        """Tell whether messages travel without SNS's own envelope."""
        return self.attributes.get("RawMessageDelivery", "false").lower() == "true"


class World:
    """The state of the bus; every change is noted in the log before it is acknowledged."""

    def __init__(self, folder: Path, *, clock: Callable[[], float]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "bus.log"
        self.clock = clock
        self.queues: dict[str, BusQueue] = {}
        self.topics: dict[str, str] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.log: Log | None = None
        for fact in read_log(self._path):
            self._replay(fact)
        self.log = Log(self._path)
        self.log.rewrite(self._facts())

    def note(self, kind: str, **facts: Any) -> None:
        """Write to the log, unless the log is being read."""
        if self.log is not None:
            self.log.note(kind, **facts)

    def create_queue(self, name: str, attributes: dict[str, str]) -> BusQueue:
        """Make a queue, or give the one that is there."""
        queue = self.queues.get(name)
        if queue is None:
            queue = BusQueue(name, clock=self.clock, note=self.note)
            self.queues[name] = queue
        self.configure(queue, attributes)
        return queue

    def configure(self, queue: BusQueue, attributes: dict[str, str]) -> None:
        """Set attributes of a queue; unknown ones are kept and ignored."""
        settings = queue.settings
        try:
            settings.visibility = int(attributes.get("VisibilityTimeout", settings.visibility))
            settings.delay = int(attributes.get("DelaySeconds", settings.delay))
            settings.retention = int(attributes.get("MessageRetentionPeriod", settings.retention))
            settings.wait = int(attributes.get("ReceiveMessageWaitTimeSeconds", settings.wait))
            redrive = json.loads(attributes.get("RedrivePolicy") or "null")
            if redrive:
                settings.redrive_arn = redrive["deadLetterTargetArn"]
                settings.max_receive_count = int(redrive["maxReceiveCount"])
        except (ValueError, KeyError, TypeError) as exc:
            raise AwsError("InvalidAttributeValue", f"Invalid attribute: {exc}") from exc
        settings.raw.update(attributes)
        self.note("queue", name=queue.name, attributes=settings.raw)

    def delete_queue(self, name: str) -> None:
        """Forget a queue and its messages."""
        del self.queues[name]
        self.note("queue-deleted", name=name)

    def dead_letters_of(self, queue: BusQueue) -> BusQueue | None:
        """Give the queue that takes what this one gives up."""
        return self.queues.get(queue.settings.redrive_arn.rpartition(":")[2])

    def send(
        self, queue: BusQueue, body: str, *, attributes: dict[str, Any], delay: int | None = None
    ) -> Entry:
        """Put a message on a queue."""
        now = self.clock()
        wait = queue.settings.delay if delay is None else delay
        entry = Entry(
            id=str(uuid4()),
            body=body,
            attributes=attributes,
            sent_at=now,
            visible_at=now + wait if wait else now,
        )
        self._note_sent(queue, entry)
        queue.put(entry)
        return entry

    def create_topic(self, name: str) -> str:
        """Make a topic, or give the one that is there."""
        arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"
        self.topics[arn] = name
        self.note("topic", name=name)
        return arn

    def delete_topic(self, arn: str) -> None:
        """Forget a topic and its subscriptions."""
        self.topics.pop(arn, None)
        for subscription in [s for s in self.subscriptions.values() if s.topic_arn == arn]:
            self.unsubscribe(subscription.arn)
        self.note("topic-deleted", arn=arn)

    def subscribe(self, topic_arn: str, endpoint: str, attributes: dict[str, str]) -> Subscription:
        """Let a queue listen to a topic; the same pair again is the same subscription."""
        for found in self.subscriptions.values():
            if (found.topic_arn, found.endpoint) == (topic_arn, endpoint):
                subscription = found
                break
        else:
            subscription = Subscription(
                arn=f"{topic_arn}:{uuid4()}", topic_arn=topic_arn, endpoint=endpoint
            )
        for name, value in attributes.items():
            subscription.set(name, value)
        self.subscriptions[subscription.arn] = subscription
        self.note_subscription(subscription)
        return subscription

    def note_subscription(self, subscription: Subscription) -> None:
        """Write a subscription to the log."""
        self.note("subscription", **_facts_of(subscription))

    def unsubscribe(self, arn: str) -> None:
        """Forget a subscription."""
        self.subscriptions.pop(arn, None)
        self.note("unsubscribed", arn=arn)

    def publish(self, topic_arn: str, body: str, attributes: dict[str, Any]) -> str:
        """Fan a message out to the queues whose policy admits it; give its id."""
        message_id = str(uuid4())
        texts = {k: v.get("StringValue", "") for k, v in attributes.items()}
        for subscription in self.subscriptions.values():
            if subscription.topic_arn != topic_arn or not admits(subscription.policy, texts):
                continue
            queue = self.queues.get(subscription.endpoint.rpartition(":")[2])
            if queue is None:
                continue
            if subscription.is_raw:
                self.send(queue, body, attributes=attributes)
            else:
                self.send(queue, _wrapped(message_id, topic_arn, body, attributes), attributes={})
        return message_id

    def _note_sent(self, queue: BusQueue, entry: Entry) -> None:
        self.note("sent", queue=queue.name, **_facts_of_entry(entry))

    def _facts(self) -> Iterator[dict[str, Any]]:
        for name in self.topics.values():
            yield {"kind": "topic", "name": name}
        for queue in self.queues.values():
            yield {"kind": "queue", "name": queue.name, "attributes": queue.settings.raw}
            for entry in queue.entries:
                yield {"kind": "sent", "queue": queue.name, **_facts_of_entry(entry)}
        for subscription in self.subscriptions.values():
            yield {"kind": "subscription", **_facts_of(subscription)}

    def _replay(self, fact: dict[str, Any]) -> None:
        kind = fact.pop("kind")
        if kind == "topic":
            self.create_topic(fact["name"])
        elif kind == "topic-deleted":
            self.topics.pop(fact["arn"], None)
        elif kind == "queue":
            self.create_queue(fact["name"], fact["attributes"])
        elif kind == "queue-deleted":
            self.queues.pop(fact["name"], None)
        elif kind == "subscription":
            subscription = Subscription(fact["arn"], fact["topic_arn"], fact["endpoint"])
            for name, value in fact["attributes"].items():
                subscription.set(name, value)
            self.subscriptions[subscription.arn] = subscription
        elif kind == "unsubscribed":
            self.subscriptions.pop(fact["arn"], None)
        else:
            self._replay_message(kind, fact)

    def _replay_message(self, kind: str, fact: dict[str, Any]) -> None:
        queue = self.queues.get(fact["queue"])
        if queue is None:
            return
        if kind == "sent":
            queue.put(Entry(**{k: v for k, v in fact.items() if k != "queue"}))
        elif kind == "deleted":
            queue.delete(f"{fact['id']}#0")
        elif kind == "purged":
            queue.purge()
        elif kind == "moved":
            found = [e for e in queue.entries if e.id == fact["id"]]
            queue.delete(f"{fact['id']}#0")
            if found and fact["to"] in self.queues:
                self.queues[fact["to"]].put(found[0])
                found[0].is_deleted = False


def _facts_of_entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "body": entry.body,
        "attributes": entry.attributes,
        "sent_at": entry.sent_at,
        "visible_at": entry.visible_at,
        "receive_count": entry.receive_count,
    }


def _facts_of(subscription: Subscription) -> dict[str, Any]:
    return {
        "arn": subscription.arn,
        "topic_arn": subscription.topic_arn,
        "endpoint": subscription.endpoint,
        "attributes": subscription.attributes,
    }


def _wrapped(message_id: str, topic_arn: str, body: str, attributes: dict[str, Any]) -> str:
    texts = {
        name: {"Type": value.get("DataType", "String"), "Value": value.get("StringValue", "")}
        for name, value in attributes.items()
    }
    envelope = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": topic_arn,
        "Message": body,
        "MessageAttributes": texts,
    }
    return json.dumps(envelope)
