"""SNS over the query protocol, as botocore speaks it: form parameters in, XML out."""

import re
from collections.abc import Callable

from local.bus.attributes import Attributes, checked_group, size_of
from local.bus.errors import AwsError, missing
from local.bus.faults import Point, Subject
from local.bus.forms import (
    Form,
    answer_xml,
    attributes_xml,
    members,
    message_attributes,
    pairs,
    tag,
    text,
)
from local.bus.names import ACCOUNT
from local.bus.topics import Subscription
from local.bus.world import World

MESSAGE_LIMIT = 256 * 1024
BATCH_LIMIT = 10


class SnsWire:
    """Translate requests to the world and back; actions give the inside of `<ActionResult>`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._faults = world.faults
        self._actions: dict[str, Callable[[Form], str]] = {
            name.removeprefix("do_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("do_")
        }

    def handle(self, action: str, form: Form) -> str:
        """Do one action and give its XML; raise `AwsError`."""
        found = self._actions.get(action)
        if found is None:
            raise AwsError(
                "InvalidAction", f"The action {action} is not valid for this web service."
            )
        return answer_xml(action, found(form))

    def do_CreateTopic(self, form: Form) -> str:  # noqa: N802  # AWS names it.
        name = text(form, "Name")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", name):
            raise AwsError("InvalidParameter", "Invalid parameter: Topic Name")
        return tag("TopicArn", self._world.create_topic(name))

    def do_ListTopics(self, form: Form) -> str:  # noqa: N802, ARG002
        found = "".join(f"<member>{tag('TopicArn', a)}</member>" for a in self._world.topics.arns)
        return f"<Topics>{found}</Topics>"

    def do_GetTopicAttributes(self, form: Form) -> str:  # noqa: N802
        return attributes_xml({"TopicArn": self._topic(form)})

    def do_DeleteTopic(self, form: Form) -> str:  # noqa: N802
        self._world.delete_topic(text(form, "TopicArn"))
        return ""

    def do_Subscribe(self, form: Form) -> str:  # noqa: N802
        if text(form, "Protocol") != "sqs":
            raise AwsError("InvalidParameter", "Invalid parameter: only sqs is served here")
        topic, endpoint = self._topic(form), text(form, "Endpoint")
        attributes = pairs(form, "Attributes.entry")
        return tag("SubscriptionArn", self._world.subscribe(topic, endpoint, attributes).arn)

    def do_SetSubscriptionAttributes(self, form: Form) -> str:  # noqa: N802
        changes = {text(form, "AttributeName"): form.get("AttributeValue", "")}
        self._world.change_subscription(self._subscription(form), changes)
        return ""

    def do_GetSubscriptionAttributes(self, form: Form) -> str:  # noqa: N802
        found = self._subscription(form)
        known = {"SubscriptionArn": found.arn, "TopicArn": found.topic_arn, "Protocol": "sqs"}
        return attributes_xml({**known, "Endpoint": found.endpoint, **found.attributes})

    def do_ListSubscriptionsByTopic(self, form: Form) -> str:  # noqa: N802
        found = "".join(
            f"<member>{tag('SubscriptionArn', s.arn)}{tag('Protocol', 'sqs')}"
            f"{tag('Endpoint', s.endpoint)}{tag('TopicArn', s.topic_arn)}"
            f"{tag('Owner', ACCOUNT)}</member>"
            for s in self._world.topics.of(self._topic(form))
        )
        return f"<Subscriptions>{found}</Subscriptions>"

    def do_Unsubscribe(self, form: Form) -> str:  # noqa: N802
        self._world.unsubscribe(text(form, "SubscriptionArn"))
        return ""

    def do_Publish(self, form: Form) -> str:  # noqa: N802
        return tag("MessageId", self._publish("Publish", form, prefix=""))

    def do_PublishBatch(self, form: Form) -> str:  # noqa: N802
        self._topic(form)
        prefixes = list(members(form, "PublishBatchRequestEntries.member", first="Id"))
        _check_batch([form[f"{prefix}.Id"] for prefix in prefixes])
        bodies = (form.get(f"{prefix}.Message", "") for prefix in prefixes)
        if sum(len(body.encode()) for body in bodies) > MESSAGE_LIMIT:
            raise AwsError("BatchRequestTooLong", "The length of all the messages put together")
        done, failed = "", ""
        for prefix in prefixes:
            name = tag("Id", form[f"{prefix}.Id"])
            try:
                message_id = self._publish("PublishBatch", form, prefix=f"{prefix}.")
                done += f"<member>{name}{tag('MessageId', message_id)}</member>"
            except AwsError as exc:
                why = tag("Code", exc.code) + tag("Message", exc.message)
                fault = tag("SenderFault", str(exc.is_sender_fault).lower())
                failed += f"<member>{name}{why}{fault}</member>"
        return f"<Successful>{done}</Successful><Failed>{failed}</Failed>"

    def _publish(self, action: str, form: Form, *, prefix: str) -> str:
        topic, body = self._topic(form), form.get(f"{prefix}Message", "")
        if not body:
            raise AwsError("InvalidParameter", "Invalid parameter: Empty message")
        attributes = message_attributes(form, prefix)
        if len(body.encode()) + size_of(attributes) > MESSAGE_LIMIT:
            raise AwsError("InvalidParameter", "Invalid parameter: Message too long")
        if self._faults.at[Point.ENTRY]:
            self._fail(action, topic.rpartition(":")[2], body, attributes)
        group = checked_group(form.get(f"{prefix}MessageGroupId"))
        return self._world.publish(topic, body, attributes, group=group)

    def _fail(self, action: str, topic: str, body: str, attributes: Attributes) -> None:
        subject = Subject(action=action, queue=topic, body=body, attributes=attributes)
        fault = self._faults.strike(Point.ENTRY, subject)
        if fault is None:
            return
        self._world.journal.add("fault", topic, "", fault.kind)
        raise AwsError(
            fault.code or "InternalError",
            fault.message or "Request processing has failed because of an internal error.",
            status=fault.status or (400 if fault.is_sender_fault else 500),
            is_sender_fault=fault.is_sender_fault,
        )

    def _topic(self, form: Form) -> str:
        arn = form.get("TopicArn") or form.get("TargetArn") or ""
        if not arn:
            raise missing("TopicArn")
        self._world.topics.check(arn)
        return arn

    def _subscription(self, form: Form) -> Subscription:
        found = self._world.topics.find(text(form, "SubscriptionArn"))
        if found is None:
            raise AwsError("NotFound", "Subscription does not exist", status=404)
        return found


def topic_of(form: Form) -> str:
    """Give the topic's name that a request is about, if it says one."""
    return (form.get("TopicArn") or form.get("TargetArn") or "").rpartition(":")[2]


def _check_batch(ids: list[str]) -> None:
    if not ids:
        raise AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(ids) > BATCH_LIMIT:
        raise AwsError(
            "TooManyEntriesInBatchRequest",
            "The batch request contains more entries than permissible.",
        )
    if len(set(ids)) < len(ids):
        raise AwsError(
            "BatchEntryIdsNotDistinct",
            "Two or more batch entries in the request have the same Id.",
        )
