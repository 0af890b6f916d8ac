"""Kubernetes objects as values: what they are called, and in which order they are applied."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import yaml

# What others stand on comes first; what is named in neither list comes last of all.
_FIRST = (
    "Namespace",
    "PriorityClass",
    "LimitRange",
    "ResourceQuota",
    "NetworkPolicy",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "ExternalSecret",
)
_LAST = ("Job", "Service", "Deployment", "PodDisruptionBudget", "HorizontalPodAutoscaler")


class InvalidManifest(Exception):
    """What was read is no Kubernetes object; the message says which."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """What tells an object from all others of a cluster; its version does not."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Write it as people do: `Deployment comanda-dev/orders-api`."""
        return f"{self.kind} {self.namespace}/{self.name}".replace(" /", " ")


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object as it is written, or as a cluster answers it."""

    body: dict[str, Any]

    def __post_init__(self) -> None:
        """Refuse what has no version, kind or name."""
        body: object = self.body
        if not isinstance(body, dict) or not {"apiVersion", "kind", "metadata"} <= set(body):
            raise InvalidManifest("an object needs apiVersion, kind and metadata")
        if not isinstance(self.metadata.get("name"), str):
            raise InvalidManifest(f"a {self.kind} has no name, or one that is no text")

    @property
    def kind(self) -> str:
        """Give the kind."""
        return str(self.body["kind"])

    @property
    def api_version(self) -> str:
        """Give the group and version."""
        return str(self.body["apiVersion"])

    @property
    def metadata(self) -> dict[str, Any]:
        """Give name, namespace, labels and annotations."""
        return cast("dict[str, Any]", self.body["metadata"])

    @property
    def name(self) -> str:
        """Give the name."""
        return str(self.metadata["name"])

    @property
    def namespace(self) -> str:
        """Give the namespace, or nothing for what is the cluster's."""
        return str(self.metadata.get("namespace", ""))

    @property
    def spec(self) -> dict[str, Any]:
        """Give the wanted state, empty where a kind has none."""
        return cast("dict[str, Any]", self.body.get("spec") or {})

    @property
    def key(self) -> Key:
        """Tell it from all others."""
        group = self.api_version.rpartition("/")[0]
        return Key(group=group, kind=self.kind, namespace=self.namespace, name=self.name)

    @property
    def pod(self) -> dict[str, Any] | None:
        """Give the pod's spec of what makes pods."""
        if self.kind == "Pod":
            return self.spec
        template = self.spec.get("template") if self.kind in _MAKING_PODS else None
        return template.get("spec") if isinstance(template, dict) else None


_MAKING_PODS = frozenset({"Deployment", "Job", "StatefulSet", "DaemonSet", "ReplicaSet"})


class _Loader(yaml.SafeLoader):
    """Read YAML as kubectl does."""


class _Dumper(yaml.SafeDumper):
    """Write YAML that kubectl reads as it was meant."""


# YAML 1.1 has these booleans too and kubectl's decoder obeys, but PyYAML left them out.
_BOOLEAN_LETTERS = re.compile(r"^[yYnN]$")
for _kind in (_Loader, _Dumper):
    _kind.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOLEAN_LETTERS, list("yYnN"))
_Loader.bool_values = {**yaml.SafeLoader.bool_values, "y": True, "n": False}


def parse(text: str) -> tuple[Manifest, ...]:
    """Read all objects of a stream; raise `InvalidManifest`.

    `name: n` is refused, for kubectl reads a boolean where PyYAML reads a letter.
    """
    return tuple(Manifest(body) for body in _documents(text))


def _documents(text: str) -> Iterator[dict[str, Any]]:
    try:
        for body in yaml.load_all(io.StringIO(text), Loader=_Loader):
            if body is not None:
                yield body
    except yaml.YAMLError as exc:
        raise InvalidManifest(str(exc)) from exc


def dump(manifests: Sequence[Manifest]) -> str:
    """Write objects as one stream, keys sorted."""
    bodies = [manifest.body for manifest in manifests]
    text: str = yaml.dump_all(
        bodies, Dumper=_Dumper, sort_keys=True, width=100, allow_unicode=True, explicit_start=True
    )
    return text


def in_order(manifests: Sequence[Manifest]) -> tuple[Manifest, ...]:
    """Sort objects so that each comes after what it needs; otherwise the order stays."""
    return tuple(sorted(manifests, key=_rank))


def _rank(manifest: Manifest) -> int:
    if manifest.kind in _FIRST:
        return _FIRST.index(manifest.kind)
    if manifest.kind in _LAST:
        return len(_FIRST) + 1 + _LAST.index(manifest.kind)
    # A route, a monitor or a scaler names workloads, but does not need them to be there.
    return len(_FIRST) + 1 + len(_LAST)
