"""Pods that an API server refuses: resources, probes, mounts, contradictions of privilege."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from k8s.manifests import Manifest
from k8s.rules.quantities import InvalidQuantity, quantity

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PLAIN_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_POLICIES = frozenset({"DoNotSchedule", "ScheduleAnyway"})


def containers(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """Give all containers of what makes pods."""
    pod = manifest.pod or {}
    yield from pod.get("initContainers") or ()
    yield from pod.get("containers") or ()


def resources_are_known_amounts(manifest: Manifest) -> Iterator[str]:
    """Refuse unknown names, texts that are no amounts, and limits below requests."""
    for container in containers(manifest):
        described = container.get("resources") or {}
        for part in ("requests", "limits"):
            for name, text in (described.get(part) or {}).items():
                yield from _amount_faults(f"{container.get('name')} {part}.{name}", name, text)
        yield from _lower_limits(container)


def _amount_faults(where: str, name: str, text: object) -> Iterator[str]:
    if name not in _PLAIN_RESOURCES and not name.startswith("hugepages-") and "/" not in name:
        yield f"{where}: there is no such resource"
    try:
        quantity(text)
    except InvalidQuantity as exc:
        yield f"{where}: {exc}"


def _lower_limits(container: Mapping[str, Any]) -> Iterator[str]:
    described = container.get("resources") or {}
    requests, limits = described.get("requests") or {}, described.get("limits") or {}
    for name in sorted(set(requests) & set(limits)):
        try:
            is_lower = quantity(limits[name]) < quantity(requests[name])
        except InvalidQuantity:
            continue  # The rule of amounts has told it.
        if is_lower:
            yield f"{container.get('name')}: the limit of {name} is below its request"


def probes_have_one_handler(manifest: Manifest) -> Iterator[str]:
    """Refuse probes with no handler or with several."""
    for container in containers(manifest):
        for name in _PROBES:
            if (probe := container.get(name)) is not None:
                count = sum(handler in probe for handler in _HANDLERS)
                if count != 1:
                    yield f"{container.get('name')} {name}: {count} handlers, and one is needed"


def mounts_have_volumes(manifest: Manifest) -> Iterator[str]:
    """Refuse mounts of volumes that the pod does not have."""
    known = {volume.get("name") for volume in (manifest.pod or {}).get("volumes") or ()}
    for container in containers(manifest):
        for mount in container.get("volumeMounts") or ():
            if mount.get("name") not in known:
                yield f"{container.get('name')}: no volume is called {mount.get('name')!r}"


def privilege_is_not_contradicted(manifest: Manifest) -> Iterator[str]:
    """Refuse privileged containers that may not escalate."""
    for container in containers(manifest):
        context = container.get("securityContext") or {}
        if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
            yield f"{container.get('name')}: privileged, and forbidden to escalate"


def names_are_unique(manifest: Manifest) -> Iterator[str]:
    """Refuse two containers, variables or ports of one name."""
    names = [container.get("name") for container in containers(manifest)]
    if len(names) != len(set(names)):
        yield "two containers have one name"


def spread_is_possible(manifest: Manifest) -> Iterator[str]:
    """Refuse spread constraints that mean nothing."""
    for constraint in (manifest.pod or {}).get("topologySpreadConstraints") or ():
        skew = constraint.get("maxSkew")
        if not isinstance(skew, int) or skew < 1:
            yield f"spread over {constraint.get('topologyKey')}: maxSkew must be 1 or more"
        if constraint.get("whenUnsatisfiable") not in _POLICIES:
            yield f"spread over {constraint.get('topologyKey')}: unknown whenUnsatisfiable"


RULES: tuple[Callable[[Manifest], Iterator[str]], ...] = (
    resources_are_known_amounts,
    probes_have_one_handler,
    mounts_have_volumes,
    privilege_is_not_contradicted,
    names_are_unique,
    spread_is_possible,
)
