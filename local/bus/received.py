"""How messages look to the one who receives them."""

from typing import Any

from local.bus.attributes import md5, md5_of_attributes
from local.bus.names import ACCOUNT
from local.bus.queue import Entry

Request = dict[str, Any]


def shown(entries: list[Entry], request: Request) -> Request:
    """Give the answer to a receive, with those attributes that it asks for."""
    if not entries:
        return {}
    system = frozenset(request.get("MessageSystemAttributeNames") or ())
    system |= frozenset(request.get("AttributeNames") or ())
    wanted = frozenset(request.get("MessageAttributeNames") or ())
    is_all = not wanted.isdisjoint(("All", ".*"))
    messages = []
    for entry in entries:
        attributes = entry.attributes
        if attributes and not is_all:
            attributes = {k: v for k, v in attributes.items() if _is_wanted(k, wanted)}
        messages.append(_message(entry, system, attributes))
    return {"Messages": messages}


def _is_wanted(name: str, wanted: frozenset[str]) -> bool:
    return name in wanted or any(one.endswith(".*") and name.startswith(one[:-2]) for one in wanted)


def _message(entry: Entry, system: frozenset[str], attributes: dict[str, Any]) -> Request:
    entry.body_md5 = entry.body_md5 or md5(entry.body.encode())
    message: Request = {
        "MessageId": entry.id,
        "ReceiptHandle": entry.receipt,
        "MD5OfBody": entry.body_md5,
        "Body": entry.body,
    }
    if system:
        known = {
            "ApproximateReceiveCount": str(entry.receive_count),
            "SentTimestamp": str(int(entry.sent_at * 1000)),
            "ApproximateFirstReceiveTimestamp": str(int((entry.first_received_at or 0) * 1000)),
            "SenderId": ACCOUNT,
        }
        if entry.group:
            known["MessageGroupId"] = entry.group
        if entry.source_arn:
            known["DeadLetterQueueSourceArn"] = entry.source_arn
        is_all = "All" in system
        message["Attributes"] = {k: v for k, v in known.items() if is_all or k in system}
    if attributes:
        message["MessageAttributes"] = attributes
        if attributes is not entry.attributes:
            message["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
        else:
            entry.attributes_md5 = entry.attributes_md5 or md5_of_attributes(attributes)
            message["MD5OfMessageAttributes"] = entry.attributes_md5
    return message
