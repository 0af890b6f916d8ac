"""A stage's manifests: what the pods are told is what the programs read."""

import importlib
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from comanda.identity.settings import IdentitySettings
from comanda.settings import read, topology
from console.queues.processes import parse_urls
from console.screens.settings import ScreensSettings
from k8s.manifests import Manifest
from k8s.rendering import CannotRender
from k8s.rules import broken_promises
from k8s.stage import HERE, STAGES, Stage, WrongStage, read_stage
from local.gateway.edge import SCREENS
from local.provision.plan import plan_for
from terraform.policies import statements
from tests.k8s_stages import RENDERED, freshly_rendered, sample_stage, stage_manifests
from workers.runtime import consumer, service
from workers.runtime.consumer import ConsumerLimits
from workers.runtime.postgres_iam import SCHEME
from workers.runtime.postgres_pool import postgres_pool

WORKLOADS = json.loads((HERE.parent / "terraform/identity/workloads.json").read_text())
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
        variables[variable["name"]] = variable.get("value", "from-a-secret")
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
def test_the_screens_find_all_that_they_read(stage: str) -> None:
    settings = read(ScreensSettings, environment(stage, "console-api"))

    assert settings.orders_url == "http://orders-api:8080"
    assert settings.auth_url == "https://api.example.com"
    services = {it.name for it in stage_manifests(stage) if it.kind == "Service"}
    inside = {it for it in vars_of(settings).values() if it.startswith("http://")}
    inside |= set(parse_urls(settings.process_urls).values())
    assert {urlsplit(it).hostname for it in inside} == services - {"console-api"}


def vars_of(settings: ScreensSettings) -> dict[str, str]:
    return {
        field.name: getattr(settings, field.name)
        for field in fields(settings)
        if field.name.endswith("_url")
    }


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", [it for it in DEPLOYABLES if it.startswith(("pay", "cat"))])
def test_a_pod_with_a_database_signs_in_by_its_role_and_knows_whom_to_trust(
    stage: str, name: str
) -> None:
    context, _, role = name.rpartition("-")
    url = urlsplit(environment(stage, name)["COMANDA_DATABASE_URL"])
    pod = workload(stage, name).pod or {}
    sources = {it["name"]: it for it in pod["volumes"]}
    mounts = {it["mountPath"]: it["name"] for it in pod["containers"][0]["volumeMounts"]}

    assert url.scheme == SCHEME
    assert url.password is None
    allowed = (it for it in statements(name) if it["Action"] == ["rds-db:connect"])
    (statement,) = allowed
    assert statement["Resource"].endswith(f"/{url.username}")
    assert url.username == f"{context}_{'owner' if role == 'migrate' else 'app'}"
    trusted = Path(dict(parse_qsl(url.query))["sslrootcert"])
    bundle = sources[mounts[str(trusted.parent)]]["configMap"]["name"]
    maps = {it.name: it.body["data"] for it in stage_manifests(stage) if it.kind == "ConfigMap"}
    assert "BEGIN CERTIFICATE" in maps[bundle][trusted.name]


def test_the_routes_of_the_screens_are_those_of_a_laptop() -> None:
    (route,) = (
        it
        for it in stage_manifests("production")
        if it.kind == "HTTPRoute" and it.name == "console"
    )
    paths = {it["path"]["value"] for rule in route.spec["rules"] for it in rule["matches"]}

    assert paths == SCREENS


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
        if it.kind == "HorizontalPodAutoscaler" and it.name.startswith(("payments", "catalog"))
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


def associations() -> set[tuple[str, str]]:
    """Give whom Terraform makes a Pod Identity association for: namespace and service account."""
    text = (HERE.parent / "terraform/cluster/main.tf").read_text()
    (block,) = re.findall(
        r'^resource "aws_eks_pod_identity_association" "workload" {\n(.*?)^}', text, re.M | re.S
    )
    # One for each workload that runs in a pod, under its own name; nothing is left out or renamed.
    assert re.search(r"for_each = local\.pods\n", block)
    assert re.search(r"service_account = each\.key\n", block)
    assert (
        'pods       = { for name, it in local.workloads : name => it if it.runs_on == "pod"' in text
    )
    return {
        (it.get("namespace", "comanda-production"), name)
        for name, it in WORKLOADS.items()
        if it["runs_on"] == "pod"
    }


def test_service_accounts_and_pod_identities_are_the_same_ones() -> None:
    made = stage_manifests("production")
    accounts = {(it.namespace, it.name) for it in made if it.kind == "ServiceAccount"}
    used = {(it.namespace, it.pod["serviceAccountName"]) for it in made if it.pod is not None}
    # Those of other namespaces belong to operators that we install and do not write.
    ours = {it for it in associations() if it[0] == "comanda-production"}

    assert accounts == ours
    assert used == accounts
    assert {name for _, name in associations() - ours} == {"keda-operator", "external-secrets"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_pod_runs_as_the_service_account_of_its_own_name(stage: str) -> None:
    wrong = [it.name for it in stage_manifests(stage) if it.pod and account_of(it) != it.name]

    assert wrong == []


def account_of(manifest: Manifest) -> str:
    return str((manifest.pod or {})["serviceAccountName"])
