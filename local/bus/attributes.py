"""Message attributes: what AWS takes, how long they are and the digest that botocore checks.

An attribute is `{"DataType", "StringValue" | "BinaryValue"}`, binary in base64, as on the wire.
"""

import base64
import binascii
import hashlib
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from local.bus.errors import AwsError, invalid

Attributes = dict[str, dict[str, str]]
MOST = 10
_NAME = re.compile(r"(?!AWS\.|Amazon\.)[A-Za-z0-9_-]([A-Za-z0-9_.-]{0,255})", re.IGNORECASE)
_GROUP = re.compile(r"[!-~]{1,128}")
# What every message of ours carries is known to be well named.
_USUAL = frozenset({("type", "String"), ("source", "String")})


def checked(attributes: Any) -> Attributes:
    """Give the attributes if AWS would take them; raise its refusal otherwise."""
    if not attributes:
        return {}
    if not isinstance(attributes, dict):
        raise AwsError("SerializationException", "Start of structure or map expected.")
    if len(attributes) > MOST:
        raise invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10]."
        )
    for name, value in attributes.items():
        check_one(name, value)
    return attributes


def check_one(name: str, value: Any) -> None:
    """Refuse an attribute with a wrong name, type or value."""
    if isinstance(value, dict):
        kind, content = value.get("DataType"), value.get("StringValue")
        if (name, kind) in _USUAL and isinstance(content, str) and content:
            return
    if not _NAME.fullmatch(name):
        raise invalid(f"Invalid message attribute name '{name}'.")
    kind = value.get("DataType") if isinstance(value, dict) else None
    if not isinstance(kind, str) or not kind:
        raise invalid(
            f"The message attribute '{name}' must contain non-empty message attribute type."
        )
    logical = kind.partition(".")[0]
    if logical not in ("String", "Number", "Binary"):
        raise invalid(
            f"The message attribute '{name}' has an invalid message attribute type, the set of"
            " supported type prefixes is Binary, Number, and String."
        )
    content = value.get("BinaryValue" if logical == "Binary" else "StringValue")
    if not isinstance(content, str) or not content:
        raise invalid(
            f"The message attribute '{name}' must contain non-empty message attribute value"
            f" for message attribute type '{kind}'."
        )
    _check_content(name, logical, content)


def _check_content(name: str, logical: str, content: str) -> None:
    try:
        if logical == "Binary":
            base64.b64decode(content, validate=True)
        elif logical == "Number" and not Decimal(content).is_finite():
            raise InvalidOperation
    except (binascii.Error, InvalidOperation) as exc:
        raise invalid(f"Can't cast the value of message attribute '{name}' to a number.") from exc


def checked_group(group: Any) -> str:
    """Give the message's group, empty where there is none, if AWS would take it."""
    if group is None:
        return ""
    if not isinstance(group, str) or not _GROUP.fullmatch(group):
        raise AwsError(
            "InvalidParameterValue",
            f"Value {group} for parameter MessageGroupId is invalid. Reason: MessageGroupId can"
            " only include alphanumeric and punctuation characters. 1 to 128 in length.",
        )
    return group


def size_of(attributes: Attributes) -> int:
    """Count the bytes of names, types and values, which are part of the message's size."""
    return sum(
        len(name) + len(value["DataType"]) + _length(value) for name, value in attributes.items()
    )


def _length(value: dict[str, str]) -> int:
    if "BinaryValue" in value:
        return len(base64.b64decode(value["BinaryValue"]))
    text = value["StringValue"]
    return len(text) if text.isascii() else len(text.encode())


def md5_of_attributes(attributes: Attributes) -> str:
    """Digest message attributes as the SQS developer guide prescribes; botocore checks it."""
    parts: list[bytes] = []
    for name in sorted(attributes):
        value = attributes[name]
        mark, content = _content(value)
        for part in (name.encode(), value["DataType"].encode()):
            parts += (len(part).to_bytes(4, "big"), part)
        parts += (mark, len(content).to_bytes(4, "big"), content)
    return md5(b"".join(parts))


def md5(content: bytes) -> str:
    """Digest a body."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _content(value: dict[str, str]) -> tuple[bytes, bytes]:
    if "BinaryValue" in value:
        return b"\x02", base64.b64decode(value["BinaryValue"])
    return b"\x01", value["StringValue"].encode()
