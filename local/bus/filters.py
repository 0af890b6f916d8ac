"""Filter policies of subscriptions: which messages a queue wants to hear."""

import json
from typing import Any

from local.bus.errors import AwsError


def parse_policy(text: str) -> dict[str, list[Any]]:
    """Read a policy over message attributes; refuse what AWS would refuse."""
    try:
        policy = json.loads(text) if text else {}
    except ValueError as exc:
        raise AwsError("InvalidParameter", "FilterPolicy: failed to parse JSON.") from exc
    if not isinstance(policy, dict) or not all(isinstance(v, list) for v in policy.values()):
        raise AwsError("InvalidParameter", "FilterPolicy: each key needs a list of conditions.")
    return policy


def admits(policy: dict[str, list[Any]], attributes: dict[str, str]) -> bool:
    """Tell whether all keys of the policy have a condition that holds."""
    return all(
        any(_holds(condition, attributes.get(key)) for condition in conditions)
        for key, conditions in policy.items()
    )


def _holds(condition: Any, value: str | None) -> bool:
    if isinstance(condition, str):
        return value == condition
    if not isinstance(condition, dict):
        return value is not None and value == json.dumps(condition)
    if "exists" in condition:
        return (value is not None) is bool(condition["exists"])
    if value is None:
        return False
    if "prefix" in condition:
        return value.startswith(condition["prefix"])
    if "suffix" in condition:
        return value.endswith(condition["suffix"])
    if "anything-but" in condition:
        refused = condition["anything-but"]
        return value not in (refused if isinstance(refused, list) else [refused])
    return False
