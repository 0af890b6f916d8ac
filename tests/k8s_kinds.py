"""The kinds that the stand-in for an API server knows, and what is wrong by a kind's own types."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes import client
from pydantic import BaseModel, ValidationError


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind with its address; `model` is missing for what operators bring."""

    group: str
    version: str
    kind: str
    plural: str
    is_namespaced: bool = True
    model: type[BaseModel] | None = None

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def prefix(self) -> str:
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a path leads to."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    sub: str = ""


def _kind(group: str, version: str, kind: str, plural: str, *, cluster: bool = False) -> Kind:
    model = getattr(client, f"{version.capitalize()}{kind}", None)
    return Kind(
        group=group,
        version=version,
        kind=kind,
        plural=plural,
        is_namespaced=not cluster,
        model=model,
    )


BUILT_IN = (
    _kind("", "v1", "Namespace", "namespaces", cluster=True),
    _kind("", "v1", "ConfigMap", "configmaps"),
    _kind("", "v1", "Secret", "secrets"),
    _kind("", "v1", "Service", "services"),
    _kind("", "v1", "ServiceAccount", "serviceaccounts"),
    _kind("", "v1", "LimitRange", "limitranges"),
    _kind("", "v1", "ResourceQuota", "resourcequotas"),
    _kind("apps", "v1", "Deployment", "deployments"),
    _kind("batch", "v1", "Job", "jobs"),
    _kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    _kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    _kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    _kind("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", cluster=True),
)

# What operators bring; their types are their business.
OPERATORS = tuple(
    Kind(group=group, version=version, kind=kind, plural=plural)
    for group, version, kind, plural in (
        ("external-secrets.io", "v1", "ExternalSecret", "externalsecrets"),
        ("gateway.networking.k8s.io", "v1", "Gateway", "gateways"),
        ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
        ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
        ("keda.sh", "v1alpha1", "TriggerAuthentication", "triggerauthentications"),
        ("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors"),
        ("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules"),
    )
)


def typing_faults(kind: Kind, body: Mapping[str, Any]) -> list[str]:
    """Give unknown fields and wrong types, as the server's typed patch would."""
    if kind.model is None:
        return []
    known = {key: value for key, value in body.items() if key not in ("metadata", "status")}
    try:
        kind.model.model_validate(known)
    except ValidationError as exc:
        # What is missing is the business of validation, which comes later and says 422.
        return [_told(fault) for fault in exc.errors() if fault["type"] != "missing"]
    return []


def _told(fault: Any) -> str:
    path = "." + ".".join(str(part) for part in fault["loc"])
    wrong = "field not declared in schema" if fault["type"] == "extra_forbidden" else fault["msg"]
    return f"{path}: {wrong}"
