"""Ask ministack's evaluator of IAM policies; runs in ministack's environment."""

from collections.abc import Mapping
from typing import Any

from ministack.core.iam_evaluator import EvalContext, ParsedStatement, evaluate
from ministack.core.iam_evaluator import parse_policy_document as parsed

from local.iam.asked import ACCOUNT, REGION, Question

Policies = Mapping[str, Any]


class Judge:
    """The policies of all workloads; whoever has none may do nothing."""

    def __init__(self, policies: Policies) -> None:
        self._statements: dict[str, list[ParsedStatement]] = {}
        self._keys: dict[str, frozenset[str]] = {}
        self.obey(policies)

    def obey(self, policies: Policies) -> None:
        """Put these policies in place of those that the workloads had."""
        for workload, policy in policies.items():
            self._statements[workload] = parsed(policy)
            self._keys[workload] = frozenset(_condition_keys(policy))

    def keys_of(self, workload: str) -> frozenset[str]:
        """Name the keys that any condition of this workload's policy looks at."""
        return self._keys.get(workload, frozenset())

    def allows(self, workload: str, question: Question) -> bool:
        """Tell whether the policy of the workload allows this."""
        context = EvalContext(
            principal_arn=role_arn(workload),
            principal_type="AssumedRole",
            principal_account=ACCOUNT,
            action=question.action,
            resource_arn=question.resource,
            region=REGION,
            source_ip="127.0.0.1",
            secure_transport=True,
            service_context={
                name.lower(): _value(name, values) for name, values in question.context.items()
            },
        )
        result = evaluate(context, [self._statements.get(workload, [])])
        return bool(result.decision == "Allow")


def role_arn(workload: str) -> str:
    """Name whom a refusal names."""
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/comanda-laptop-{workload}/laptop"


def _value(name: str, values: tuple[str, ...]) -> object:
    return list(values) if name.startswith("dynamodb:") else values[0]


def _condition_keys(policy: Mapping[str, Any]) -> set[str]:
    return {
        name
        for statement in policy["Statement"]
        for operands in statement.get("Condition", {}).values()
        for name in operands
    }
