"""Whole releases on a cluster: small ones to apply, a deployer, and what it said."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from k8s.deploying import Deployer, Listener, Options
from k8s.manifests import Manifest
from k8s.releases import Releases
from tests.k8s_bed import DIGEST, Bed, bed

NEXT = DIGEST.replace("1" * 64, "2" * 64)
BROKEN = DIGEST.replace("registry.example/comanda", "registry.example/broken")


@pytest.fixture
def cluster_bed(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path) as opened:
        yield opened


class Told:
    """Keep what a deployer said."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.progress: list[str] = []

    @property
    def listener(self) -> Listener:
        return Listener(
            step=self.steps.append,
            progress=lambda workload, now: self.progress.append(f"{workload.name}: {now.detail}"),
        )


def deployer(opened: Bed, told: Told | None = None, *, now: datetime | None = None) -> Deployer:
    return Deployer(
        opened.cluster,
        namespace=opened.namespace,
        listener=(told or Told()).listener,
        clock=lambda: now or datetime.now(UTC),
    )


def release_of(
    opened: Bed, *, image: str = DIGEST, migration: str = DIGEST
) -> tuple[Manifest, ...]:
    """Give a small release: a namespace, settings, a migration and two workloads."""
    job = opened.object(
        "batch/v1",
        "Job",
        "migrate",
        spec={
            "backoffLimit": 0,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{"name": "app", "image": migration}],
                }
            },
        },
    )
    settings = opened.object("v1", "ConfigMap", "settings", data={"image": image})
    web, worker = opened.deployment(image=image), opened.deployment("worker", image=image)
    return (worker, web, job, settings, opened.namespace_object())


def options(opened: Bed, **changes: object) -> Options:
    return replace(Options(patience=opened.patience), **changes)  # type: ignore[arg-type]


def image_of(opened: Bed, name: str = "web") -> str:
    live = opened.cluster.get(opened.deployment(name))
    assert live is not None
    return str((live.pod or {})["containers"][0]["image"])


def statuses(opened: Bed) -> list[tuple[int, str]]:
    kept = Releases(opened.cluster, namespace=opened.namespace).all()
    return [(release.number, release.status) for release in kept]


def take_over(opened: Bed) -> None:
    """Change our settings as `kubectl edit` would."""
    assert opened.server is not None
    store = opened.server.store
    kind = next(it for it in opened.server.kinds if it.kind == "ConfigMap")
    body = deepcopy(store.get(kind, opened.namespace, "settings").body)
    body["data"]["image"] = "by hand"
    store.update(kind, opened.namespace, "settings", body, manager="kubectl-edit")
