"""What a request of DynamoDB asks of IAM: an action on a table or index, for keys and attributes.

IAM knows no transactions: each of their items is asked for as the call that it is alone. A batch
is one question, about all keys that it names.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]
# The name of the partition key, by table and index ("" is the table itself).
Keys = Mapping[str, Mapping[str, str]]
_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
# Words of expressions that no attribute is called by.
_WORDS = frozenset(
    {"add", "and", "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with"}
    | {"between", "contains", "delete", "if_not_exists", "in", "list_append", "not", "or"}
    | {"remove", "set", "size"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One question; `leading` are the values of partition keys, each once."""

    action: str
    table: str
    index: str = ""
    leading: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


def questions_of(operation: str, body: JSON, *, keys: Keys) -> Iterator[Asked]:
    """Give what IAM is asked; raise `KeyError` for a request without its table."""
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in body["TransactItems"]:
            for member, detail in item.items():
                yield _single(_TRANSACTION[member], detail, keys=keys)
    elif operation in ("BatchWriteItem", "BatchGetItem"):
        read = _put_or_deleted if operation == "BatchWriteItem" else _got
        for table, asked in body["RequestItems"].items():
            yield _batch(operation, table, read(asked), keys=keys)
    else:
        yield _single(operation, body, keys=keys)


def _single(action: str, body: JSON, *, keys: Keys) -> Asked:
    table = body["TableName"].rpartition("/")[2]
    index = body.get("IndexName", "")
    partition = keys[table][index]
    key = body.get("Item" if action == "PutItem" else "Key", {})
    leading = [_text(key[partition])] if partition in key else _queried(body, partition)
    return Asked(
        action=action,
        table=table,
        index=index,
        leading=tuple(leading),
        attributes=tuple(sorted({*key, *_named(body)})),
    )


def _batch(action: str, table: str, items: list[JSON], *, keys: Keys) -> Asked:
    partition = keys[table][""]
    return Asked(
        action=action,
        table=table,
        leading=tuple(sorted({_text(item[partition]) for item in items})),
        attributes=tuple(sorted({name for item in items for name in item})),
    )


def _put_or_deleted(requests: list[JSON]) -> list[JSON]:
    return [it["PutRequest"]["Item"] if "PutRequest" in it else _deleted(it) for it in requests]


def _deleted(request: JSON) -> JSON:
    key: JSON = request["DeleteRequest"]["Key"]
    return key


def _got(request: JSON) -> list[JSON]:
    keys: list[JSON] = request["Keys"]
    return keys


def _queried(body: JSON, partition: str) -> list[str]:
    """Give the partition of a query; a scan has none."""
    names = body.get("ExpressionAttributeNames", {})
    condition = body.get("KeyConditionExpression", "")
    for name, value in re.findall(r"([#\w]+)\s*=\s*(:\w+)", condition):
        if names.get(name, name) == partition:
            return [_text(body["ExpressionAttributeValues"][value])]
    return []


def _named(body: JSON) -> Iterator[str]:
    """Give the top-level attributes that the expressions of a request name."""
    names = body.get("ExpressionAttributeNames", {})
    text = " ".join(body.get(name, "") for name in _EXPRESSIONS)
    for name in re.findall(r"(?<![\w:.#])#?[A-Za-z_]\w*", text):
        if name.lower() not in _WORDS:
            yield names.get(name, name)


def _text(value: Mapping[str, Any]) -> str:
    (text,) = value.values()
    return str(text)
