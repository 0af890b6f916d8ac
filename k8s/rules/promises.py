"""What Comanda asks of each of its own objects, though a cluster would take less."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from k8s.manifests import Manifest
from k8s.rules.pods import containers

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
# A worker finishes what is in hand, hands back the rest, and publishes; see `workers.runtime`.
_GRACE = {"worker": 35, "api": 20}


def image_cannot_change(manifest: Manifest) -> Iterator[str]:
    """Ask for images by digest."""
    for container in containers(manifest):
        if not _DIGEST.search(str(container.get("image"))):
            yield f"{container['name']}: the image is not named by digest"


def scaler_owns_the_number(manifest: Manifest) -> Iterator[str]:
    """Ask for no `replicas`: an apply would take the number from the scaler."""
    if manifest.kind == "Deployment" and "replicas" in manifest.spec:
        yield "a scaler owns the number of replicas"


def memory_is_bounded_and_cpu_is_not(manifest: Manifest) -> Iterator[str]:
    """Ask for requests of both, a limit of memory, and none of CPU."""
    for container in containers(manifest):
        described = container.get("resources") or {}
        requests, limits = described.get("requests") or {}, described.get("limits") or {}
        if not {"cpu", "memory"} <= set(requests):
            yield f"{container['name']}: requests of cpu and memory are needed"
        if "memory" not in limits:
            yield f"{container['name']}: a limit of memory is needed"
        if "cpu" in limits:
            yield f"{container['name']}: a limit of CPU throttles a pod while cores are idle"


def pod_is_restricted(manifest: Manifest) -> Iterator[str]:
    """Ask for what Pod Security *restricted* asks, a read-only root, and no token."""
    pod = manifest.pod
    if pod is None:
        return
    context = pod.get("securityContext") or {}
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        yield "the pod must run as a user who is not root"
    if (context.get("seccompProfile") or {}).get("type") != "RuntimeDefault":
        yield "the seccomp profile must be RuntimeDefault"
    if pod.get("automountServiceAccountToken") is not False:
        yield "no workload of ours talks to the cluster, so none gets a token"
    if any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        yield "the pod must not share the host's namespaces"
    for container in containers(manifest):
        yield from _container_faults(container)


def _container_faults(container: dict[str, Any]) -> Iterator[str]:
    context = container.get("securityContext") or {}
    if context.get("readOnlyRootFilesystem") is not True:
        yield f"{container['name']}: the root file system must be read-only"
    if context.get("allowPrivilegeEscalation") is not False:
        yield f"{container['name']}: privileges must not escalate"
    if (context.get("capabilities") or {}).get("drop") != ["ALL"]:
        yield f"{container['name']}: all capabilities must be dropped"


def pod_leaves_in_good_order(manifest: Manifest) -> Iterator[str]:
    """Ask for a grace period that is longer than the program's own."""
    if manifest.kind != "Deployment":
        return
    pod = manifest.pod or {}
    role = manifest.name.rpartition("-")[2]
    pause = max((_pause_of(container) for container in containers(manifest)), default=0)
    needed = _GRACE.get(role, 0) + pause
    if pod.get("terminationGracePeriodSeconds", 30) < needed:
        yield f"the grace period must be {needed} s or more"
    if role == "api" and pause < 5:
        yield "a balancer needs some seconds to look away: preStop must sleep 5 s or more"


def _pause_of(container: dict[str, Any]) -> int:
    stop = (container.get("lifecycle") or {}).get("preStop") or {}
    return int((stop.get("sleep") or {}).get("seconds", 0))


def probes_mean_something(manifest: Manifest) -> Iterator[str]:
    """Ask for liveness by the loop, readiness by the store, and no probe that starts Python."""
    if manifest.kind != "Deployment":
        return
    for container in containers(manifest):
        for name, path in (("livenessProbe", "/health/live"), ("readinessProbe", "/health/ready")):
            asked = ((container.get(name) or {}).get("httpGet") or {}).get("path")
            if asked != path:
                yield f"{container['name']} {name}: must ask {path}"
        if "startupProbe" not in container:
            yield f"{container['name']}: a startup probe is needed"


def rollout_is_careful(manifest: Manifest) -> Iterator[str]:
    """Ask for rollouts that take nothing away first, and that end."""
    if manifest.kind != "Deployment":
        return
    rolling = (manifest.spec.get("strategy") or {}).get("rollingUpdate") or {}
    if rolling.get("maxUnavailable") != 0:
        yield "a rollout must not take a pod away before its successor is ready"
    if "progressDeadlineSeconds" not in manifest.spec:
        yield "a rollout needs a deadline"
    keys = {it["topologyKey"] for it in (manifest.pod or {}).get("topologySpreadConstraints", ())}
    if not {"topology.kubernetes.io/zone", "kubernetes.io/hostname"} <= keys:
        yield "pods must spread over zones and hosts"


def budget_lets_nodes_drain(manifest: Manifest) -> Iterator[str]:
    """Ask for a budget that never stops a drain for good."""
    if manifest.kind == "PodDisruptionBudget":
        if manifest.spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield "pods that are not ready must not keep a node"
        if manifest.spec.get("maxUnavailable") != 1:
            yield "one pod at a time may leave"


RULES: tuple[Callable[[Manifest], Iterator[str]], ...] = (
    image_cannot_change,
    scaler_owns_the_number,
    memory_is_bounded_and_cpu_is_not,
    pod_is_restricted,
    pod_leaves_in_good_order,
    probes_mean_something,
    rollout_is_careful,
    budget_lets_nodes_drain,
)
