"""Read the policies of workloads as Terraform renders them, and what they allow."""

import json
from collections.abc import Mapping
from functools import cache
from string import Template
from typing import Any

from terraform.tool import FOLDER

JSON = dict[str, Any]
_FOLDER = FOLDER / "identity" / "policies"


@cache
def workloads() -> Mapping[str, JSON]:
    """Give all workloads with where they run."""
    known: dict[str, JSON] = json.loads((FOLDER / "identity" / "workloads.json").read_text())
    return known


def render(workload: str, words: Mapping[str, str]) -> JSON:
    """Give a workload's policy with its words filled in; raise `KeyError` for a missing one."""
    text = Template((_FOLDER / f"{workload}.json").read_text()).substitute(words)
    policy: JSON = json.loads(text)
    return policy


def statements(workload: str) -> tuple[JSON, ...]:
    """Give the statements of a workload's policy, its words as they stand."""
    policy = json.loads((_FOLDER / f"{workload}.json").read_text())
    return tuple(policy["Statement"])


def actions_of(workload: str) -> tuple[str, ...]:
    """Give all actions that a workload may do, in order and once."""
    return tuple(sorted({action for it in statements(workload) for action in it["Action"]}))


def without(policy: JSON, action: str) -> JSON:
    """Give the policy with one action less; a statement that loses its last goes, too."""
    kept = [
        {**it, "Action": [one for one in it["Action"] if one != action]}
        for it in policy["Statement"]
    ]
    return {**policy, "Statement": [it for it in kept if it["Action"]]}
