"""Filter policies of subscriptions: which messages a queue wants to hear.

The operators are those of the SNS developer guide: exact values, `prefix`, `suffix`,
`equals-ignore-case`, `anything-but`, `numeric`, `exists` and, over keys, `$or`.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from local.bus.errors import AwsError

Policy = dict[str, Any]
_ABSENT = object()
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
}


def parse_policy(text: str, *, is_nested: bool = False) -> Policy:
    """Read a policy; refuse what AWS would refuse. Only a policy over bodies may be nested."""
    try:
        policy = json.loads(text) if text else {}
    except ValueError as exc:
        raise _refused("failed to parse JSON.") from exc
    if not isinstance(policy, dict):
        raise _refused("the policy must be an object.")
    _check(policy, is_nested=is_nested)
    return policy


def admits(policy: Policy, attributes: dict[str, Any]) -> bool:
    """Tell whether a policy over message attributes lets these through."""
    return not policy or _agrees(policy, {k: _plain(v) for k, v in attributes.items()})


def admits_body(policy: Policy, body: str) -> bool:
    """Tell whether a policy over bodies lets this one through; one that is not JSON never is."""
    if not policy:
        return True
    try:
        content = json.loads(body)
    except ValueError:
        return False
    return isinstance(content, dict) and _agrees(policy, content)


def _refused(why: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: FilterPolicy: {why}")


def _check(policy: Policy, *, is_nested: bool) -> None:
    for key, conditions in policy.items():
        if key == "$or" and isinstance(conditions, list):
            for alternative in conditions:
                _check(alternative, is_nested=is_nested)
        elif isinstance(conditions, dict) and is_nested:
            _check(conditions, is_nested=True)
        elif isinstance(conditions, list) and conditions:
            for condition in conditions:
                _check_condition(condition)
        else:
            raise _refused(f'"{key}" must be an object or an array')


def _check_condition(condition: Any) -> None:
    if isinstance(condition, list):
        raise _refused("Match value must be String, number, true, false, or null")
    if not isinstance(condition, dict):
        return
    if len(condition) != 1:
        raise _refused("Only one key allowed in match expression")
    ((name, operand),) = condition.items()
    if name not in _OPERATORS:
        raise _refused(f"Unrecognized match type {name}")
    if name == "numeric":
        _check_numeric(operand)


def _check_numeric(operand: Any) -> None:
    is_sound = isinstance(operand, list) and operand and len(operand) % 2 == 0
    if not is_sound or not all(
        sign in _COMPARE and _number(bound) is not None for sign, bound in _pairs(operand)
    ):
        raise _refused("numeric needs pairs of a sign and a number")


def _agrees(policy: Policy, content: dict[str, Any]) -> bool:
    return all(_key_agrees(key, conditions, content) for key, conditions in policy.items())


def _key_agrees(key: str, conditions: Any, content: dict[str, Any]) -> bool:
    if key == "$or":
        return any(_agrees(alternative, content) for alternative in conditions)
    value = content.get(key, _ABSENT)
    if isinstance(conditions, dict):
        return _agrees(conditions, value if isinstance(value, dict) else {})
    return any(_holds(condition, one) for condition in conditions for one in _each(value))


def _each(value: Any) -> list[Any]:
    # An array agrees when one of its elements does.
    return value if isinstance(value, list) and value else [value]


def _holds(condition: Any, value: Any) -> bool:
    if not isinstance(condition, dict):
        # In Python True is 1; in JSON it is not.
        return (type(condition) is type(value) and condition == value) or _same(condition, value)
    ((name, operand),) = condition.items()
    if name == "exists":
        return (value is not _ABSENT) is bool(operand)
    return value is not _ABSENT and _OPERATORS[name](operand, value)


def _same(condition: Any, value: Any) -> bool:
    left, right = _number(condition), _number(value)
    return left is not None and left == right


def _anything_but(refused: Any, value: Any) -> bool:
    return not any(_holds(one, value) for one in _each(refused))


def _numeric(operand: list[Any], value: Any) -> bool:
    number = _number(value)
    return number is not None and all(
        _COMPARE[sign](number, bound) for sign, bound in _pairs(operand)
    )


def _text(do: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda operand, value: isinstance(value, str) and do(value, str(operand))


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "exists": lambda operand, _value: bool(operand),
    "prefix": _text(str.startswith),
    "suffix": _text(str.endswith),
    "equals-ignore-case": _text(lambda value, operand: value.lower() == operand.lower()),
    "anything-but": _anything_but,
    "numeric": _numeric,
}


def _pairs(operand: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(operand[::2], operand[1::2], strict=True)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None


def _plain(attribute: dict[str, Any]) -> Any:
    """Give what a policy compares: text, a number, or the members of a `String.Array`."""
    kind, text = attribute.get("DataType", "String"), attribute.get("StringValue")
    if kind.startswith("Binary") or text is None:
        return None
    if kind == "String.Array" or kind.startswith("Number"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
