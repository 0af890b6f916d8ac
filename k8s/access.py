"""What the deployer may do in a cluster: the kinds of a release, in one namespace, and no more.

EKS's own policies know neither custom resources nor priority classes, and let nobody but an
administrator set a quota. So the role of CI comes into the cluster as a group without any right,
and these objects, applied once by an administrator, give it what `python -m k8s apply` does.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from k8s.manifests import Manifest
from k8s.stage import HERE, Stage

_NAME = "comanda-deployer"
_RBAC = "rbac.authorization.k8s.io"
# A server-side apply is a patch that creates what is not there.
_APPLYING = ("create", "delete", "get", "list", "patch")
# Releases are kept as Secrets, which no manifest of a release is.
_RELEASES = {"apiGroups": [""], "resources": ["secrets"], "verbs": list(_APPLYING)}
_CLUSTER_WIDE = frozenset({"Namespace", "PriorityClass"})


def group_of(stage: str) -> str:
    """Give the group as which CI comes into the cluster; Terraform's `cluster` names it too."""
    return f"comanda-{stage}-deployers"


def with_all_components(stage: Stage) -> Stage:
    """Give the stage as if it used all operators, so that adding one later needs no new right."""
    every = tuple(sorted(it.name for it in (HERE / "components").iterdir() if it.is_dir()))
    return replace(stage, decisions=replace(stage.decisions, components=every))


def deployer_access(manifests: Sequence[Manifest], *, stage: str) -> tuple[Manifest, ...]:
    """Give the objects that let the stage's group apply manifests of these kinds."""
    namespace = f"comanda-{stage}"
    wide = [it for it in manifests if it.kind in _CLUSTER_WIDE]
    near = [it for it in manifests if it.kind not in _CLUSTER_WIDE]
    name = f"{_NAME}-{stage}"
    return (
        _role("ClusterRole", name, "", tuple(_rules(wide))),
        _binding("ClusterRoleBinding", name, "", stage=stage),
        *(it for it in manifests if it.kind == "Namespace"),
        _role("Role", name, namespace, (*_rules(near), _RELEASES)),
        _binding("RoleBinding", name, namespace, stage=stage),
    )


def _rules(manifests: Sequence[Manifest]) -> Iterator[dict[str, Any]]:
    kinds = defaultdict(set)
    for it in manifests:
        kinds[it.key.group].add(plural(it.kind))
    for group, resources in sorted(kinds.items()):
        yield {"apiGroups": [group], "resources": sorted(resources), "verbs": list(_APPLYING)}


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
