"""All topics and queues, and how a message gets from one to the other.

Every change is noted in the log before it is acknowledged, and every step in the journal.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from local.bus.attributes import Attributes
from local.bus.clock import VirtualClock
from local.bus.errors import AwsError
from local.bus.faults import Faults, Point, Subject
from local.bus.journal import Journal
from local.bus.log import Log, read_log
from local.bus.names import new_id, queue_arn
from local.bus.queue import BusQueue, Entry, QueueSettings
from local.bus.topics import Subscription, Topics, notification

_REMOVED = frozenset({"deleted", "expired"})


class World:
    """The state of the bus; without a folder nothing outlives the process."""

    def __init__(self, folder: Path | None, *, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.faults = Faults()
        self.journal = Journal(clock=self.clock)
        self.queues: dict[str, BusQueue] = {}
        self.topics = Topics()
        self._log: Log | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for fact in read_log(folder / "bus.log"):
                self._replay(fact)
            self.journal.clear()
            self._log = Log(folder / "bus.log")
            self._log.rewrite(self._facts())

    def flush(self) -> None:
        """Make what was done outlive the process; call it before answering."""
        if self._log is not None:
            self._log.flush()
            if self._log.is_overgrown:
                self._log.rewrite(self._facts())

    def create_queue(self, name: str, attributes: dict[str, str]) -> BusQueue:
        """Make a queue, or give the one that is there."""
        queue = self.queues.get(name) or BusQueue(
            name, clock=self.clock, tell=self._tell, faults=self.faults
        )
        self.configure(queue, attributes)
        self.queues[name] = queue
        return queue

    def configure(self, queue: BusQueue, attributes: dict[str, str]) -> None:
        """Set attributes of a queue; unknown ones are kept and ignored."""
        _configure(queue.settings, attributes)
        self._note("queue", name=queue.name, attributes=queue.settings.raw)

    def delete_queue(self, name: str) -> None:
        """Forget a queue and its messages."""
        del self.queues[name]
        self._note("queue-deleted", name=name)

    def purge(self, queue: BusQueue) -> None:
        """Forget all messages of a queue."""
        queue.purge()
        self.journal.add("purged", queue.name, "")
        self._note("purged", queue=queue.name)

    def dead_letters_of(self, queue: BusQueue) -> BusQueue | None:
        """Give the queue that takes what this one gives up."""
        return self.queues.get(queue.settings.redrive_arn.rpartition(":")[2])

    def send(
        self,
        queue: BusQueue,
        body: str,
        *,
        attributes: Attributes,
        delay: int | None = None,
        group: str = "",
    ) -> Entry:
        """Put a message on a queue, and whatever the faults make of it."""
        now = self.clock()
        wait = queue.settings.delay if delay is None else delay
        entry = Entry(new_id(), body, attributes, now, now + wait, group=group)
        if self.faults.at[Point.SEND]:
            self._send_faulty(queue, entry)
        else:
            self._put(queue, entry)
        return entry

    def create_topic(self, name: str) -> str:
        """Make a topic, or give the one that is there."""
        self._note("topic", name=name)
        return self.topics.create(name)

    def delete_topic(self, arn: str) -> None:
        """Forget a topic and its subscriptions."""
        self.topics.delete(arn)
        self._note("topic-deleted", arn=arn)

    def subscribe(self, topic: str, endpoint: str, attributes: dict[str, str]) -> Subscription:
        """Let a queue listen to a topic."""
        subscription = self.topics.subscribe(topic, endpoint, attributes)
        self._note("subscription", **subscription.facts())
        return subscription

    def change_subscription(self, subscription: Subscription, changes: dict[str, str]) -> None:
        """Set attributes of a subscription."""
        subscription.set(changes)
        self._note("subscription", **subscription.facts())

    def unsubscribe(self, arn: str) -> None:
        """Forget a subscription."""
        self.topics.unsubscribe(arn)
        self._note("unsubscribed", arn=arn)

    def publish(self, topic: str, body: str, attributes: Attributes, *, group: str = "") -> str:
        """Fan a message out to the queues whose policy admits it; give its id."""
        message_id = new_id()
        for subscription in self.topics.of(topic):
            queue = self.queues.get(subscription.endpoint.rpartition(":")[2])
            if queue is None or not subscription.wants(body, attributes):
                continue
            if subscription.is_raw:
                self.send(queue, body, attributes=attributes, group=group)
            else:
                wrapped = notification(
                    body, attributes, topic=topic, message_id=message_id, at=self.clock()
                )
                self.send(queue, wrapped, attributes={}, group=group)
        return message_id

    def advance(self, seconds: float) -> None:
        """Move the clock, and let everyone who waits for it look."""
        self.clock.advance(seconds)
        for queue in self.queues.values():
            queue.pollers.wake_all()

    def _send_faulty(self, queue: BusQueue, entry: Entry) -> None:
        subject = Subject(
            queue=queue.name, message_id=entry.id, body=entry.body, attributes=entry.attributes
        )
        fault = self.faults.strike(Point.SEND, subject)
        if fault is not None and fault.kind == "delay":
            entry.visible_at += fault.seconds
        self._put(queue, entry)
        if fault is None:
            return
        self.journal.add("fault", queue.name, entry.id, fault.kind)
        for number in range(fault.copies if fault.kind == "duplicate" else 0):
            key = f"{entry.id}~{number + 1}"
            self._put(queue, replace(entry, key=key, visible_at=entry.visible_at + fault.seconds))

    def _put(self, queue: BusQueue, entry: Entry) -> None:
        queue.put(entry)
        self.journal.add("sent", queue.name, entry.id)
        if self._log is not None:
            self._log.note(_sent(queue, entry))

    def _tell(self, kind: str, queue: str, entry: Entry, detail: Any) -> None:
        self.journal.add(kind, queue, entry.id, detail)
        if self._log is not None:
            # Receives change nothing that must survive: a message in flight comes back.
            if kind in _REMOVED:
                # Names and keys need no escapes, and this is written for every message.
                self._log.note_line(f'{{"kind":"deleted","queue":"{queue}","key":"{entry.key}"}}')
            elif kind == "moved":
                self._log.note({"kind": "moved", "queue": queue, "key": entry.key, "to": detail})

    def _note(self, kind: str, **facts: Any) -> None:
        if self._log is not None:
            self._log.note({"kind": kind, **facts})

    def _facts(self) -> Iterator[dict[str, Any]]:
        for arn in self.topics.arns:
            yield {"kind": "topic", "name": arn.rpartition(":")[2]}
        for queue in self.queues.values():
            yield {"kind": "queue", "name": queue.name, "attributes": queue.settings.raw}
            for entry in queue.entries:
                yield _sent(queue, entry)
        for subscription in self.topics.subscriptions:
            yield {"kind": "subscription", **subscription.facts()}

    def _replay(self, fact: dict[str, Any]) -> None:
        kind = fact.pop("kind")
        if kind == "topic":
            self.topics.create(fact["name"])
        elif kind == "topic-deleted":
            self.topics.delete(fact["arn"])
        elif kind == "queue":
            self.create_queue(fact["name"], fact["attributes"])
        elif kind == "queue-deleted":
            self.queues.pop(fact["name"], None)
        elif kind == "subscription":
            subscription = Subscription(fact["arn"], fact["topic_arn"], fact["endpoint"])
            subscription.set(fact["attributes"])
            self.topics.keep(subscription)
        elif kind == "unsubscribed":
            self.topics.unsubscribe(fact["arn"])
        elif fact["queue"] in self.queues:
            self._replay_message(kind, self.queues[fact.pop("queue")], fact)

    def _replay_message(self, kind: str, queue: BusQueue, fact: dict[str, Any]) -> None:
        if kind == "sent":
            queue.put(Entry(**fact))
            return
        if kind == "purged":
            queue.purge()
            return
        entry = queue.of_key(fact.get("key") or fact["id"])
        if entry is None:
            return
        queue.forget(entry)
        target = self.queues.get(fact.get("to", ""))
        if target is not None:
            entry.is_deleted, entry.receive_count = False, 0
            entry.source_arn = queue_arn(queue.name)
            target.put(entry)


def _configure(settings: QueueSettings, attributes: dict[str, str]) -> None:
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


def _sent(queue: BusQueue, entry: Entry) -> dict[str, Any]:
    return {
        "kind": "sent",
        "queue": queue.name,
        "id": entry.id,
        "key": entry.key,
        "body": entry.body,
        "attributes": entry.attributes,
        "sent_at": entry.sent_at,
        "visible_at": entry.visible_at,
        "receive_count": entry.receive_count,
        "source_arn": entry.source_arn,
        "group": entry.group,
    }
