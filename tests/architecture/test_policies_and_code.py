"""Policies allow what the code calls, name only what exists, and reach only what is ours."""

import json
import re

import pytest
from botocore.session import get_session

from comanda.settings import topology
from local.provision.context import REPOSITORY
from terraform.policies import actions_of, render, statements, workloads
from tests.policies_code import actions_in

# Actions that IAM knows and no API has a call of that name for.
WITHOUT_A_CALL = frozenset(
    {
        "dynamodb:ConditionCheckItem",
        "dynamodb:PartiQLSelect",
        "iam:PassRole",
        "lambda:InvokeFunction",
        "rds-db:connect",
        "s3:ListBucket",
        "sts:TagSession",
    }
)
PUBLISHING = "comanda/messaging/sns.py"
CONSUMING = ("comanda/messaging/sqs.py", PUBLISHING)
# Where the code of a workload calls AWS; the runtime that two share counts for both.
CODE = {
    "orders-worker": (*CONSUMING, "workers/runtime/dynamodb.py"),
    "payments-worker": (*CONSUMING, "workers/payments"),
    "catalog-worker": (*CONSUMING, "workers/catalog"),
    "orders-api": (PUBLISHING, "workers/orders", "workers/runtime/dynamodb.py"),
    "payments-api": (PUBLISHING,),
    "archive-worker": ("comanda/messaging/sqs.py", "workers/archive"),
    "archive-api": (),
    "webhooks-api": ("webhooks_lambda/chalicelib",),
    "console-api": ("console/queues", "console/screens", "comanda/messaging/dead_letters.py"),
}
# What each of them calls cannot be told apart by where it stands.
TWO_IN_A_FOLDER = {"orders-worker", "orders-api", "archive-worker", "archive-api"}
AUTH = tuple(name for name, it in workloads().items() if it.get("app") == "auth_lambda")
# What makes a name one of this stage.
OURS = ("${prefix}", "${stage}", "_key}", "_pool}", "${database}", "${mail_domain}")
BESIDE_THE_CODE = ("kms:", "logs:", "rds-db:")


def called(*names: str) -> set[str]:
    """Give what these workloads may do, less what services ask for on our behalf."""
    every = {action for name in names for action in actions_of(name)}
    return {action for action in every if not action.startswith(BESIDE_THE_CODE)}


@pytest.mark.parametrize("workload", sorted(set(CODE) - TWO_IN_A_FOLDER))
def test_a_policy_allows_what_the_code_calls_and_nothing_else(workload: str) -> None:
    assert called(workload) == actions_in(*CODE[workload])


@pytest.mark.parametrize("context", ["orders", "archive"])
def test_both_policies_of_a_context_allow_what_its_code_calls_and_nothing_else(
    context: str,
) -> None:
    both = (f"{context}-worker", f"{context}-api")

    assert called(*both) == actions_in(*CODE[both[0]], *CODE[both[1]])


def test_the_policies_of_the_edge_allow_what_its_code_calls_and_nothing_else() -> None:
    assert called(*AUTH) == actions_in("auth_lambda/chalicelib", "comanda/messaging/sync.py")


def test_every_action_that_terraform_names_exists() -> None:
    texts = [file.read_text() for file in (REPOSITORY / "terraform").rglob("*.tf")]
    lists = [it for text in texts for it in re.findall(r"actions\s*=\s*\[([^\]]*)\]", text)]
    named = {action for it in lists for action in re.findall(r'"([^"]+)"', it)}
    named |= {action for name in workloads() for action in actions_of(name)}

    assert len(named) > 60
    assert sorted(it for it in named if not exists(it)) == []


def exists(action: str) -> bool:
    """Tell whether IAM has this action, as far as the calls of the service's API tell."""
    service, _, name = action.partition(":")
    if action in WITHOUT_A_CALL:
        return True
    if service == "apigateway":
        return name in {"DELETE", "GET", "PATCH", "POST", "PUT"}
    known = get_session().get_service_model(service).operation_names
    return any(re.fullmatch(name.replace("*", ".*"), it) for it in known)


def test_a_misspelt_action_is_found() -> None:
    assert not exists("sqs:RecieveMessage")
    assert not exists("dynamodb:TransactionWrite")


@pytest.mark.parametrize("workload", sorted(workloads()))
def test_every_resource_is_one_of_ours(workload: str) -> None:
    for statement in statements(workload):
        resources = statement["Resource"]
        for resource in [resources] if isinstance(resources, str) else resources:
            assert resource.startswith("${") or "${account}" in resource, resource
            whole = resource.replace("/*/mercadopago-??????", "").removesuffix(":*")
            whole = whole.removesuffix("/events/*")
            assert "*" not in whole, resource
            assert any(word in resource for word in OURS), resource


# What these keep is encrypted by a key of ours, which they use in the caller's name.
ENCRYPTED = {
    "dynamodb": {"kms:Decrypt", "kms:GenerateDataKey"},
    "s3": {"kms:Decrypt", "kms:GenerateDataKey"},
    "secretsmanager": {"kms:Decrypt"},
    "sns": {"kms:Decrypt", "kms:GenerateDataKey"},
    "sqs": {"kms:Decrypt", "kms:GenerateDataKey"},
}


