"""SNS over the query protocol, as botocore speaks it: form parameters in, XML out."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from local.bus.errors import AwsError, missing
from local.bus.world import World

MESSAGE_LIMIT = 256 * 1024
BATCH_LIMIT = 10
Form = dict[str, str]


class SnsWire:
    """Translate requests to the world and back; answers are the inside of `<ActionResult>`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._actions: dict[str, Callable[[Form], str]] = {
            name.removeprefix("do_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("do_")
        }

    def handle(self, action: str, form: Form) -> str:
        """Do one action and give its XML; raise `AwsError`."""
        found = self._actions.get(action)
        if found is None:
            raise AwsError("InvalidAction", f"The action {action} is not valid for this endpoint.")
        return _answer(action, found(form))

    def do_CreateTopic(self, form: Form) -> str:  # noqa: N802  # AWS names it.
        name = _text(form, "Name")
        if not name.replace("-", "").replace("_", "").isalnum() or len(name) > 256:
            raise AwsError("InvalidParameter", "Invalid parameter: Topic Name")
        return _tag("TopicArn", self._world.create_topic(name))

    def do_ListTopics(self, form: Form) -> str:  # noqa: N802, ARG002
        members = "".join(f"<member>{_tag('TopicArn', a)}</member>" for a in self._world.topics)
        return f"<Topics>{members}</Topics>"

    def do_GetTopicAttributes(self, form: Form) -> str:  # noqa: N802
        return _attributes_xml({"TopicArn": self._topic(form)})

    def do_DeleteTopic(self, form: Form) -> str:  # noqa: N802
        self._world.delete_topic(_text(form, "TopicArn"))
        return ""

    def do_Subscribe(self, form: Form) -> str:  # noqa: N802
        if _text(form, "Protocol") != "sqs":
            raise AwsError("InvalidParameter", "Invalid parameter: only sqs is served here")
        topic, endpoint = self._topic(form), _text(form, "Endpoint")
        attributes = _entries(form, "Attributes.entry", key="key", value="value")
        return _tag("SubscriptionArn", self._world.subscribe(topic, endpoint, attributes).arn)

    def do_SetSubscriptionAttributes(self, form: Form) -> str:  # noqa: N802
        subscription = self._subscription(form)
        subscription.set(_text(form, "AttributeName"), form.get("AttributeValue", ""))
        self._world.note_subscription(subscription)
        return ""

    def do_GetSubscriptionAttributes(self, form: Form) -> str:  # noqa: N802
        found = self._subscription(form)
        known = {"SubscriptionArn": found.arn, "TopicArn": found.topic_arn, "Protocol": "sqs"}
        return _attributes_xml({**known, "Endpoint": found.endpoint, **found.attributes})

    def do_ListSubscriptionsByTopic(self, form: Form) -> str:  # noqa: N802
        topic = self._topic(form)
        found = [s for s in self._world.subscriptions.values() if s.topic_arn == topic]
        members = "".join(
            f"<member>{_tag('SubscriptionArn', s.arn)}{_tag('Protocol', 'sqs')}"
            f"{_tag('Endpoint', s.endpoint)}{_tag('TopicArn', s.topic_arn)}"
            f"{_tag('Owner', '000000000000')}</member>"
            for s in found
        )
        return f"<Subscriptions>{members}</Subscriptions>"

    def do_Unsubscribe(self, form: Form) -> str:  # noqa: N802
        self._world.unsubscribe(_text(form, "SubscriptionArn"))
        return ""

    def do_Publish(self, form: Form) -> str:  # noqa: N802
        topic, body = self._topic(form), _text(form, "Message")
        _check_size(body)
        attributes = _message_attributes(form, "")
        return _tag("MessageId", self._world.publish(topic, body, attributes))

    def do_PublishBatch(self, form: Form) -> str:  # noqa: N802
        topic = self._topic(form)
        prefixes = _prefixes(form, "PublishBatchRequestEntries.member")
        ids = [_text(form, f"{prefix}.Id") for prefix in prefixes]
        _check_batch(ids)
        bodies = [form.get(f"{prefix}.Message", "") for prefix in prefixes]
        if sum(len(body.encode()) for body in bodies) > MESSAGE_LIMIT:
            raise AwsError("BatchRequestTooLong", "The batch is longer than 262144 bytes.")
        done, failed = "", ""
        for entry_id, prefix, body in zip(ids, prefixes, bodies, strict=True):
            try:
                if not body:
                    raise AwsError("InvalidParameter", "Invalid parameter: Empty message")
                attributes = _message_attributes(form, f"{prefix}.")
                message_id = self._world.publish(topic, body, attributes)
                tags = _tag("Id", entry_id) + _tag("MessageId", message_id)
                done += f"<member>{tags}</member>"
            except AwsError as exc:
                tags = _tag("Id", entry_id) + _tag("Code", exc.code) + _tag("Message", exc.message)
                failed += f"<member>{tags}{_tag('SenderFault', 'true')}</member>"
        return f"<Successful>{done}</Successful><Failed>{failed}</Failed>"

    def _topic(self, form: Form) -> str:
        arn = form.get("TopicArn") or form.get("TargetArn") or ""
        if not arn:
            raise missing("TopicArn")
        if arn not in self._world.topics:
            raise AwsError("NotFound", "Topic does not exist", status=404)
        return arn

    def _subscription(self, form: Form) -> Any:
        found = self._world.subscriptions.get(_text(form, "SubscriptionArn"))
        if found is None:
            raise AwsError("NotFound", "Subscription does not exist", status=404)
        return found


def error_xml(error: AwsError) -> str:
    """Render a refusal as SNS does."""
    inside = _tag("Type", "Sender") + _tag("Code", error.code) + _tag("Message", error.message)
    request = _tag("RequestId", str(uuid4()))
    return (
        f'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
        f"<Error>{inside}</Error>{request}</ErrorResponse>"
    )


def _answer(action: str, inside: str) -> str:
    return (
        f'<{action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
        f"<{action}Result>{inside}</{action}Result>"
        f"<ResponseMetadata>{_tag('RequestId', str(uuid4()))}</ResponseMetadata></{action}Response>"
    )


def _check_batch(ids: list[str]) -> None:
    if not ids:
        raise AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(ids) > BATCH_LIMIT:
        raise AwsError("TooManyEntriesInBatchRequest", "The batch request contains more than 10.")
    if len(set(ids)) < len(ids):
        raise AwsError("BatchEntryIdsNotDistinct", "Two or more entries have the same Id.")


def _check_size(body: str) -> None:
    if len(body.encode()) > MESSAGE_LIMIT:
        raise AwsError("InvalidParameter", "Invalid parameter: Message too long")


def _prefixes(form: Form, stem: str) -> list[str]:
    numbers = {
        int(part)
        for name in form
        if name.startswith(f"{stem}.") and (part := name[len(stem) + 1 :].split(".")[0]).isdigit()
    }
    return [f"{stem}.{number}" for number in sorted(numbers)]


def _entries(form: Form, stem: str, *, key: str, value: str) -> dict[str, str]:
    return {form[f"{p}.{key}"]: form.get(f"{p}.{value}", "") for p in _prefixes(form, stem)}


def _message_attributes(form: Form, prefix: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for entry in _prefixes(form, f"{prefix}MessageAttributes.entry"):
        text = form.get(f"{entry}.Value.StringValue")
        if text is None:
            raise AwsError("InvalidParameter", "Invalid parameter: attributes carry text here")
        kind = form.get(f"{entry}.Value.DataType", "String")
        attributes[_text(form, f"{entry}.Name")] = {"DataType": kind, "StringValue": text}
    return attributes


def _attributes_xml(values: dict[str, str]) -> str:
    entries = "".join(
        f"<entry>{_tag('key', k)}{_tag('value', v)}</entry>" for k, v in values.items()
    )
    return f"<Attributes>{entries}</Attributes>"


def _tag(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _text(form: Form, name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise missing(name)
    return value
