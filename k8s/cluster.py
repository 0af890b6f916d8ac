"""A cluster behind its API server: apply, read, list and delete objects of any kind.

Refusals that an engineer can act on have names; whatever else the server says is `ClusterError`.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from urllib3.exceptions import HTTPError

from k8s.manifests import Key, Manifest

FIELD_MANAGER = "comanda"
# Long enough for a slow admission webhook, which may take 30 s by its own rules.
_CALL_SECONDS = 40


class ClusterError(Exception):
    """The cluster did not do what was asked; the message carries its own words."""


class ClusterUnavailable(ClusterError):
    """The API server could not be reached, or was not able to answer."""


class FieldConflict(ClusterError):
    """Somebody else owns fields that the manifest sets; `--force` takes them over."""


class Refused(ClusterError):
    """The server finds the object invalid, or does not allow it."""


class KindUnknown(ClusterError):
    """The cluster has no such kind: an operator, or its resource definitions, are not installed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Objects to list: of a kind, in a namespace, by labels."""

    api_version: str
    kind: str
    namespace: str
    labels: str = ""


class Cluster(Protocol):
    """What the deployer needs of a cluster."""

    def knows(self, manifest: Manifest) -> bool:
        """Tell whether the cluster has this kind."""

    def apply(
        self, manifest: Manifest, *, is_dry_run: bool = False, is_forced: bool = False
    ) -> Manifest:
        """Apply an object under our field manager; raise `ClusterError`."""

    def get(self, manifest: Manifest) -> Manifest | None:
        """Read the live object, or nothing."""

    def list(self, selection: Selection) -> tuple[Manifest, ...]:
        """Read the objects of a selection."""

    def delete(self, key: Key, *, api_version: str) -> None:
        """Delete an object with all that it owns; one that is not there is no error."""


class KubernetesCluster:
    """The cluster of a kubeconfig's context."""

    def __init__(self, api: client.ApiClient) -> None:
        # A cache of our own: the library's lies in a shared folder, under a name easy to guess.
        self._cache = TemporaryDirectory(prefix="comanda-k8s-")
        cache = str(Path(self._cache.name) / "discovery.json")
        self._dynamic = _answered(
            lambda: DynamicClient(api, cache_file=cache)  # type: ignore[no-untyped-call]  # Theirs.
        )

    def knows(self, manifest: Manifest) -> bool:
        """Tell whether the cluster has this kind."""
        try:
            self._resource(manifest.api_version, manifest.kind)
        except KindUnknown:
            return False
        return True

    def apply(
        self, manifest: Manifest, *, is_dry_run: bool = False, is_forced: bool = False
    ) -> Manifest:
        """Apply an object under our field manager; raise `ClusterError`."""
        resource = self._resource(manifest.api_version, manifest.kind)
        options: dict[str, Any] = {"dry_run": "All"} if is_dry_run else {}
        if is_forced:
            options["force_conflicts"] = True
        return Manifest(
            _answered(
                lambda: resource.server_side_apply(
                    body=manifest.body,
                    name=manifest.name,
                    namespace=manifest.namespace or None,
                    field_manager=FIELD_MANAGER,
                    _request_timeout=_CALL_SECONDS,
                    **options,
                ).to_dict()
            )
        )

    def get(self, manifest: Manifest) -> Manifest | None:
        """Read the live object, or nothing."""
        resource = self._resource(manifest.api_version, manifest.kind)
        try:
            found = _answered(
                lambda: resource.get(
                    name=manifest.name,
                    namespace=manifest.namespace or None,
                    _request_timeout=_CALL_SECONDS,
                ).to_dict()
            )
        except NotFound:
            return None
        return Manifest(found)

    def list(self, selection: Selection) -> tuple[Manifest, ...]:
        """Read the objects of a selection."""
        resource = self._resource(selection.api_version, selection.kind)
        answer = _answered(
            lambda: resource.get(
                namespace=selection.namespace or None,
                label_selector=selection.labels or None,
                _request_timeout=_CALL_SECONDS,
            ).to_dict()
        )
        kind = {"apiVersion": selection.api_version, "kind": selection.kind}
        # The items of a list do not say their kind.
        return tuple(Manifest({**kind, **item}) for item in answer.get("items") or ())

    def delete(self, key: Key, *, api_version: str) -> None:
        """Delete an object with all that it owns; one that is not there is no error."""
        resource = self._resource(api_version, key.kind)
        try:
            _answered(
                lambda: resource.delete(
                    name=key.name,
                    namespace=key.namespace or None,
                    body={"propagationPolicy": "Background"},
                    _request_timeout=_CALL_SECONDS,
                )
            )
        except NotFound:
            return

    def _resource(self, api_version: str, kind: str) -> Any:
        try:
            return _answered(
                lambda: self._dynamic.resources.get(api_version=api_version, kind=kind)
            )
        except ResourceNotFoundError as exc:
            raise KindUnknown(f"the cluster knows no {kind} of {api_version}") from exc


class NotFound(ClusterError):
    """There is no such object."""


def connect(*, context: str | None = None, file: Path | None = None) -> KubernetesCluster:
    """Open the cluster of a file, of `KUBECONFIG` or of `~/.kube/config`; raise `ClusterError`."""
    try:
        # Named here, for the library reads `KUBECONFIG` only once, when it is imported.
        api = config.new_client_from_config(  # type: ignore[no-untyped-call]  # As above.
            config_file=str(file) if file else os.environ.get("KUBECONFIG"), context=context
        )
    except config.ConfigException as exc:
        raise ClusterError(f"no cluster is configured: {exc}") from exc
    return KubernetesCluster(api)


def _answered(ask: Any) -> Any:
    """Ask, and give what went wrong its name."""
    try:
        return ask()
    except ApiException as exc:
        raise _named(exc) from exc
    except (HTTPError, OSError) as exc:
        raise ClusterUnavailable(f"the API server is out of reach: {exc}") from exc


def _named(exc: ApiException) -> ClusterError:
    status = _status_of(exc)
    message = str(status.get("message") or exc.reason or exc)
    causes: Sequence[dict[str, Any]] = (status.get("details") or {}).get("causes") or ()
    if exc.status == 409 and any(it.get("reason") == "FieldManagerConflict" for it in causes):
        return FieldConflict("; ".join(_owned(causes)))
    if exc.status == 404:
        return NotFound(message)
    if exc.status in (401, 403, 422, 400, 409):
        return Refused(message)
    # An unknown field is a 500 without a reason: the object is at fault, not the server.
    if exc.status == 500 and "typed patch object" in message:
        return Refused(message)
    return ClusterUnavailable(f"{exc.status}: {message}")


def _owned(causes: Sequence[dict[str, Any]]) -> Iterator[str]:
    for cause in causes:
        yield f"{cause.get('field')} ({cause.get('message')})"


def _status_of(exc: ApiException) -> dict[str, Any]:
    try:
        status = json.loads(exc.body or "{}")
    except ValueError:
        return {"message": str(exc.body)}
    return status if isinstance(status, dict) else {}