@pytest.mark.parametrize("workload", sorted(workloads()))
def test_a_key_may_be_used_by_the_services_that_a_workload_calls_and_by_no_other(
    workload: str,
) -> None:
    calling = {action.partition(":")[0] for action in actions_of(workload)} & set(ENCRYPTED)
    # Measuring a queue reads no message.
    calling -= {"sqs"} if workload == "keda-operator" else set()
    used: dict[str, set[str]] = {}
    for statement in statements(workload):
        if statement["Action"][0].startswith("kms:"):
            for via in statement["Condition"]["StringEquals"]["kms:ViaService"]:
                used.setdefault(via.partition(".")[0], set()).update(statement["Action"])

    assert used == {service: ENCRYPTED[service] for service in calling}


@pytest.mark.parametrize("workload", sorted(workloads()))
def test_a_function_writes_its_own_log_and_no_pod_writes_any(workload: str) -> None:
    writing = [it for it in statements(workload) if it["Action"][0].startswith("logs:")]
    it = workloads()[workload]
    if it["runs_on"] == "pod":
        assert writing == []
        return
    (statement,) = writing

    assert set(statement["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    group = f"log-group:/aws/lambda/{it['app']}-${{stage}}{it['suffix']}:*"
    assert statement["Resource"].endswith(group)


def test_the_scaler_may_measure_every_queue() -> None:
    (statement,) = statements("keda-operator")

    measured = {it.rpartition("${prefix}-")[2] for it in statement["Resource"]}
    assert measured == {name for name, it in topology()["contexts"].items() if "queue" in it}


def test_the_screens_reach_every_queue_in_its_own_way_and_no_other() -> None:
    queues = {name for name, it in topology()["contexts"].items() if "queue" in it}
    letters = {f"{name}-dlq" for name in queues}
    reached = {
        action: {it.rpartition("${prefix}-")[2] for it in statement["Resource"]}
        for statement in statements("console-api")
        for action in statement["Action"]
        if action.startswith("sqs:")
    }

    assert reached == {
        "sqs:GetQueueAttributes": queues | letters,
        "sqs:GetQueueUrl": queues | letters,
        "sqs:SendMessage": queues,
        "sqs:ReceiveMessage": letters,
        "sqs:DeleteMessage": letters,
        "sqs:ChangeMessageVisibility": letters,
    }


def test_no_policy_asks_for_more_than_the_boundary_lets_through() -> None:
    text = (REPOSITORY / "terraform" / "bootstrap" / "main.tf").read_text()
    (block,) = re.findall(r'sid = "WorkOfWorkloads"\n    actions = \[([^\]]*)\]', text)
    allowed = [it.replace("*", ".*") for it in re.findall(r'"([^"]+)"', block)]
    wanted = {action for name in workloads() for action in actions_of(name)}

    assert {it for it in wanted if not any(re.fullmatch(one, it) for one in allowed)} == set()


def test_the_role_that_deploys_may_ask_what_a_release_asks() -> None:
    """The calls of `k8s.outputs` and `terraform.edge_deploy`, by the role of `deploy.yml`."""
    text = (REPOSITORY / "terraform" / "bootstrap" / "ci.tf").read_text()
    deploying = text.partition('"aws_iam_policy_document" "deploy"')[2]
    allowed = set(re.findall(r'"([a-z0-9-]+:[A-Za-z]+)"', deploying))
    source = (REPOSITORY / "k8s" / "outputs.py").read_text()
    asked = set(re.findall(r"self\._(ssm|ec2|sts|ecr)\.([a-z_]+)", source))

    assert asked
    # Anybody may ask who they are.
    wanted = {f"{s}:{name.title().replace('_', '')}" for s, name in asked if s != "sts"}
    assert wanted <= allowed


def test_every_index_of_the_topology_is_read_by_somebody() -> None:
    text = "".join(json.dumps(statements(name)) for name in workloads())

    for it in topology()["contexts"].values():
        for table, shape in it.get("tables", {}).items():
            for index in shape["indexes"]:
                assert f"table/${{prefix}}-{table}/index/{index}" in text


def test_only_the_worker_writes_the_menu_so_nobody_else_sets_a_price() -> None:
    writing = [it for it in statements("orders-api") if "dynamodb:PutItem" in it["Action"]]

    assert len(writing) == 1
    keys = writing[0]["Condition"]["ForAllValues:StringNotLike"]["dynamodb:LeadingKeys"]
    # What `workers.orders.items.menu_partition` gives for any shop.
    assert keys == ["*#MENU"]
    assert writing[0]["Condition"]["Null"] == {"dynamodb:LeadingKeys": "false"}


def test_a_word_that_is_missing_stops_the_rendering() -> None:
    with pytest.raises(KeyError):
        render("orders-worker", {"partition": "aws"})
