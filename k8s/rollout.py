"""How far a rollout is, read from what its controller says; nothing here waits or asks.

A controller speaks of the generation that it has seen. Until that is the one we applied, all that
it says, even a failure, is about the release before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from k8s.manifests import Manifest


class Phase(StrEnum):
    """What there is to do about a rollout."""

    MOVING = "moving"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far one workload is; `detail` is for people."""

    phase: Phase
    detail: str
    done: int = 0
    wanted: int = 1


def progress_of(workload: Manifest) -> Progress:
    """Judge a Deployment or a Job as its cluster shows it."""
    return _job(workload) if workload.kind == "Job" else _deployment(workload)


def _deployment(workload: Manifest) -> Progress:
    status: dict[str, Any] = workload.body.get("status") or {}
    wanted = int(workload.spec.get("replicas", 1))
    seen, generation = status.get("observedGeneration", 0), workload.metadata.get("generation", 0)
    if seen < generation:
        return Progress(phase=Phase.MOVING, detail="not seen by its controller yet", wanted=wanted)
    if (why := _failure(status)) is not None:
        return Progress(phase=Phase.FAILED, detail=why, wanted=wanted)
    counts = {name: int(status.get(name) or 0) for name in _COUNTS}
    updated, total, available = (counts[name] for name in _COUNTS)
    if updated == total == available == wanted:
        return Progress(phase=Phase.DONE, detail="available", done=wanted, wanted=wanted)
    detail = f"{updated} of {wanted} updated, {available} available, {total - updated} old"
    return Progress(phase=Phase.MOVING, detail=detail, done=min(updated, available), wanted=wanted)


_COUNTS = ("updatedReplicas", "replicas", "availableReplicas")


def _failure(status: Mapping[str, Any]) -> str | None:
    for condition in status.get("conditions") or ():
        kind, is_true = condition.get("type"), condition.get("status") == "True"
        stalled = kind == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded"
        if (kind == "ReplicaFailure" and is_true) or (stalled and not is_true):
            return f"{condition.get('reason')}: {condition.get('message')}"
    return None


def _job(workload: Manifest) -> Progress:
    status: dict[str, Any] = workload.body.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("status") != "True":
            continue
        if condition.get("type") == "Complete":
            return Progress(phase=Phase.DONE, detail="complete", done=1)
        if condition.get("type") in ("Failed", "FailureTarget"):
            why = f"{condition.get('reason')}: {condition.get('message')}"
            return Progress(phase=Phase.FAILED, detail=why)
    return Progress(phase=Phase.MOVING, detail=f"{status.get('active', 0)} running")
