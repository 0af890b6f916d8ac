"""Manifests that every schema lets pass and a server refuses, and those that break our promises."""

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from k8s.manifests import InvalidManifest, Manifest, dump, in_order, parse
from k8s.rules import broken_promises, refused
from k8s.rules.quantities import InvalidQuantity, quantity
from tests.k8s_stages import stage_manifests

BROKEN = Path(__file__).resolve().parents[1] / "k8s_broken"
# What the rule says of each; all were refused by a real 1.36 server, and by no schema.
GOLDEN = {
    "01-budget-with-both-bounds": "exclude each other",
    "02-selector-does-not-match": "does not match the labels",
    "03-memory-limit-below-request": "below its request",
    "04-unknown-resource": "there is no such resource",
    "05-probe-with-two-handlers": "2 handlers",
    "06-no-quantity": "is no quantity",
    "07-mount-without-volume": "no volume is called",
    "08-privileged-without-escalation": "forbidden to escalate",
    "09-scaler-to-zero-by-cpu": "minReplicas of 0",
    "10-two-unnamed-ports": "each of several ports needs a name",
    "11-name-is-a-boolean": "one that is no text",
    "12-impossible-spread": "maxSkew must be 1",
}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_manifest_that_a_real_server_refused_is_refused_here(name: str) -> None:
    assert GOLDEN[name] in faults_of((BROKEN / f"{name}.yaml").read_text())


def faults_of(text: str) -> str:
    try:
        return "\n".join(str(fault) for fault in refused(parse(text)))
    except InvalidManifest as exc:
        return str(exc)


def test_every_broken_manifest_has_its_expectation() -> None:
    assert sorted(GOLDEN) == sorted(file.stem for file in BROKEN.glob("*.yaml"))


def test_a_sound_manifest_is_not_refused() -> None:
    assert refused(stage_manifests("production")) == ()


@pytest.mark.parametrize(
    ("text", "amount"),
    [("100m", "0.1"), ("1.5", "1.5"), ("192Mi", "201326592"), ("2e3", "2000"), ("1G", "1e9")],
)
def test_an_amount_is_read_as_kubernetes_does(text: str, amount: str) -> None:
    assert quantity(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["100mm", "", "Mi", "1 Gi", "ten", None])
def test_what_is_no_amount_is_refused(text: str | None) -> None:
    with pytest.raises(InvalidQuantity):
        quantity(text)


def changed(
    kind: str, name: str, change: Callable[[dict[str, Any]], object]
) -> tuple[Manifest, ...]:
    """Give the manifests of production with one object changed."""
    manifests = [Manifest(deepcopy(it.body)) for it in stage_manifests("production")]
    chosen = [it for it in manifests if (it.kind, it.name) == (kind, name)]
    assert len(chosen) == 1
    change(chosen[0].body)
    return tuple(manifests)


