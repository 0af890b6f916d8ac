"""Addresses inside of the cluster lead to a service, and policies at both ends let the caller in.

A policy that forgets one end lets connections time out, which no schema and no API server sees.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from k8s.manifests import Manifest
from k8s.rules.pods import containers
from k8s.rules.workloads import labels_of_pods, selects

Objects = Sequence[Manifest]
Labels = Mapping[str, str]
# A bare name, without dots, is a service of the same namespace.
_INSIDE = re.compile(r"http://([a-z][a-z0-9-]*):(\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """Who calls whom at which port."""

    caller: str
    callee: str
    port: int


def closed_doors(manifests: Objects) -> Iterator[str]:
    """Give each address that a pod is told and cannot reach."""
    for door in doors(manifests):
        why = _why_closed(door, manifests)
        if why:
            yield f"{door.caller} is told of {door.callee}:{door.port}, and {why}"


def doors(manifests: Objects) -> tuple[Door, ...]:
    """Give all addresses inside of the cluster that workloads find in their environment."""
    maps = {it.name: it.body.get("data") or {} for it in manifests if it.kind == "ConfigMap"}
    return tuple(
        Door(caller=workload.name, callee=name, port=int(port))
        for workload in manifests
        if workload.pod is not None
        for text in _told(workload, maps)
        for name, port in _INSIDE.findall(text)
    )


def _told(workload: Manifest, maps: Mapping[str, Labels]) -> Iterator[str]:
    for container in containers(workload):
        for source in container.get("envFrom") or ():
            yield from maps.get((source.get("configMapRef") or {}).get("name", ""), {}).values()
        yield from (it["value"] for it in container.get("env") or () if "value" in it)


def _why_closed(door: Door, manifests: Objects) -> str:
    services = {it.name: it for it in manifests if it.kind == "Service"}
    service = services.get(door.callee)
    if service is None:
        return "there is no such service"
    if door.port not in {port["port"] for port in service.spec.get("ports") or ()}:
        return "the service has no such port"
    selector = {"matchLabels": service.spec.get("selector") or {}}
    pods = {it.name: labels_of_pods(it) for it in manifests if it.kind == "Deployment"}
    behind = [labels for labels in pods.values() if selects(selector, labels)]
    caller = labels_of_pods(next(it for it in manifests if it.name == door.caller and it.pod))
    policies = [it for it in manifests if it.kind == "NetworkPolicy"]
    for labels in behind:
        if not _opens(policies, of=caller, to=labels, port=door.port, way="egress"):
            return "its own policies do not let it out"
        if not _opens(policies, of=labels, to=caller, port=door.port, way="ingress"):
            return "the policies there do not let it in"
    return "" if behind else "nobody is behind it"


def _opens(policies: Objects, *, of: Labels, to: Labels, port: int, way: str) -> bool:
    """Tell whether a policy of the pods `of` opens the port for the pods `to`."""
    peers = "to" if way == "egress" else "from"
    return any(
        port in {it.get("port") for it in rule.get("ports") or ()}
        and any(_is_pod(peer, to) for peer in rule.get(peers) or ())
        for policy in policies
        if selects(policy.spec.get("podSelector"), of)
        for rule in policy.spec.get(way) or ()
    )


def _is_pod(peer: Mapping[str, Any], labels: Labels) -> bool:
    # Together with a namespace's selector it would speak of other namespaces.
    is_near = "podSelector" in peer and "namespaceSelector" not in peer
    return is_near and selects(peer["podSelector"], labels)
