"""Workloads that an API server refuses: selectors that do not select their own pods."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from k8s.manifests import Manifest

_SELECTING = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a label selector takes these labels; an empty one takes all."""
    wanted: Mapping[str, str] = (selector or {}).get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_meets(it, labels) for it in (selector or {}).get("matchExpressions") or ())


def _meets(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def labels_of_pods(manifest: Manifest) -> dict[str, str]:
    """Give the labels of the pods that a workload makes."""
    template = manifest.spec.get("template") or {}
    return dict((template.get("metadata") or {}).get("labels") or {})


def selector_takes_own_pods(manifest: Manifest) -> Iterator[str]:
    """Refuse a selector that does not match the template's labels."""
    if manifest.kind not in _SELECTING:
        return
    selector = manifest.spec.get("selector")
    if not selector:
        yield "a selector is needed"
    elif not selects(selector, labels_of_pods(manifest)):
        yield "the selector does not match the labels of the template"


def rollout_can_move(manifest: Manifest) -> Iterator[str]:
    """Refuse a rolling update that may neither add nor take away a pod."""
    if manifest.kind != "Deployment":
        return
    rolling = (manifest.spec.get("strategy") or {}).get("rollingUpdate") or {}
    if all(str(rolling.get(name, "25%")) in ("0", "0%") for name in ("maxSurge", "maxUnavailable")):
        yield "maxSurge and maxUnavailable are both 0"


def deadline_is_after_ready(manifest: Manifest) -> Iterator[str]:
    """Refuse a progress deadline that ends before a pod may count as available."""
    if manifest.kind != "Deployment":
        return
    spec = manifest.spec
    if spec.get("progressDeadlineSeconds", 600) <= spec.get("minReadySeconds", 0):
        yield "progressDeadlineSeconds must be greater than minReadySeconds"


def job_pods_end(manifest: Manifest) -> Iterator[str]:
    """Refuse a Job whose pods are restarted for ever."""
    if manifest.kind == "Job":
        policy = (manifest.pod or {}).get("restartPolicy", "Always")
        if policy not in ("Never", "OnFailure"):
            yield f"the restartPolicy of a Job cannot be {policy}"


RULES: tuple[Callable[[Manifest], Iterator[str]], ...] = (
    selector_takes_own_pods,
    rollout_can_move,
    deadline_is_after_ready,
    job_pods_end,
)
