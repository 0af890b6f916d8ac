"""Least privilege, proven: each workload does its work under its policy, and nothing is spare.

ministack evaluates the policies that Terraform renders. What it does not evaluate (KMS, logs,
signing in to PostgreSQL) is named below and held by the static tests alone.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from terraform.policies import actions_of, render, without, workloads
from tests.policies_world import (
    World,
    as_evaluated,
    call_of,
    enforcing_world,
    is_denied,
    policy_text,
)

# No stand-in asks IAM for these: the service itself would, on our behalf or at sign-in.
NOT_EVALUATED = ("kms:", "logs:", "rds-db:")
WORKLOADS = tuple(
    name
    for name in workloads()
    if any(not action.startswith(NOT_EVALUATED) for action in actions_of(name))
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with enforcing_world() as made:
        yield made


class Party:
    """A workload in the stand-in: a user with the workload's policy, and that alone."""

    def __init__(self, world: World, workload: str, *, name: str = "") -> None:
        self.world = world
        self.workload = workload
        self.policy = as_evaluated(render(workload, world.words))
        self._name = name or workload
        self._iam = world.client("iam")
        self._iam.create_user(UserName=self._name)
        self.obey(self.policy)
        made = self._iam.create_access_key(UserName=self._name)["AccessKey"]
        self._keys = (made["AccessKeyId"], made["SecretAccessKey"])

    def obey(self, policy: dict[str, Any]) -> None:
        if policy["Statement"]:
            self._iam.put_user_policy(
                UserName=self._name, PolicyName="work", PolicyDocument=policy_text(policy)
            )
        else:
            self._iam.delete_user_policy(UserName=self._name, PolicyName="work")

    def client(self, service: str) -> Any:
        return self.world.client(service, self._keys)

    def is_denied(self, action: str) -> bool:
        call = call_of(action, workload=self.workload, world=self.world, client=self.client)
        return is_denied(call)

    def evaluated(self) -> tuple[str, ...]:
        return tuple(it for it in actions_of(self.workload) if not it.startswith(NOT_EVALUATED))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_workload_needs_each_of_its_actions_and_no_other(world: World, workload: str) -> None:
    party = Party(world, workload)

    assert [it for it in party.evaluated() if party.is_denied(it)] == []
    for action in party.evaluated():
        party.obey(without(party.policy, action))
        assert party.is_denied(action), f"{action} is not needed"


def test_a_worker_cannot_touch_what_another_context_owns(world: World) -> None:
    party = Party(world, "orders-worker", name="stranger")
    sqs, url = party.client("sqs"), world.queue_url("payments")

    assert is_denied(lambda: sqs.receive_message(QueueUrl=url))
    assert is_denied(lambda: sqs.purge_queue(QueueUrl=world.queue_url("orders")))
    assert is_denied(lambda: sqs.send_message(QueueUrl=world.queue_url("orders"), MessageBody="x"))
    assert is_denied(
        lambda: party.client("sns").publish(TopicArn=world.topic_arn("payments"), Message="x")
    )
    assert is_denied(
        lambda: party.client("secretsmanager").get_secret_value(SecretId="comanda/dev/cpf-key")
    )
    assert is_denied(lambda: party.client("dynamodb").delete_table(TableName="comanda-dev-orders"))
