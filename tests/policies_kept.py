"""Every right of every workload as one list, kept beside the tests.

A right that is lost from a policy shows on AWS, weeks later, as one refused call. The code tells
which actions a context needs, not always which of its workloads; so what each has is kept here,
and whoever changes a policy on purpose writes the list anew and shows it to a reviewer:
`python -m tests.policies_kept`.
"""

import json
from pathlib import Path

from terraform.policies import statements, workloads

KEPT = Path(__file__).resolve().parent / "policies_kept.json"


def rights() -> dict[str, list[str]]:
    """Give, by workload, each action with the resource and the condition that bound it."""
    return {name: sorted(_rights_of(name)) for name in sorted(workloads())}


def _rights_of(workload: str) -> set[str]:
    found = set()
    for statement in statements(workload):
        resources = statement["Resource"]
        condition = json.dumps(statement.get("Condition", {}), sort_keys=True)
        for resource in [resources] if isinstance(resources, str) else resources:
            found |= {f"{action} {resource} {condition}" for action in statement["Action"]}
    return found


if __name__ == "__main__":
    KEPT.write_text(json.dumps(rights(), indent=1) + "\n")
