"""Who owns which field of an object: server-side apply at the granularity of leaves.

A field is a path; an item of a list that is a map to Kubernetes is named by its keys, so that two
managers can own different containers, ports or variables of one list.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]
Leaves = dict[Path, Any]

# Lists that are maps: the last segment of their path, and the keys that name an item.
_LIST_MAPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "containers": (("name",),),
    "initContainers": (("name",),),
    "env": (("name",),),
    "volumes": (("name",),),
    "volumeMounts": (("mountPath",),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "conditions": (("type",),),
}
_DEFAULTS = {"protocol": "TCP"}
# What identifies an object is owned by nobody.
_IDENTITY: frozenset[Path] = frozenset(
    {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}
)


def flatten(body: Mapping[str, Any]) -> Leaves:
    """Give each leaf by its path."""
    return dict(_leaves((), body))


def owned_part(leaves: Mapping[Path, Any]) -> Leaves:
    """Leave out what nobody owns."""
    return {
        path: value
        for path, value in leaves.items()
        if path not in _IDENTITY and path[0] != "status"
    }


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
        return
    names = _keys_of(path, value)
    if names is None:
        yield path, value
        return
    for item in value:
        key = {name: item.get(name, _DEFAULTS.get(name)) for name in names}
        yield from _leaves((*path, "k:" + json.dumps(key, sort_keys=True)), {**key, **item})


def _keys_of(path: Path, value: Any) -> tuple[str, ...] | None:
    if not (isinstance(value, list) and value and path and all(isinstance(i, dict) for i in value)):
        return None
    for names in _LIST_MAPS.get(path[-1], ()):
        if all(item.get(name, _DEFAULTS.get(name)) is not None for item in value for name in names):
            return names
    return None


def unflatten(leaves: Mapping[Path, Any]) -> dict[str, Any]:
    """Give the object of these leaves."""
    tree: dict[str, Any] = {}
    for path, value in leaves.items():
        here = tree
        for segment in path[:-1]:
            inner = here.setdefault(segment, {})
            here = inner if isinstance(inner, dict) else here.setdefault(segment, {})
        here[path[-1]] = value
    built: dict[str, Any] = _listed(tree)
    return built


def _listed(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.startswith("k:") for key in tree):
        return [_listed(item) for item in tree.values()]
    return {key: _listed(item) for key, item in tree.items()}


def written(path: Path) -> str:
    """Write a path as the server does in a conflict: `.spec.replicas`."""
    text = ""
    for segment in path:
        if segment.startswith("k:"):
            keys = json.loads(segment[2:])
            text += "[" + ",".join(f"{k}={json.dumps(v)}" for k, v in keys.items()) + "]"
        else:
            text += f".{segment}"
    return text


def fields_v1(paths: Iterator[Path] | frozenset[Path]) -> dict[str, Any]:
    """Give paths in the form of `managedFields`."""
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        here = tree
        for segment in path:
            name = segment if segment.startswith("k:") else f"f:{segment}"
            here = here.setdefault(name, {})
    return tree
