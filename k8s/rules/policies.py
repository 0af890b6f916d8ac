"""Budgets, scalers and services that an API server refuses."""

import re
from collections.abc import Callable, Iterator

from k8s.manifests import Manifest

_LABEL = re.compile(r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")
_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")


def budget_says_one_thing(manifest: Manifest) -> Iterator[str]:
    """Refuse a budget with both bounds."""
    both = {"minAvailable", "maxUnavailable"} <= set(manifest.spec)
    if manifest.kind == "PodDisruptionBudget" and both:
        yield "minAvailable and maxUnavailable exclude each other"


def scaler_has_bounds(manifest: Manifest) -> Iterator[str]:
    """Refuse a scaler to zero without an outside metric, and bounds the wrong way round."""
    if manifest.kind != "HorizontalPodAutoscaler":
        return
    least, most = manifest.spec.get("minReplicas", 1), manifest.spec.get("maxReplicas", 0)
    kinds = {metric.get("type") for metric in manifest.spec.get("metrics") or ()}
    if least < 0 or (least == 0 and not kinds & {"Object", "External"}):
        yield "minReplicas of 0 needs an Object or External metric"
    if most < max(least, 1):
        yield "maxReplicas is below minReplicas"


def ports_are_named(manifest: Manifest) -> Iterator[str]:
    """Refuse a service of several ports that are not told apart."""
    if manifest.kind != "Service":
        return
    ports = manifest.spec.get("ports") or ()
    names = [port.get("name") for port in ports]
    if len(ports) > 1 and not all(names):
        yield "each of several ports needs a name"
    for name in filter(None, names):
        if not _LABEL.match(str(name)):
            yield f"the port's name {name!r} is not in lower case letters, digits and dashes"
    if len(names) != len(set(names)) and all(names):
        yield "two ports have one name"


def name_is_legal(manifest: Manifest) -> Iterator[str]:
    """Refuse names that no object may have; a service's is a label of DNS."""
    form = _LABEL if manifest.kind in ("Service", "Namespace") else _SUBDOMAIN
    if not form.match(manifest.name):
        yield f"the name {manifest.name!r} is not legal"


RULES: tuple[Callable[[Manifest], Iterator[str]], ...] = (
    budget_says_one_thing,
    scaler_has_bounds,
    ports_are_named,
    name_is_legal,
)
