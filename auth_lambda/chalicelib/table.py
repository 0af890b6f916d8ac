"""The one DynamoDB table of this app: items of text and whole numbers, written on conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .aws import Refused, ask

Value = str | int
Item = dict[str, Value]
_FAILED = "ConditionalCheckFailedException"


class ConditionFailed(Exception):
    """The item is not as the condition wants it; nothing was written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """Where an item lies."""

    pk: str
    sk: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """An update or a condition, in DynamoDB's words, with the values that it names."""

    update: str = ""
    condition: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """One of several writes that happen together.

    With an item it is put; with an update it is changed; with neither it is removed.
    """

    key: Key
    item: Mapping[str, Value] | None = None
    change: Change = field(default_factory=Change)


class Table:
    """Read and write items; raise `ConditionFailed`, or `Unavailable` if DynamoDB is."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Key) -> Item | None:
        """Give the item as it is now."""
        answer = ask(
            self._client.get_item, TableName=self._name, Key=_wire_key(key), ConsistentRead=True
        )
        return _plain(answer["Item"]) if "Item" in answer else None

    def put(self, key: Key, item: Mapping[str, Value], *, change: Change | None = None) -> None:
        """Write the whole item, if the condition holds."""
        self._write(
            self._client.put_item, change or Change(), Item={**_wire_key(key), **_wire(item)}
        )

    def update(self, key: Key, change: Change) -> Item:
        """Change the item, if the condition holds, and give it as it is then."""
        answer = self._write(
            self._client.update_item,
            change,
            Key=_wire_key(key),
            UpdateExpression=change.update,
            ReturnValues="ALL_NEW",
        )
        return _plain(answer["Attributes"])

    def delete(self, key: Key, change: Change | None = None) -> None:
        """Remove the item, if the condition holds."""
        self._write(self._client.delete_item, change or Change(), Key=_wire_key(key))

    def items(self, pk: str, *, prefix: str = "") -> list[tuple[Key, Item]]:
        """Give all items of a partition whose sort key begins so, in its order."""
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if prefix:
            condition += " AND begins_with(sk, :prefix)"
            values[":prefix"] = {"S": prefix}
        found: list[tuple[Key, Item]] = []
        start: dict[str, Any] = {}
        while True:
            answer = ask(
                self._client.query,
                TableName=self._name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                **start,
            )
            for wired in answer["Items"]:
                item = _plain(wired)
                found.append((Key(pk=pk, sk=str(item["sk"])), item))
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def keys(self, pk: str, *, prefix: str = "") -> list[Key]:
        """Give the keys of what `items` gives."""
        return [key for key, _ in self.items(pk, prefix=prefix)]

    def put_new(self, items: Sequence[tuple[Key, Mapping[str, Value]]]) -> None:
        """Write all items, of which none may exist, or none."""
        fresh = Change(condition="attribute_not_exists(pk)")
        self.write_all([Write(key=key, item=item, change=fresh) for key, item in items])

    def write_all(self, writes: Sequence[Write]) -> None:
        """Do all writes, if all conditions hold, or none."""
        try:
            ask(
                self._client.transact_write_items,
                refusals=("TransactionCanceledException", "TransactionConflictException"),
                TransactItems=[self._member(write) for write in writes],
            )
        except Refused as exc:
            raise ConditionFailed("one of the items is not as it should be") from exc

    def _member(self, write: Write) -> dict[str, Any]:
        arguments = {"TableName": self._name, **_conditions(write.change)}
        if write.item is not None:
            return {"Put": {**arguments, "Item": {**_wire_key(write.key), **_wire(write.item)}}}
        key = _wire_key(write.key)
        if write.change.update:
            update = write.change.update
            return {"Update": {**arguments, "Key": key, "UpdateExpression": update}}
        return {"Delete": {**arguments, "Key": key}}

    def _write(self, method: Any, change: Change, **arguments: Any) -> dict[str, Any]:
        arguments |= _conditions(change)
        try:
            return ask(method, refusals=(_FAILED,), TableName=self._name, **arguments)
        except Refused as exc:
            raise ConditionFailed(change.condition) from exc


def _conditions(change: Change) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if change.condition:
        arguments["ConditionExpression"] = change.condition
    if change.values:
        arguments["ExpressionAttributeValues"] = _wire(change.values)
    return arguments


def _wire_key(key: Key) -> dict[str, dict[str, str]]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def _wire(item: Mapping[str, Value]) -> dict[str, dict[str, str]]:
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in item.items()
    }


def _plain(item: Mapping[str, Mapping[str, str]]) -> Item:
    return {name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()}
