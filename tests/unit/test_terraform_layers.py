"""Stages are applied and destroyed in an order in which each layer finds what it needs."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from terraform.layers import Stage, apply_stage, cluster_balancers, destroy_stage, leftovers
from terraform.tool import FOLDER, ROOTS, TerraformFailed, stage_values


class ScriptedTerraform:
    """Notes what is run; `fails` is the layer whose apply ends badly."""

    def __init__(self, *, fails: str = "") -> None:
        self.done: list[tuple[str, str]] = []
        self.overridden: list[str] = []
        self.environments: list[Mapping[str, str]] = []
        self._fails = fails

    def run(
        self,
        root: Path,
        words: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        is_shown: bool = False,
    ) -> str:
        if (root / "backend_override.tf").exists():
            self.overridden.append(words[0])
        if words[0] != "init":
            self.done.append((words[0], root.name))
            self.environments.append(environment or {})
            if root.name == self._fails:
                raise TerraformFailed(root.name)
        return ""

    def note(self, what: str) -> None:
        self.done.append((what, "chalice"))


def stage_with(terraform: ScriptedTerraform) -> Stage:
    values = stage_values("dev")
    return Stage(
        name="dev",
        terraform=terraform,  # type: ignore[arg-type]
        values=values,
        bucket="comanda-dev-state-111122223333",
        is_approved=True,
    )


def test_every_layer_is_applied_and_identity_again_once_its_functions_are_there() -> None:
    terraform = ScriptedTerraform()

    apply_stage(
        stage_with(terraform), deploy_edge=lambda _: terraform.note("deploy"), has_bucket=True
    )

    order = [name for _, name in terraform.done]
    assert set(order) == {*ROOTS, "chalice"}
    chalice = order.index("chalice")
    assert order[chalice - 1] == order[chalice + 1] == "identity"
    assert order.index("edge") > chalice
    assert order[0] == "bootstrap"


def test_the_first_bucket_is_made_with_a_state_that_lies_here_and_then_moves() -> None:
    terraform = ScriptedTerraform()

    apply_stage(stage_with(terraform), deploy_edge=lambda _: None, has_bucket=False)

    assert terraform.overridden == ["init", "apply"]
    assert not (FOLDER / "bootstrap" / "backend_override.tf").exists()


def test_a_layer_that_fails_stops_all_that_stand_on_it() -> None:
    terraform = ScriptedTerraform(fails="data")

    with pytest.raises(TerraformFailed):
        apply_stage(stage_with(terraform), deploy_edge=lambda _: None, has_bucket=True)

    assert terraform.done[-1] == ("apply", "data")


def test_what_is_protected_is_unprotected_before_it_is_destroyed() -> None:
    terraform = ScriptedTerraform()

    destroy_stage(stage_with(terraform), delete_edge=lambda _: terraform.note("delete"))

    assert terraform.done.index(("apply", "data")) < terraform.done.index(("destroy", "data"))
    assert ("destroy", "bootstrap") not in terraform.done
    destroyed = [name for what, name in terraform.done if what == "destroy"]
    assert destroyed.index("cluster") < destroyed.index("network")
    unprotected = {it["TF_VAR_deletion_protection"] for it in terraform.environments}
    assert unprotected == {"false"}


def test_load_balancers_of_the_cluster_go_before_the_cluster_does() -> None:
    terraform = ScriptedTerraform()

    with pytest.raises(TerraformFailed, match="kubectl delete namespace comanda-dev"):
        destroy_stage(
            stage_with(terraform), delete_edge=lambda _: None, balancers=["arn:…loadbalancer/app/x"]
        )

    assert terraform.done == []


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


@pytest.mark.usefixtures("account")
def test_what_is_left_is_found_in_both_regions_and_behind_the_controllers_tag() -> None:
    ours = [{"Key": "project", "Value": "comanda"}, {"Key": "environment", "Value": "dev"}]
    for region in ("sa-east-1", "us-east-1"):
        boto3.client("sns", region_name=region).create_topic(Name=f"in-{region}", Tags=ours)
    balancer = made_by_a_controller("comanda-dev")
    made_by_a_controller("comanda-production")

    stage = stage_with(ScriptedTerraform())

    assert cluster_balancers(stage) == [balancer]
    names = [arn.rpartition(":")[2] for arn in leftovers(stage)]
    assert names == [balancer.rpartition(":")[2], "in-sa-east-1", "in-us-east-1"]


def made_by_a_controller(cluster: str) -> str:
    ec2 = boto3.client("ec2", region_name="sa-east-1")
    subnets = [it["SubnetId"] for it in ec2.describe_subnets()["Subnets"]][:2]
    made = boto3.client("elbv2", region_name="sa-east-1").create_load_balancer(
        Name=cluster,
        Subnets=subnets,
        Scheme="internal",
        Tags=[{"Key": "elbv2.k8s.aws/cluster", "Value": cluster}],
    )
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def test_a_stage_that_nobody_described_is_refused() -> None:
    with pytest.raises(TerraformFailed, match=r"terraform/stages/nowhere\.json"):
        stage_values("nowhere")
