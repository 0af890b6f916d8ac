"""Questions to SNS whose answers AWS has documented; each gives a small plain value."""

import json
from typing import Any

from tests.messaging_wire import Wire, code


def unknown_topic(wire: Wire) -> Any:
    arn = wire.topic()
    return code(wire.sns.publish, TopicArn=f"{arn}x", Message="m")


def empty_publication(wire: Wire) -> Any:
    return code(wire.sns.publish, TopicArn=wire.topic(), Message="")


def publication_beyond_256_kib(wire: Wire) -> Any:
    topic = wire.topic()
    longest = 256 * 1024
    sizes = (longest, longest + 1)
    return [code(wire.sns.publish, TopicArn=topic, Message="x" * size) for size in sizes]


def wrong_publish_batches(wire: Wire) -> Any:
    topic = wire.topic()
    eleven = [{"Id": str(n), "Message": "m"} for n in range(11)]
    twice = [{"Id": "same", "Message": "m"}] * 2
    return [
        code(wire.sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries)
        for entries in (eleven, twice)
    ]


def the_group_of_a_message_reaches_the_queue(wire: Wire) -> Any:
    topic = wire.topic()
    url = wire.listen(topic)
    entry = {"Id": "1", "Message": "batch", "MessageGroupId": "shop"}
    wire.sns.publish(TopicArn=topic, Message="single", MessageGroupId="shop")
    wire.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[entry])
    found: dict[str, Any] = {}
    while len(found) < 2 and (messages := wire.receive(url)):
        found |= {m["Body"]: m["Attributes"].get("MessageGroupId") for m in messages}
    return found


def senseless_policies(wire: Wire) -> Any:
    topic = wire.topic()
    policies = ("{", '{"a": "b"}', '{"a": [{"resembles": "b"}]}', '{"a": [{"numeric": ["~", 1]}]}')
    return [code(wire.listen, topic=topic, FilterPolicy=policy) for policy in policies]


def policies_over_attributes(wire: Wire) -> Any:
    topic = wire.topic()
    policies = {
        "exact": {"type": ["paid"]},
        "prefix": {"type": [{"prefix": "pa"}]},
        "but": {"type": [{"anything-but": ["paid"]}]},
        "numeric": {"cents": [{"numeric": [">=", 100, "<", 200]}]},
        "absent": {"cents": [{"exists": False}]},
    }
    return _heard(wire, topic, policies, scope="MessageAttributes")


def policies_over_bodies(wire: Wire) -> Any:
    topic = wire.topic()
    policies = {
        "nested": {"data": {"kind": ["pix"]}},
        "prefix": {"type": [{"prefix": "pa"}]},
        "but": {"type": [{"anything-but": {"prefix": "pa"}}]},
        "numeric": {"cents": [{"numeric": ["=", 150]}]},
        "present": {"cents": [{"exists": True}]},
        "null": {"cents": [None]},
    }
    return _heard(wire, topic, policies, scope="MessageBody")


def _heard(wire: Wire, topic: str, policies: dict[str, Any], *, scope: str) -> dict[str, list[str]]:
    queues = {
        name: wire.listen(topic, FilterPolicy=json.dumps(policy), FilterPolicyScope=scope)
        for name, policy in policies.items()
    }
    contents: dict[str, dict[str, Any]] = {
        "1": {"type": "paid", "cents": 150, "data": {"kind": "pix"}},
        "2": {"type": "placed", "cents": 200, "data": {"kind": "card"}},
        "3": {"type": "ready"},
    }
    for name, content in contents.items():
        attributes = {
            key: {
                "DataType": "Number" if key == "cents" else "String",
                "StringValue": str(value),
            }
            for key, value in content.items()
            if key != "data"
        }
        body = json.dumps({"name": name, **content})
        wire.sns.publish(TopicArn=topic, Message=body, MessageAttributes=attributes)
    return {
        name: sorted(json.loads(body)["name"] for body in wire.bodies(queue))
        for name, queue in queues.items()
    }


def wrapped_notifications(wire: Wire) -> Any:
    topic = wire.topic()
    queue = wire.listen(topic, RawMessageDelivery="false")
    attributes = {"blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    wire.sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)
    (message,) = wire.receive(queue, wait=5)
    content = json.loads(message["Body"])
    names = ("Type", "Message", "MessageAttributes")
    return {name: content.get(name) for name in names}, "MessageAttributes" in message
