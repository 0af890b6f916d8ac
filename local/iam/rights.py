"""What each right of a policy is needed for, by taking it away and asking the record again.

`rights.py < asked` answers in JSON; run by ministack's own Python. It is told `policies` and the
`entries` of a record, and gives the entries that would be denied, and the rights that are needed.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

JSON = dict[str, Any]


def main() -> None:
    """Read, ask, answer."""
    # Run by its path, a script finds only its own folder.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    told = json.load(sys.stdin)
    json.dump(answer_to(told["policies"], told["entries"]), sys.stdout)


def answer_to(policies: Mapping[str, JSON], entries: list[JSON]) -> JSON:
    """Give the entries that these policies deny, and the rights without which more would be."""
    from local.iam.judging import Judge
    from local.iam.record import Entry, entry_of

    def refused(of: Mapping[str, JSON], asked: list[Entry]) -> list[Entry]:
        judge = Judge(of)
        return [it for it in asked if not judge.allows(it.workload, it.question())]

    known = [entry_of(it) for it in entries]
    by_action: dict[tuple[str, str], list[Entry]] = {}
    for it in known:
        by_action.setdefault((it.workload, it.action), []).append(it)
    return {
        "denied": [it.as_data() for it in refused(policies, known)],
        "needed": [
            [workload, *right]
            for workload, policy in policies.items()
            for right in rights_of(policy)
            if refused({workload: without(policy, *right)}, by_action.get((workload, right[1]), []))
        ],
    }


def rights_of(policy: JSON) -> Iterator[tuple[str, str, str]]:
    """Give each right: the statement, the action and the resource."""
    for it in policy["Statement"]:
        for action in it["Action"]:
            for resource in _resources(it):
                yield it["Sid"], action, resource


def without(policy: JSON, sid: str, action: str, resource: str) -> JSON:
    """Give the policy with one right less."""
    kept = []
    for it in policy["Statement"]:
        if it["Sid"] != sid:
            kept.append(it)
            continue
        kept.append({**it, "Action": [one for one in it["Action"] if one != action]})
        rest = [one for one in _resources(it) if one != resource]
        kept.append({**it, "Action": [action], "Resource": rest})
    return {**policy, "Statement": [it for it in kept if it["Action"] and it["Resource"]]}


def _resources(statement: JSON) -> list[str]:
    told = statement["Resource"]
    return [told] if isinstance(told, str) else list(told)


if __name__ == "__main__":
    main()
