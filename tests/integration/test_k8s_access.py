"""The role that deploys may do what a deploy does, and nothing that it never does."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from k8s.access import deployer_access, group_of, plural
from k8s.command import app
from k8s.manifests import Manifest, dump
from tests.k8s_bed import bed
from tests.k8s_kinds import BUILT_IN
from tests.k8s_server import FakeApiServer
from tests.k8s_stages import stage_manifests
from tests.k8s_store import Status

Right = tuple[str, str, str, str]
VERBS = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}
NAMESPACE = "comanda-dev"


def rights(objects: Sequence[Manifest]) -> set[Right]:
    """Give verb, group, resource and namespace of all that the objects allow."""
    return {
        (verb, group, resource, it.namespace)
        for it in objects
        for rule in it.body.get("rules", ())
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def asked(server: FakeApiServer) -> set[Right]:
    """Give what was asked of the server, as RBAC sees it; discovery is everybody's."""
    return {right for line in server.requests if (right := _right_of(server, line)) is not None}


def _right_of(server: FakeApiServer, line: str) -> Right | None:
    method, _, target = line.partition(" ")
    address = urlsplit(target)
    try:
        place = server.place(address.path)
    except Status:
        return None
    reading = "get" if place.name else "list"
    verb = VERBS.get(method, "watch" if "watch" in parse_qs(address.query) else reading)
    return verb, place.kind.group, place.kind.plural, place.namespace


def deploying(folder: Path) -> FakeApiServer:
    """Apply, apply less, and look, as CI does; give the server that heard it all."""
    whole, less = folder / "whole.yaml", folder / "less.yaml"
    whole.write_text(dump(stage_manifests("dev")))
    less.write_text(dump([it for it in stage_manifests("dev") if it.kind != "ResourceQuota"]))
    server = FakeApiServer()
    with bed(folder, server=server) as opened, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(opened.kubeconfig))
        for words in (
            ("apply", "--manifests", str(whole), "--no-wait"),
            ("apply", "--manifests", str(less), "--no-wait"),
            ("status",),
        ):
            CliRunner().invoke(app, [words[0], "--stage", "dev", *words[1:]])
    return server


def test_all_that_a_deploy_asks_is_allowed(tmp_path: Path) -> None:
    wanted = asked(deploying(tmp_path))
    allowed = rights(deployer_access(stage_manifests("production"), stage="dev"))

    assert {verb for verb, *_ in wanted} >= {"delete", "get", "list", "patch"}
    assert wanted - allowed == set()


def test_custom_resources_of_every_operator_are_allowed() -> None:
    allowed = rights(deployer_access(stage_manifests("production"), stage="production"))
    kinds = {(it.key.group, it.kind) for it in stage_manifests("production")}

    assert {(group, plural(kind)) for group, kind in kinds} <= {it[1:3] for it in allowed}


def test_nothing_outside_the_namespace_and_no_star_is_allowed() -> None:
    allowed = rights(deployer_access(stage_manifests("production"), stage="production"))
    wide = {(group, resource) for _, group, resource, namespace in allowed if not namespace}

    assert wide == {("", "namespaces"), ("scheduling.k8s.io", "priorityclasses")}
    assert "*" not in {part for right in allowed for part in right}
    resources = {resource for _, _, resource, _ in allowed}
    assert resources.isdisjoint({"roles", "rolebindings", "clusterroles", "pods/exec", "nodes"})


def test_the_group_is_the_one_that_terraform_lets_in() -> None:
    text = (Path(__file__).parents[2] / "terraform/cluster/main.tf").read_text()

    assert 'kubernetes_groups = ["${local.prefix}-deployers"]' in text
    assert group_of("dev") == "comanda-dev-deployers"


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda it: it.kind)
def test_a_rule_names_a_kind_as_the_server_does(kind: object) -> None:
    (known,) = (it for it in BUILT_IN if it is kind)

    assert plural(known.kind) == known.plural


def test_the_command_prints_what_an_administrator_applies() -> None:
    sample = str(Path(__file__).parents[2] / "k8s/samples/outputs.json")

    said = CliRunner().invoke(app, ["access", "--stage", "dev", "--outputs", sample])

    # Without a kustomize nothing is rendered, and the command says so.
    assert said.exit_code == 0 or "kustomize" in said.output
    assert "scaledobjects" in said.output or said.exit_code == 2