def container(body: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = body["spec"]["template"]["spec"]["containers"][0]
    return first


def pod(body: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = body["spec"]["template"]["spec"]
    return spec


PROMISES: dict[str, tuple[str, str, Callable[[dict[str, Any]], object], str]] = {
    "an image by tag": (
        "Deployment",
        "orders-api",
        lambda it: container(it).update(image="comanda:latest"),
        "not named by digest",
    ),
    "a fixed number of pods": (
        "Deployment",
        "orders-api",
        lambda it: it["spec"].update(replicas=2),
        "a scaler owns the number",
    ),
    "a limit of CPU": (
        "Deployment",
        "orders-api",
        lambda it: container(it)["resources"]["limits"].update(cpu="1"),
        "throttles",
    ),
    "no limit of memory": (
        "Deployment",
        "orders-api",
        lambda it: container(it)["resources"].update(limits={}),
        "a limit of memory",
    ),
    "root": (
        "Deployment",
        "orders-api",
        lambda it: pod(it)["securityContext"].update(runAsUser=0),
        "not root",
    ),
    "a token": (
        "Deployment",
        "orders-api",
        lambda it: pod(it).pop("automountServiceAccountToken"),
        "none gets a token",
    ),
    "a writable root": (
        "Job",
        "payments-migrate",
        lambda it: container(it)["securityContext"].pop("readOnlyRootFilesystem"),
        "read-only",
    ),
    "a grace period that cuts handlers short": (
        "Deployment",
        "payments-worker",
        lambda it: pod(it).update(terminationGracePeriodSeconds=30),
        "grace period must be 35 s",
    ),
    "an API that leaves while requests come": (
        "Deployment",
        "orders-api",
        lambda it: container(it).pop("lifecycle"),
        "preStop",
    ),
    "liveness by a dependency": (
        "Deployment",
        "orders-worker",
        lambda it: container(it)["livenessProbe"]["httpGet"].update(path="/health/ready"),
        "livenessProbe: must ask /health/live",
    ),
    "a rollout that takes pods away first": (
        "Deployment",
        "orders-worker",
        lambda it: it["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
        "before its successor is ready",
    ),
    "a budget that holds a node for ever": (
        "PodDisruptionBudget",
        "orders-worker",
        lambda it: it["spec"].pop("unhealthyPodEvictionPolicy"),
        "must not keep a node",
    ),
    "a lost worker": (
        "Deployment",
        "catalog-worker",
        lambda it: it["metadata"].update(name="catalog-werker"),
        "there is no catalog-worker",
    ),
    "a database that cannot be reached": (
        "NetworkPolicy",
        "payments-worker-database",
        lambda it: it["spec"].update(egress=[]),
        "payments-worker: opens [53, 80, 443] outwards",
    ),
    "a door that nobody needs": (
        "NetworkPolicy",
        "orders-worker",
        lambda it: it["spec"]["egress"][0]["ports"].append({"port": 5432, "protocol": "TCP"}),
        "orders-worker: opens [53, 80, 443, 5432]",
    ),
    "an open namespace": (
        "Namespace",
        "comanda-production",
        lambda it: it["metadata"].update(labels={}),
        "not at Pod Security restricted",
    ),
    "two scalers": (
        "ScaledObject",
        "orders-worker",
        lambda it: it["spec"]["scaleTargetRef"].update(name="orders-api"),
        "orders-api has 2 scalers",
    ),
    "no budget": (
        "PodDisruptionBudget",
        "orders-api",
        lambda it: it["spec"]["selector"].update(matchLabels={"app": "other"}),
        "orders-api has no PodDisruptionBudget",
    ),
    "an unknown ConfigMap": (
        "Deployment",
        "orders-api",
        lambda it: container(it)["envFrom"][0]["configMapRef"].update(name="lost"),
        "no ConfigMap is called lost",
    ),
    "an unknown service account": (
        "Deployment",
        "orders-api",
        lambda it: pod(it).update(serviceAccountName="lost"),
        "no such service account",
    ),
    "an unknown priority": (
        "Deployment",
        "orders-api",
        lambda it: pod(it).update(priorityClassName="lost"),
        "no such priority class",
    ),
    "no default": (
        "NetworkPolicy",
        "default-deny",
        lambda it: it["spec"].update(policyTypes=["Ingress"]),
        "no policy denies by default",
    ),
    "a service of another port": (
        "Service",
        "orders-api",
        lambda it: it["spec"]["ports"][0].update(port=80),
        "has port 80, and its pods another",
    ),
    "a service that leads to nobody": (
        "Service",
        "console-api",
        lambda it: it["spec"]["selector"].update({"app.kubernetes.io/name": "kiosk"}),
        "leads to nobody",
    ),
    "screens of another name": (
        "Deployment",
        "console-api",
        lambda it: it["metadata"].update(name="screens-api"),
        "there are no screens",
    ),
    "a quota that a rollout at full scale meets": (
        "ResourceQuota",
        "stage",
        lambda it: it["spec"]["hard"].update(pods="100"),
        "the quota has 100 of pods, and all scalers may ask for 119",
    ),
    "screens that cannot reach the contexts": (
        "NetworkPolicy",
        "console-api-contexts",
        lambda it: it["spec"].update(egress=[]),
        "console-api: opens [53, 80, 443] outwards, and needs [53, 80, 443, 8080, 9090]",
    ),
    "a migration that cannot sign in by its role": (
        "NetworkPolicy",
        "payments-migrate",
        lambda it: it["spec"]["egress"].pop(),
        "payments-migrate: opens [53, 5432] outwards, and needs [53, 80, 5432]",
    ),
}


@pytest.mark.parametrize("title", sorted(PROMISES))
def test_a_broken_promise_is_told(title: str) -> None:
    kind, name, change, told = PROMISES[title]

    faults = broken_promises(changed(kind, name, change))

    assert told in "\n".join(str(fault) for fault in faults)


def test_a_namespace_comes_before_all_and_deployments_come_after_migrations() -> None:
    kinds = [manifest.kind for manifest in in_order(stage_manifests("production"))]

    assert kinds[0] == "Namespace"
    assert kinds.index("ConfigMap") < kinds.index("Job") < kinds.index("Deployment")
    assert max(i for i, k in enumerate(kinds) if k == "Job") < kinds.index("Deployment")


def test_what_is_written_is_read_again_as_it_was_even_the_letters_that_kubectl_takes_for_no() -> (
    None
):
    manifest = Manifest(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "n"}, "data": {"y": "no"}}
    )

    assert parse(dump([manifest])) == (manifest,)
