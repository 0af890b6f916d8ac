"""What the deployer may do in a cluster: the kinds of a release, in one namespace, and no more.

EKS's own policies know neither custom resources nor priority classes, and let nobody but an
administrator set a quota. So the role of CI comes into the cluster as a group without any right,
and these objects, applied once by an administrator, give it what `python -m k8s` does: each verb
of each kind that one of its commands uses, which a test counts.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from k8s.manifests import Manifest
from k8s.stage import HERE, Stage

_NAME = "comanda-deployer"
_RBAC = "rbac.authorization.k8s.io"
# A server-side apply is a patch, and a creation where nothing is; drift and waiting read.
_APPLYING = frozenset({"create", "get", "patch"})
# What a release no longer has goes; of a Job, only one that failed before.
_PRUNING = frozenset({"delete"})
# `status` shows these two.
_SHOWN = frozenset({"Deployment", "Job"})
# Releases are kept as Secrets, which no manifest of a release is; the oldest of them go.
_RELEASES = {
    "apiGroups": [""],
    "resources": ["secrets"],
    "verbs": ["create", "delete", "list", "patch"],
}
# The administrator makes these, by the same command; CI keeps them as they are, each by its name.
_CLUSTER_WIDE = frozenset({"Namespace", "PriorityClass"})
_KEEPING = ("get", "patch")
# EKS Auto Mode takes network policies and enforces none of them before this is there:
# https://docs.aws.amazon.com/eks/latest/userguide/auto-net-pol.html
POLICIES_ENFORCED = Manifest(
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "amazon-vpc-cni", "namespace": "kube-system"},
        "data": {"enable-network-policy-controller": "true"},
    }
)


def group_of(stage: str) -> str:
    """Give the group as which CI comes into the cluster; Terraform's `cluster` names it too."""
    return f"comanda-{stage}-deployers"


def with_all_components(stage: Stage) -> Stage:
    """Give the stage as if it used all operators, so that adding one later needs no new right."""
    every = tuple(sorted(it.name for it in (HERE / "components").iterdir() if it.is_dir()))
    return replace(stage, decisions=replace(stage.decisions, components=every))


def deployer_access(manifests: Sequence[Manifest], *, stage: str) -> tuple[Manifest, ...]:
    """Give what an administrator applies once: switches, and rights for manifests like these."""
    namespace = f"comanda-{stage}"
    wide = [it for it in manifests if it.kind in _CLUSTER_WIDE]
    near = [it for it in manifests if it.kind not in _CLUSTER_WIDE]
    name = f"{_NAME}-{stage}"
    return (
        POLICIES_ENFORCED,
        *wide,
        _role("ClusterRole", name, "", tuple(_rules_by_name(wide))),
        _binding("ClusterRoleBinding", name, "", stage=stage),
        _role("Role", name, namespace, (*_rules(near), _RELEASES)),
        _binding("RoleBinding", name, namespace, stage=stage),
    )


def _rules(manifests: Sequence[Manifest]) -> Iterator[dict[str, Any]]:
    """Give a rule for each group of resources with the same verbs."""
    kinds = defaultdict(set)
    for it in manifests:
        verbs = _APPLYING | _PRUNING | ({"list"} if it.kind in _SHOWN else set())
        kinds[it.key.group, tuple(sorted(verbs))].add(plural(it.kind))
    for (group, allowed), resources in sorted(kinds.items()):
        yield {"apiGroups": [group], "resources": sorted(resources), "verbs": list(allowed)}


def _rules_by_name(manifests: Sequence[Manifest]) -> Iterator[dict[str, Any]]:
    """Give rules that name each object: no other namespace's labels are CI's to change."""
    names = defaultdict(set)
    for it in manifests:
        names[it.key.group, plural(it.kind)].add(it.name)
    for (group, resource), known in sorted(names.items()):
        yield {
            "apiGroups": [group],
            "resources": [resource],
            "resourceNames": sorted(known),
            "verbs": list(_KEEPING),
        }


def plural(kind: str) -> str:
    """Give a kind's name in addresses and rules."""
    lower = kind.lower()
    if lower.endswith("s"):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("cy") else f"{lower}s"


def _role(kind: str, name: str, namespace: str, rules: tuple[dict[str, Any], ...]) -> Manifest:
    return Manifest({**_head(kind, name, namespace), "rules": list(rules)})


def _binding(kind: str, name: str, namespace: str, *, stage: str) -> Manifest:
    role = "ClusterRole" if kind.startswith("Cluster") else "Role"
    subject = {"apiGroup": _RBAC, "kind": "Group", "name": group_of(stage)}
    reference = {"apiGroup": _RBAC, "kind": role, "name": name}
    return Manifest({**_head(kind, name, namespace), "roleRef": reference, "subjects": [subject]})


def _head(kind: str, name: str, namespace: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"app.kubernetes.io/part-of": "comanda"}}
    placed = {"namespace": namespace} if namespace else {}
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": {**metadata, **placed}}
