"""What only several objects together, or the topology, can be wrong about."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from comanda.settings import topology
from k8s.manifests import Manifest
from k8s.rules import doors, room
from k8s.rules.pods import containers
from k8s.rules.workloads import labels_of_pods, selects

Objects = Sequence[Manifest]


def faults(manifests: Objects) -> Iterator[str]:
    """Give all that is wrong with these objects as a whole."""
    yield from _missing_workloads(manifests)
    yield from _missing_companions(manifests)
    yield from _scalers(manifests)
    yield from _dangling_references(manifests)
    yield from _services(manifests)
    yield from _egress(manifests)
    yield from _namespaces(manifests)
    yield from doors.closed_doors(manifests)
    yield from room.too_small_quotas(manifests)


def _of(manifests: Objects, *kinds: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest.kind in kinds]


def _missing_workloads(manifests: Objects) -> Iterator[str]:
    """Every context with a queue has an API and a worker; with a database, a migration."""
    names = {manifest.name for manifest in _of(manifests, "Deployment", "Job")}
    for context, described in topology()["contexts"].items():
        if "queue" not in described:
            continue
        wanted = {f"{context}-api", f"{context}-worker"}
        wanted |= {f"{context}-migrate"} if "database" in described else set()
        for name in sorted(wanted - names):
            yield f"the topology has {context}, and there is no {name}"
    if "console-api" not in names:
        yield "there are no screens: console-api is missing"


def _missing_companions(manifests: Objects) -> Iterator[str]:
    for deployment in _of(manifests, "Deployment"):
        labels = labels_of_pods(deployment)
        for kind, path in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
            own = [it for it in _of(manifests, kind) if (it.spec.get(path) or {}) != {}]
            if not any(selects(it.spec[path], labels) for it in own):
                yield f"{deployment.name} has no {kind} of its own"
    denying = [it for it in _of(manifests, "NetworkPolicy") if not it.spec.get("podSelector")]
    if not any(set(it.spec.get("policyTypes", ())) == {"Ingress", "Egress"} for it in denying):
        yield "no policy denies by default, both ways"


def _scalers(manifests: Objects) -> Iterator[str]:
    owners: dict[str, list[str]] = {}
    for scaler in _of(manifests, "HorizontalPodAutoscaler", "ScaledObject"):
        owners.setdefault(scaler.spec["scaleTargetRef"]["name"], []).append(scaler.kind)
    for deployment in _of(manifests, "Deployment"):
        found = owners.pop(deployment.name, [])
        if len(found) != 1:
            yield f"{deployment.name} has {len(found)} scalers, and one is needed"
    for name in sorted(owners):
        yield f"a scaler scales {name}, which is not there"


def _dangling_references(manifests: Objects) -> Iterator[str]:
    known = {(manifest.kind, manifest.name) for manifest in manifests}
    for workload in manifests:
        pod = workload.pod
        if pod is None:
            continue
        if ("ServiceAccount", pod.get("serviceAccountName")) not in known:
            yield f"{workload.name}: no such service account"
        if ("PriorityClass", pod.get("priorityClassName")) not in known:
            yield f"{workload.name}: no such priority class"
        for container in containers(workload):
            for name in _config_maps(container):
                if ("ConfigMap", name) not in known:
                    yield f"{workload.name}: no ConfigMap is called {name}"


def _services(manifests: Objects) -> Iterator[str]:
    """A service and its pods speak of one port, or EKS's network policies lose the connection."""
    deployments = _of(manifests, "Deployment")
    for service in _of(manifests, "Service"):
        selector = {"matchLabels": service.spec.get("selector") or {}}
        behind = [it for it in deployments if selects(selector, labels_of_pods(it))]
        if not behind:
            yield f"the service {service.name} leads to nobody"
        ports = {
            port["name"]: port["containerPort"]
            for workload in behind
            for container in containers(workload)
            for port in container.get("ports") or ()
        }
        for port in service.spec["ports"]:
            if behind and ports.get(port["targetPort"]) != port["port"]:
                yield f"the service {service.name} has port {port['port']}, and its pods another"


def _config_maps(container: Mapping[str, Any]) -> Iterator[str]:
    for source in container.get("envFrom") or ():
        if "configMapRef" in source:
            yield source["configMapRef"]["name"]


def _egress(manifests: Objects) -> Iterator[str]:
    """What a context needs is open, and a database is open only to those who have one."""
    for workload in _of(manifests, "Deployment", "Job"):
        context = workload.name.rpartition("-")[0]
        described = topology()["contexts"].get(context, {})
        ports = _open_ports(manifests, labels_of_pods(workload))
        # Credentials come from the agent of Pod Identity, on port 80.
        needed = {53, 80, 443} if workload.kind == "Deployment" else {53, 80}
        needed |= {5432} if "database" in described else set()
        # The screens alone ask other pods: APIs, and workers how they are.
        needed |= {8080, 9090} if context == "console" else set()
        needed |= {4318} if _makes_spans(workload) else set()
        if ports != needed:
            yield f"{workload.name}: opens {sorted(ports)} outwards, and needs {sorted(needed)}"


def _makes_spans(workload: Manifest) -> bool:
    told = (it for container in containers(workload) for it in container.get("env") or ())
    return any(it["name"] == "OTEL_SERVICE_NAME" for it in told)


def _open_ports(manifests: Objects, labels: Mapping[str, str]) -> set[int]:
    return {
        port["port"]
        for policy in _of(manifests, "NetworkPolicy")
        if selects(policy.spec.get("podSelector"), labels)
        for rule in policy.spec.get("egress") or ()
        for port in rule.get("ports") or ()
    }


def _namespaces(manifests: Objects) -> Iterator[str]:
    for namespace in _of(manifests, "Namespace"):
        labels = namespace.metadata.get("labels") or {}
        if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"the namespace {namespace.name} is not at Pod Security restricted"
    known = {namespace.name for namespace in _of(manifests, "Namespace")}
    for manifest in manifests:
        if manifest.namespace and manifest.namespace not in known:
            yield f"{manifest.key} lies in a namespace that is not made here"
