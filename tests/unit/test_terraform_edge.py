"""The edge is deployed with Terraform's roles and names, and with the gateway's own answers."""

import json
from typing import Any

import pytest

from local.provision.context import REPOSITORY
from terraform.addresses import Addresses, NotApplied
from terraform.chalice_stage import environment_of, stage_config, workloads_of
from terraform.gateway_answers import put_answers
from terraform.tool import stage_values

APPS = ("auth_lambda", "webhooks_lambda")


@pytest.fixture
def addresses() -> Addresses:
    roles = {
        f"identity/roles/{workload}": f"arn:aws:iam::111122223333:role/comanda-dev-{workload}"
        for app in APPS
        for workload in workloads_of(app).values()
    }
    pools = {
        f"identity/{people}_{what}": f"{people}-{what}"
        for people in ("customer", "staff")
        for what in ("pool_id", "client_id")
    }
    told = {
        "data/customers_table": "comanda-dev-customers",
        "identity/email_sender": "Comanda <a@comanda.example>",
        "messaging/customers/topic_arn": "arn:aws:sns:sa-east-1:1:comanda-dev-customers-events",
        "messaging/webhooks/topic_arn": "arn:aws:sns:sa-east-1:1:comanda-dev-webhooks-events",
    }
    return Addresses(stage="dev", values={**roles, **pools, **told})


@pytest.mark.parametrize("app", APPS)
def test_every_function_has_a_role_of_its_own_and_chalice_makes_none(
    app: str, addresses: Addresses
) -> None:
    config = stage_config(app, addresses=addresses, values=stage_values("dev"))

    stage = config["stages"]["dev"]
    roles = {name: it["iam_role_arn"] for name, it in stage["lambda_functions"].items()}
    assert stage["manage_iam_role"] is False
    assert set(roles) == set(workloads_of(app))
    assert len(set(roles.values())) == len(roles)
    assert "iam_policy_file" not in json.dumps(config)


@pytest.mark.parametrize("app", APPS)
def test_no_variable_of_the_pattern_stage_reaches_another(app: str, addresses: Addresses) -> None:
    variables = environment_of(app, addresses=addresses, values=stage_values("dev"))

    assert "prod" not in json.dumps(variables)
    assert variables["COMANDA_SHOPS"] == ",".join(stage_values("dev")["shops"])
    assert not [name for name in variables if name.startswith("AWS_")]


def test_every_function_of_the_committed_configuration_has_a_workload() -> None:
    for app in APPS:
        config = json.loads((REPOSITORY / app / ".chalice" / "config.json").read_text())
        assert set(config["stages"]["prod"]["lambda_functions"]) == set(workloads_of(app))


def test_a_layer_that_was_not_applied_is_named() -> None:
    with pytest.raises(NotApplied, match="apply identity first"):
        stage_config("webhooks_lambda", addresses=Addresses(stage="dev", values={}), values={})


class ScriptedGateway:
    """Notes what is put into an API."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.published: list[str] = []

    def put_gateway_response(self, **answer: Any) -> None:
        self.answers[answer["responseType"]] = answer

    def create_deployment(self, **deployment: Any) -> None:
        assert self.answers
        self.published.append(deployment["stageName"])


def test_a_browser_may_read_what_the_gateway_refuses() -> None:
    gateway = ScriptedGateway()

    count = put_answers(gateway, api_id="abc", stage="dev")

    refused = gateway.answers["UNAUTHORIZED"]
    header = refused["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"]
    assert header == "'*'"
    assert json.loads(refused["responseTemplates"]["application/json"])["status"] == 401
    assert count == len(gateway.answers)
    assert gateway.published == ["dev"]
