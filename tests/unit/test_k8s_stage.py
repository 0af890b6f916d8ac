"""A stage's manifests: what the pods are told is what the programs read."""

import importlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from comanda.identity.settings import IdentitySettings
from comanda.settings import read, topology
from k8s.manifests import Manifest
from k8s.outputs import OutputsMissing, read_outputs, write_outputs
from k8s.rendering import CannotRender
from k8s.rules import broken_promises
from k8s.stage import HERE, STAGES, Stage, WrongStage, read_stage
from local.provision.plan import plan_for
from tests.k8s_stages import RENDERED, freshly_rendered, sample_stage, stage_manifests
from workers.runtime import consumer, service
from workers.runtime.consumer import ConsumerLimits
from workers.runtime.postgres_pool import postgres_pool

DEPLOYABLES = sorted(
    f"{context}-{role}"
    for context, described in topology()["contexts"].items()
    if "queue" in described
    for role in ("api", "worker", *(["migrate"] if "database" in described else []))
)


def workload(stage: str, name: str) -> Manifest:
    found = [
        it for it in stage_manifests(stage) if it.kind in ("Deployment", "Job") and it.name == name
    ]
    assert len(found) == 1
    return found[0]


def environment(stage: str, name: str) -> dict[str, str]:
    """Give what a container finds in its environment; a secret's value stands for itself."""
    maps = {it.name: it.body["data"] for it in stage_manifests(stage) if it.kind == "ConfigMap"}
    container = (workload(stage, name).pod or {})["containers"][0]
    variables: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        variables |= maps[source["configMapRef"]["name"]]
    for variable in container.get("env", ()):
        variables[variable["name"]] = variable.get("value", "postgresql://from-a-secret")
    return variables


def settings_of(module: str) -> list[type[Any]]:
    """Give the dataclasses of settings that a program reads."""
    found = importlib.import_module(module)
    own = [
        it
        for name, it in vars(found).items()
        if name.endswith("Settings") and is_dataclass(it) and it.__module__ == module
    ]
    return [*own, IdentitySettings] if module.endswith(".api") else own


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", DEPLOYABLES)
def test_a_pod_finds_all_that_its_program_reads(stage: str, name: str) -> None:
    context, _, role = name.rpartition("-")
    found = environment(stage, name)

    wanted = settings_of(f"workers.{context}.{role}")

    assert wanted
    for cls in wanted:
        assert read(cls, found) is not None


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", DEPLOYABLES)
def test_a_pod_starts_a_program_that_is_there(stage: str, name: str) -> None:
    container = (workload(stage, name).pod or {})["containers"][0]
    python, flag, module = container["command"]

    assert (python, flag) == ("python", "-m")
    assert importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("stage", STAGES)
def test_queues_topics_and_tables_are_those_that_are_provisioned(stage: str) -> None:
    plan = plan_for(topology(), stage=stage)
    maps = sample_stage(stage).config_maps()

    for context, queue in plan.queues.items():
        assert maps[context]["COMANDA_QUEUE_URL"].endswith(f"/{queue.name}")
        assert maps[context]["COMANDA_DLQ_URL"].endswith(f"/{queue.dlq_name}")
        topic = maps[context].get("COMANDA_TOPIC_ARN", "")
        assert topic.rpartition(":")[2] == plan.topics.get(context, "")
    assert maps["orders"]["COMANDA_ORDERS_TABLE"] in dict(plan.tables)


@pytest.mark.parametrize("stage", STAGES)
def test_the_manifests_keep_our_promises(stage: str) -> None:
    assert broken_promises(stage_manifests(stage)) == ()


@pytest.mark.parametrize("stage", STAGES)
def test_the_kept_manifests_are_what_kustomize_builds(stage: str) -> None:
    kept = (RENDERED / f"{stage}.yaml").read_text()
    try:
        assert freshly_rendered(stage) == kept, "run: python -m tests.k8s_stages"
    except CannotRender as exc:
        # All other tests read the kept files; whether they are fresh, only kustomize can say.
        warnings.warn(f"the kept manifests were not compared: {exc}", stacklevel=1)


def test_a_stage_without_components_needs_built_in_kinds_alone() -> None:
    groups = {it.key.group for it in stage_manifests("dev")}

    assert groups <= {
        "",
        "apps",
        "autoscaling",
        "batch",
        "networking.k8s.io",
        "policy",
        "scheduling.k8s.io",
    }


def test_the_grace_period_that_is_asked_for_is_longer_than_a_workers_own() -> None:
    own = (
        ConsumerLimits().grace
        + timedelta(seconds=consumer._LONGEST_HANDING_BACK)
        + service._LONGEST_DRAIN
    )
    pod = workload("production", "payments-worker").pod or {}

    assert pod["terminationGracePeriodSeconds"] > own.total_seconds() + 5


