"""The query protocol of SNS: numbered form fields in, small XML out."""

from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from local.bus.attributes import Attributes, check_one
from local.bus.errors import AwsError, missing

Form = dict[str, str]
NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"


def text(form: Form, name: str) -> str:
    """Give a field that must be there."""
    value = form.get(name, "")
    if not value:
        raise missing(name)
    return value


def members(form: Form, stem: str, *, first: str) -> Iterator[str]:
    """Give the prefixes of a list, `stem.1` and so on, while they have a field `first`."""
    for number in count(1):
        prefix = f"{stem}.{number}"
        if f"{prefix}.{first}" not in form:
            return
        yield prefix


def pairs(form: Form, stem: str) -> dict[str, str]:
    """Read a map of texts."""
    return {form[f"{p}.key"]: form.get(f"{p}.value", "") for p in members(form, stem, first="key")}


def message_attributes(form: Form, prefix: str) -> Attributes:
    """Read and check message attributes."""
    attributes: Attributes = {}
    for entry in members(form, f"{prefix}MessageAttributes.entry", first="Name"):
        value: Any = {"DataType": form.get(f"{entry}.Value.DataType", "")}
        for kind in ("StringValue", "BinaryValue"):
            if f"{entry}.Value.{kind}" in form:
                value[kind] = form[f"{entry}.Value.{kind}"]
        name = form[f"{entry}.Name"]
        try:
            check_one(name, value)
        except AwsError as exc:
            raise AwsError("ParameterValueInvalid", exc.message) from exc
        attributes[name] = value
    return attributes


def tag(name: str, content: str) -> str:
    """Write an element around text."""
    return f"<{name}>{escape(content)}</{name}>"


def attributes_xml(values: dict[str, str]) -> str:
    """Write a map."""
    entries = "".join(f"<entry>{tag('key', k)}{tag('value', v)}</entry>" for k, v in values.items())
    return f"<Attributes>{entries}</Attributes>"


def answer_xml(action: str, inside: str) -> str:
    """Write an answer around the inside of its result."""
    return (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{inside}</{action}Result>'
        f"<ResponseMetadata>{tag('RequestId', str(uuid4()))}</ResponseMetadata></{action}Response>"
    )


def error_xml(error: AwsError) -> str:
    """Write a refusal as SNS does."""
    kind = "Sender" if error.is_sender_fault else "Receiver"
    inside = tag("Type", kind) + tag("Code", error.code) + tag("Message", error.message)
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error>{inside}</Error>'
        f"{tag('RequestId', str(uuid4()))}</ErrorResponse>"
    )
