"""The role that deploys may do what a deploy does, and nothing that it never does.

The stand-in evaluates the rules at each request, as an API server does.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from k8s.access import deployer_access, group_of, plural
from k8s.cluster import ClusterError
from k8s.command import app
from k8s.deploying import CannotApply, Deployer, Options
from k8s.manifests import Manifest, dump
from k8s.releases import KEPT
from k8s.waiting import RolloutFailed
from tests.k8s_bed import Bed, bed
from tests.k8s_kinds import BUILT_IN, OPERATORS, Kind
from tests.k8s_rights import Ask, Rights
from tests.k8s_server import FakeApiServer
from tests.k8s_stages import stage_manifests

STAGE = "production"
NAMESPACE = f"comanda-{STAGE}"
# What the administrator applies, with the namespace and the priority classes among it.
ACCESS = deployer_access(stage_manifests(STAGE), stage=STAGE)
RIGHTS = Rights(objects=ACCESS, group=group_of(STAGE))


@dataclass(frozen=True, slots=True)
class Right:
    """One verb of one resource in one place; `name` where a rule names objects."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str = ""


def rights(objects: Sequence[Manifest]) -> set[Right]:
    """Give all that the objects allow, one by one."""
    return {
        Right(verb, group, resource, it.namespace, name)
        for it in objects
        for rule in it.body.get("rules", ())
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", ("",))
    }


def without(gone: Right) -> Rights:
    """Give the rules without one right, the others being what they were."""
    objects = [Manifest(deepcopy(it.body)) for it in ACCESS if "rules" not in it.body]
    for role in (it for it in ACCESS if "rules" in it.body):
        kept = [
            {
                "apiGroups": [it.group],
                "resources": [it.resource],
                "verbs": [it.verb],
                **({"resourceNames": [it.name]} if it.name else {}),
            }
            for it in rights([role])
            if it != gone
        ]
        objects.append(Manifest({**role.body, "rules": kept}))
    return replace(RIGHTS, objects=objects)


@contextmanager
def stage_of_an_administrator(folder: Path, given: Rights) -> Iterator[Bed]:
    """Open a cluster in which the administrator has been, and CI has these rights."""
    server = FakeApiServer((*BUILT_IN, *OPERATORS))
    with bed(folder, server=server) as opened, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(opened.kubeconfig))
        for manifest in (it for it in ACCESS if it.kind in ("Namespace", "PriorityClass")):
            opened.cluster.apply(manifest)
        server.asked.clear()
        server.rights = given
        yield opened


def typed(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [words[0], "--stage", STAGE, *words[1:]])
    return result.exit_code, result.output


def one_of_each() -> tuple[Manifest, ...]:
    """Give the first object of each kind: a right is of a kind, and a whole stage takes long."""
    firsts = {it.kind: it for it in reversed(stage_manifests(STAGE)) if it.kind != "PriorityClass"}
    classes = [it for it in stage_manifests(STAGE) if it.kind == "PriorityClass"]
    return (*classes, *firsts.values())


def a_part(*, image: str) -> tuple[Manifest, ...]:
    """Give a release of a namespace and a migration; all else of the one before is pruned."""
    part = [it for it in one_of_each() if it.kind in ("Namespace", "Job")]
    copies = tuple(Manifest(deepcopy(it.body)) for it in part)
    for job in (it for it in copies if it.kind == "Job"):
        job.spec["template"]["spec"]["containers"][0]["image"] = image
    return copies


def do_all(opened: Bed, folder: Path) -> None:
    """Apply, look, fail, apply again, go back, forget the oldest release: as CI and people do."""
    deployer = Deployer(opened.cluster, namespace=NAMESPACE)
    options = Options(patience=opened.patience)
    deployer.apply(one_of_each(), options)
    file = folder / "one-of-each.yaml"
    file.write_text(dump(one_of_each()))
    for words in (("diff", "--manifests", str(file)), ("status",)):
        status, output = typed(*words)
        assert status == 0, f"{words[0]}: {output}"
    for _ in range(2):
        # The second time, the migration that failed is deleted first.
        with pytest.raises(RolloutFailed, match="migrate"):
            deployer.apply(a_part(image="registry.example/broken@sha256:1"), options)
    deployer.apply(a_part(image="registry.example/mended@sha256:1"), options)
    rolled = deployer.roll_back(options, to=1)
    assert len(rolled.manifests) > len(a_part(image="x"))
    for _ in range(KEPT - 4):
        deployer.apply(a_part(image="registry.example/mended@sha256:1"), options)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ask, ...]:
    """Give every question of RBAC that a life of releases asks, under CI's own rights."""
    folder = tmp_path_factory.mktemp("deploying")
    with stage_of_an_administrator(folder, RIGHTS) as opened:
        do_all(opened, folder)
        assert opened.server is not None
        return tuple(set(opened.server.asked))


