"""The controllers of the stand-in: each step of a rollout as it was seen on a real cluster.

A step is one look of the controller manager; a test asks for the next one, so nothing sleeps.
Which ending a workload gets, its image says: `broken` never becomes available.
"""

from collections.abc import Iterator
from typing import Any

from tests.k8s_store import Store, Stored

Body = dict[str, Any]


class Controllers:
    """Drive Deployments and Jobs, one step at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._plays: dict[tuple[str, str], tuple[tuple[str, int], Iterator[Body]]] = {}

    def step(self) -> None:
        """Let each controller look once."""
        with self._store.lock:
            for (plural, namespace, name), stored in list(self._store.objects.items()):
                if plural in ("deployments", "jobs"):
                    self._play((namespace, f"{plural}/{name}"), stored)

    def settle(self) -> None:
        """Step until nothing moves any more."""
        for _ in range(20):
            self.step()

    def _play(self, key: tuple[str, str], stored: Stored) -> None:
        generation = (stored.body["metadata"]["uid"], stored.body["metadata"]["generation"])
        known = self._plays.get(key)
        if known is None or known[0] != generation:
            scenes = _job(stored) if stored.kind.kind == "Job" else self._deployment(stored)
            known = self._plays[key] = (generation, scenes)
            # One look passes before a controller has seen what is new.
            return
        scene = next(known[1], None)
        if scene is not None:
            self._store.set_status(stored, lambda status: status.update(scene))

    def _deployment(self, stored: Stored) -> Iterator[Body]:
        body = stored.body
        wanted = body["spec"].get("replicas", 1)
        seen = {"observedGeneration": body["metadata"]["generation"]}
        moving = _condition("Progressing", "ReplicaSetUpdated", is_true=True)
        old = int(stored.body.get("status", {}).get("availableReplicas", 0))
        begun = _condition("Progressing", "NewReplicaSetCreated", is_true=True)
        yield _counts(updated=0, total=old, available=old) | seen | {"conditions": [begun]}
        if self._is_forbidden(stored):
            failed = _condition("ReplicaFailure", "FailedCreate", is_true=True)
            yield seen | {"conditions": [moving, failed]}
            return
        yield _counts(updated=1, total=old + 1, available=old) | seen | {"conditions": [moving]}
        if "broken" in _image(body):
            late = _condition("Progressing", "ProgressDeadlineExceeded", is_true=False)
            yield seen | {
                "conditions": [late, _condition("Available", "MinimumReplicas", is_true=True)]
            }
            return
        for count in range(1, wanted + 1):
            total = max(wanted, old + 1) if count < wanted else wanted
            yield _counts(updated=count, total=total, available=count) | seen
        done = _condition("Progressing", "NewReplicaSetAvailable", is_true=True)
        yield (
            _counts(updated=wanted, total=wanted, available=wanted) | seen | {"conditions": [done]}
        )

    def _is_forbidden(self, stored: Stored) -> bool:
        namespace = self._store.objects["namespaces", "", stored.body["metadata"]["namespace"]]
        labels = namespace.body["metadata"].get("labels") or {}
        pod = stored.body["spec"]["template"]["spec"]
        may_be_root = (pod.get("securityContext") or {}).get("runAsNonRoot") is not True
        return labels.get("pod-security.kubernetes.io/enforce") == "restricted" and may_be_root


def _job(stored: Stored) -> Iterator[Body]:
    yield {"active": 1}
    if "broken" in _image(stored.body):
        yield {
            "active": 0,
            "conditions": [_condition("Failed", "BackoffLimitExceeded", is_true=True)],
        }
    else:
        yield {
            "active": 0,
            "succeeded": 1,
            "conditions": [_condition("Complete", "", is_true=True)],
        }


def _image(body: Body) -> str:
    return str(body["spec"]["template"]["spec"]["containers"][0]["image"])


def _counts(*, updated: int, total: int, available: int) -> Body:
    return {"updatedReplicas": updated, "replicas": total, "availableReplicas": available}


def _condition(kind: str, reason: str, *, is_true: bool) -> Body:
    status = "True" if is_true else "False"
    return {"type": kind, "status": status, "reason": reason, "message": f"{kind} {reason}"}
