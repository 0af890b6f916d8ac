"""A stage's quota holds all that its scalers may ask for, in the middle of a rollout.

A rollout that meets the quota fails just when most pods are needed, and is taken back.
"""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal

from k8s.manifests import Manifest
from k8s.rules.pods import containers
from k8s.rules.quantities import quantity


def too_small_quotas(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Give each bound of a quota that the most pods of the stage would break."""
    needed = dict(_needed(manifests))
    for quota in (it for it in manifests if it.kind == "ResourceQuota"):
        for name, bound in (quota.spec.get("hard") or {}).items():
            if needed.get(name, Decimal(0)) > quantity(bound):
                yield f"the quota has {bound} of {name}, and all scalers may ask for {needed[name]}"


def _needed(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Decimal]]:
    counts = {it.name: _most(it, manifests) for it in manifests if it.pod is not None}
    yield "pods", Decimal(sum(counts.values()))
    for kind in ("requests", "limits"):
        for resource in ("cpu", "memory"):
            amounts = (
                quantity(given[resource]) * counts[workload.name]
                for workload in manifests
                if workload.pod is not None
                for container in containers(workload)
                if resource in (given := (container.get("resources") or {}).get(kind) or {})
            )
            yield f"{kind}.{resource}", sum(amounts, Decimal(0))


def _most(workload: Manifest, manifests: Sequence[Manifest]) -> int:
    """Count a workload's pods when it is scaled out and rolled over at once."""
    if workload.kind != "Deployment":
        return 1
    bounds = [
        it.spec.get("maxReplicas") or it.spec.get("maxReplicaCount") or 1
        for it in manifests
        if it.kind in ("HorizontalPodAutoscaler", "ScaledObject")
        and it.spec["scaleTargetRef"]["name"] == workload.name
    ]
    most = max(bounds, default=1)
    surge = str((workload.spec.get("strategy") or {}).get("rollingUpdate", {}).get("maxSurge", 0))
    more = most * float(surge.removesuffix("%")) / 100 if surge.endswith("%") else float(surge)
    return int(most) + math.ceil(more)