def test_a_life_of_releases_needs_exactly_the_rights_that_ci_has(asked: tuple[Ask, ...]) -> None:
    named = {it.resource for it in rights(ACCESS) if it.name}
    needed = {
        Right(
            it.verb,
            it.group,
            it.resource,
            it.namespace,
            it.name if it.resource in named else "",
        )
        for it in asked
    }

    # The namespace of an object's own path is not a rule's.
    assert needed == rights(ACCESS)


@pytest.mark.parametrize("right", sorted(rights(ACCESS), key=str), ids=str)
def test_without_one_right_something_of_it_is_refused(asked: tuple[Ask, ...], right: Right) -> None:
    less = without(right)

    refused = [it for it in asked if not less.allow(it)]

    assert refused
    assert {(it.verb, it.resource) for it in refused} == {(right.verb, right.resource)}


@pytest.mark.parametrize(
    ("verb", "resource"), [("create", "deployments"), ("patch", "namespaces"), ("list", "secrets")]
)
def test_a_missing_right_ends_a_deploy_by_name_and_before_it_changes_anything(
    tmp_path: Path, verb: str, resource: str
) -> None:
    (gone, *_) = (it for it in rights(ACCESS) if (it.verb, it.resource) == (verb, resource))

    with stage_of_an_administrator(tmp_path, without(gone)) as opened:
        with pytest.raises((CannotApply, ClusterError), match=f"forbidden: cannot {verb} "):
            Deployer(opened.cluster, namespace=NAMESPACE).apply(one_of_each(), Options())
        assert opened.server is not None
        made = {name for name, *_ in opened.server.store.objects}

    assert made == {"namespaces", "priorityclasses"}


def test_another_group_may_do_nothing(asked: tuple[Ask, ...]) -> None:
    others = replace(RIGHTS, group=group_of("dev"))

    assert not any(others.allow(it) for it in asked)


def test_no_other_namespace_and_no_other_class_can_be_touched() -> None:
    for name, resource, group in (
        ("kube-system", "namespaces", ""),
        ("system-node-critical", "priorityclasses", "scheduling.k8s.io"),
    ):
        ask = Ask(verb="patch", group=group, resource=resource, namespace="", name=name)
        near = Ask(verb="get", group="", resource="secrets", namespace="kube-system", name="x")

        assert not RIGHTS.allow(ask)
        assert not RIGHTS.allow(near)


def test_custom_resources_of_every_operator_are_allowed() -> None:
    allowed = {(it.group, it.resource) for it in rights(ACCESS)}
    kinds = {(it.key.group, it.kind) for it in stage_manifests(STAGE)}

    assert {(group, plural(kind)) for group, kind in kinds} <= allowed


def test_nothing_outside_the_namespace_and_no_star_is_allowed() -> None:
    allowed = rights(ACCESS)
    wide = {(it.group, it.resource, it.verb) for it in allowed if not it.namespace}

    kept = (("", "namespaces"), ("scheduling.k8s.io", "priorityclasses"))
    assert wide == {(*it, verb) for it in kept for verb in ("get", "patch")}
    assert all("*" not in (it.verb, it.group, it.resource) for it in allowed)
    resources = {it.resource for it in allowed}
    assert resources.isdisjoint({"roles", "rolebindings", "clusterroles", "pods/exec", "nodes"})


def test_the_administrator_switches_on_that_policies_are_enforced() -> None:
    """Auto Mode takes network policies without this, and lets everything through."""
    (switch,) = (it for it in ACCESS if it.kind == "ConfigMap")

    assert (switch.namespace, switch.name) == ("kube-system", "amazon-vpc-cni")
    assert switch.body["data"] == {"enable-network-policy-controller": "true"}
    # CI cannot switch it off again.
    for verb in ("patch", "delete", "create"):
        assert not RIGHTS.allow(
            Ask(
                verb=verb,
                group="",
                resource="configmaps",
                namespace="kube-system",
                name="amazon-vpc-cni",
            )
        )


def test_the_group_is_the_one_that_terraform_lets_in() -> None:
    text = (Path(__file__).parents[2] / "terraform/cluster/main.tf").read_text()

    assert 'kubernetes_groups = ["${local.prefix}-deployers"]' in text
    assert group_of("dev") == "comanda-dev-deployers"


@pytest.mark.parametrize("kind", [*BUILT_IN, *OPERATORS], ids=lambda it: it.kind)
def test_a_rule_names_a_kind_as_the_server_does(kind: Kind) -> None:
    assert plural(kind.kind) == kind.plural


def test_the_command_prints_what_an_administrator_applies() -> None:
    sample = str(Path(__file__).parents[2] / "k8s/samples/outputs.json")

    said = CliRunner().invoke(app, ["access", "--stage", "dev", "--outputs", sample])

    # Without a kustomize nothing is rendered, and the command says so.
    assert said.exit_code == 0 or "kustomize" in said.output
    assert "scaledobjects" in said.output or said.exit_code == 2
