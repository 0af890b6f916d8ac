"""A cluster for a test: the stand-in, or the one of `KUBECONFIG` when COMANDA_TEST_CLUSTER is 1.

Two variables, for `KUBECONFIG` alone may lead to production, and `make test` must never go there.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from k8s.cluster import KubernetesCluster, Selection, connect
from k8s.manifests import Manifest
from k8s.waiting import Patience
from tests.k8s_server import FakeApiServer, running, write_kubeconfig

IS_REAL = os.environ.get("COMANDA_TEST_CLUSTER") == "1"
DIGEST = "registry.example/comanda@sha256:" + "1" * 64
_LONGEST = 60.0


@dataclass
class Bed:
    """A cluster with a namespace of this test's own."""

    cluster: KubernetesCluster
    namespace: str
    kubeconfig: Path
    server: FakeApiServer | None
    cluster_wide: list[Manifest] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        """Let the controllers look once more, or wait for the real ones."""
        if self.server is None:
            time.sleep(seconds)
        else:
            self.server.controllers.step()

    @property
    def patience(self) -> Patience:
        return Patience(pause=self.pause)

    def settled(self, manifest: Manifest, *, condition: str) -> Manifest:
        """Wait until a workload shows this condition."""
        end = time.monotonic() + _LONGEST
        while time.monotonic() < end:
            live = self.cluster.get(manifest)
            assert live is not None
            status: dict[str, Any] = live.body.get("status") or {}
            if any(it["type"] == condition for it in status.get("conditions") or ()):
                return live
            self.pause(0.5)
        raise AssertionError(f"{manifest.key} never showed {condition}")

    def names(self, kind: str, *, api_version: str) -> set[str]:
        found = self.cluster.list(
            Selection(api_version=api_version, kind=kind, namespace=self.namespace)
        )
        return {manifest.name for manifest in found}

    def namespace_object(self, **labels: str) -> Manifest:
        metadata = {"name": self.namespace, "labels": labels}
        return Manifest({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def deployment(self, name: str = "web", *, image: str = DIGEST, **spec: Any) -> Manifest:
        labels = {"app": name}
        container = {"name": "app", "image": image}
        return self.object(
            "apps/v1",
            "Deployment",
            name,
            spec={
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
                **spec,
            },
        )

    def object(self, version: str, kind: str, name: str, **content: Any) -> Manifest:
        metadata = {"name": name, "namespace": self.namespace}
        return Manifest({"apiVersion": version, "kind": kind, "metadata": metadata, **content})


@contextmanager
def bed(folder: Path, *, server: FakeApiServer | None = None) -> Iterator[Bed]:
    """Open the cluster; a real one gets back what the test made."""
    if not IS_REAL:
        fake = server or FakeApiServer()
        with running(fake):
            file = write_kubeconfig(fake, folder / "kubeconfig")
            yield _bed(file, server=fake)
        return
    opened = _bed(Path(os.environ["KUBECONFIG"]), server=None)
    try:
        yield opened
    finally:
        opened.cluster.delete(opened.namespace_object().key, api_version="v1")


def _bed(kubeconfig: Path, *, server: FakeApiServer | None) -> Bed:
    return Bed(
        cluster=connect(file=kubeconfig),
        namespace=f"comanda-test-{secrets.token_hex(4)}",
        kubeconfig=kubeconfig,
        server=server,
    )