def test_the_stage_of_the_smallest_database_fits_its_connections() -> None:
    # db.t4g.medium gives some 400; 60 % of them are for pods, the rest for people and migrations.
    pool: int = (postgres_pool.__wrapped__.__kwdefaults__ or {})["size"]  # type: ignore[attr-defined]
    most = sum(
        it.spec["maxReplicas"] * pool
        for it in stage_manifests("dev")
        if it.kind == "HorizontalPodAutoscaler" and not it.name.startswith(("orders", "archive"))
    )

    assert most <= 240


def outputs(tmp_path: Path, **changes: Any) -> Path:
    content = json.loads((HERE / "samples" / "outputs.json").read_text())
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({k: v for k, v in (content | changes).items() if v is not None}))
    return file


@pytest.mark.parametrize(
    "image", ["comanda", "comanda:1", "comanda@sha256:12", "@sha256:" + "0" * 64]
)
def test_an_image_that_a_push_could_change_is_no_stage(tmp_path: Path, image: str) -> None:
    with pytest.raises(WrongStage, match="by digest"):
        read_stage("dev", outputs=outputs(tmp_path), image=image)


def test_all_that_is_missing_or_unknown_is_told_at_once(tmp_path: Path) -> None:
    file = outputs(tmp_path, account=None, staff_issuer=None, acount="1")

    with pytest.raises(WrongStage) as caught:
        read_stage("dev", outputs=file)

    assert "account is missing, staff_issuer is missing, acount is not known" in str(caught.value)


@pytest.mark.parametrize("name", ["prod", "../dev", ""])
def test_an_unknown_stage_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongStage, match="there is no stage"):
        read_stage(name, outputs=outputs(tmp_path))


def test_outputs_that_are_no_json_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text("[")

    with pytest.raises(WrongStage, match="cannot be read"):
        read_stage("dev", outputs=file)


def test_production_tells_its_pods_of_no_stand_in() -> None:
    stage: Stage = sample_stage("production")
    maps: Mapping[str, Mapping[str, str]] = replace(stage).config_maps()

    assert not [name for it in maps.values() for name in it if name.startswith("AWS_ENDPOINT")]
    assert {field.name for field in fields(stage.outputs)} >= {"account", "image"}


class FakeAws:
    """An account in which Terraform has been, except for what a test takes away."""

    def __init__(self, missing: str = "") -> None:
        self._missing = missing

    def account(self) -> str:
        return "123456789012"

    def parameter(self, name: str) -> str:
        if self._missing and self._missing in name:
            raise OutputsMissing(f"{name}: ParameterNotFound")
        return "subnet-1,subnet-2" if name.endswith("_subnet_ids") else name.rpartition("/")[2]

    def cidrs(self, subnets: Sequence[str]) -> list[str]:
        return [f"10.20.{number}.0/24" for number, _ in enumerate(subnets)]


def test_what_terraform_published_makes_a_whole_stage(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    image = sample_stage("dev").outputs.image
    write_outputs(file, read_outputs("dev", region="sa-east-1", image=image, aws=FakeAws()))

    stage = read_stage("dev", outputs=file)

    assert stage.outputs.data_cidrs == ("10.20.0.0/24", "10.20.1.0/24")
    assert stage.outputs.customer_issuer.endswith("amazonaws.com/customer_pool_id")


def test_a_layer_that_was_not_applied_is_named() -> None:
    with pytest.raises(OutputsMissing, match="/comanda/dev/network/isolated_subnet_ids"):
        read_outputs("dev", region="sa-east-1", image="x", aws=FakeAws(missing="network"))


def test_every_parameter_that_is_asked_for_terraform_publishes() -> None:
    asked: list[str] = []

    class Listening(FakeAws):
        def parameter(self, name: str) -> str:
            asked.append(name)
            return super().parameter(name)

    read_outputs("dev", region="sa-east-1", image="x", aws=Listening())
    root = HERE.parent / "terraform"
    written = "\n".join(it.read_text() for it in [*root.glob("*/main.tf"), *root.glob("*.py")])

    for name in asked:
        last = name.rpartition("/")[2]
        tier, is_tier, _ = last.partition("_subnet_ids")
        assert (tier if is_tier else last) in written


def test_every_service_account_is_a_workload_with_a_role_and_the_other_way_round() -> None:
    workloads = json.loads((HERE.parent / "terraform/identity/workloads.json").read_text())
    # Those of other namespaces belong to operators that we install and do not write.
    pods = {name for name, it in workloads.items() if it["runs_on"] == "pod"}
    ours = {name for name in pods if "namespace" not in workloads[name]}
    accounts = {it.name for it in stage_manifests("production") if it.kind == "ServiceAccount"}

    assert accounts <= pods
    assert {name for name in ours if name.rpartition("-")[0] in topology()["contexts"]} == accounts
