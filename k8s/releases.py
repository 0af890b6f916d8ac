"""Releases are kept in the cluster itself, so that any machine can roll back.

A release is a Secret `release-<n>` with all its manifests, compressed. The last ones stay. Rolling
back applies an older release's manifests again under the same field manager; `kubectl rollout undo`
would own the fields afterwards, and the next apply would conflict.
"""

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from k8s.cluster import Cluster, Selection
from k8s.manifests import Manifest, dump, parse

KEPT = 6
_LABEL = "comanda/release"
_STATUS = "comanda/release-status"


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """What was applied, when, and how it ended: `applying`, `complete` or `failed`."""

    number: int
    status: str
    applied_at: datetime
    manifests: tuple[Manifest, ...]

    @property
    def image(self) -> str:
        """Give the image of the first workload, which is that of all."""
        for manifest in self.manifests:
            for container in (manifest.pod or {}).get("containers") or ():
                return str(container["image"])
        return "none"


class Releases:
    """The releases of one namespace."""

    def __init__(self, cluster: Cluster, *, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def all(self) -> tuple[Release, ...]:
        """Give those that are kept, the oldest first."""
        found = self._cluster.list(
            Selection(api_version="v1", kind="Secret", namespace=self._namespace, labels=_LABEL)
        )
        return tuple(sorted((_read(secret) for secret in found), key=lambda it: it.number))

    def save(self, release: Release) -> None:
        """Write a release, or how it ended; forget the oldest."""
        self._cluster.apply(_written(release, namespace=self._namespace))
        for old in self.all()[:-KEPT]:
            secret = _written(old, namespace=self._namespace)
            self._cluster.delete(secret.key, api_version="v1")


def next_release(
    known: Sequence[Release], *, manifests: Sequence[Manifest], now: datetime
) -> Release:
    """Make the release that follows these."""
    number = known[-1].number + 1 if known else 1
    return Release(number=number, status="applying", applied_at=now, manifests=tuple(manifests))


def _written(release: Release, *, namespace: str) -> Manifest:
    packed = gzip.compress(dump(release.manifests).encode(), mtime=0)
    return Manifest(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "comanda/release",
            "metadata": {
                "name": f"release-{release.number}",
                "namespace": namespace,
                "labels": {_LABEL: str(release.number), _STATUS: release.status},
                "annotations": {"comanda/applied-at": release.applied_at.isoformat()},
            },
            "data": {"manifests": base64.b64encode(packed).decode()},
        }
    )


def _read(secret: Manifest) -> Release:
    packed = base64.b64decode(secret.body["data"]["manifests"])
    labels, notes = secret.metadata["labels"], secret.metadata.get("annotations") or {}
    written = notes.get("comanda/applied-at")
    return Release(
        number=int(labels[_LABEL]),
        status=labels[_STATUS],
        applied_at=datetime.fromisoformat(written) if written else datetime.fromtimestamp(0, UTC),
        manifests=parse(gzip.decompress(packed).decode()),
    )
