"""What an apply would change: the live object beside the server's own dry run."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from k8s.cluster import Cluster, ClusterError, KindUnknown
from k8s.manifests import Key, Manifest, in_order

# The server's own book-keeping, which differs between any two answers.
_BOOK_KEEPING = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """How one object differs; `text` is a unified diff, or why there can be none."""

    key: Key
    text: str


def differences(manifests: Sequence[Manifest], *, cluster: Cluster) -> tuple[Difference, ...]:
    """Give what an apply would make, mend or take over.

    Jobs are left out: they run once, and what has run is cleaned away after some days.
    """
    found = []
    for manifest in (it for it in in_order(manifests) if it.kind != "Job"):
        text = _difference(manifest, cluster=cluster)
        if text:
            found.append(Difference(key=manifest.key, text=text))
    return tuple(found)


def _difference(manifest: Manifest, *, cluster: Cluster) -> str:
    try:
        live = cluster.get(manifest)
        if live is None:
            return "+ it is not there\n"
        # By force, so that what somebody else has taken shows as a difference.
        wanted = cluster.apply(manifest, is_dry_run=True, is_forced=True)
    except KindUnknown as exc:
        return f"! {exc}\n"
    except ClusterError as exc:
        return f"! the cluster refuses it: {exc}\n"
    lines = difflib.unified_diff(_text(live), _text(wanted), fromfile="live", tofile="wanted", n=2)
    return "".join(lines)


def _text(manifest: Manifest) -> list[str]:
    metadata = {k: v for k, v in manifest.metadata.items() if k not in _BOOK_KEEPING}
    shown: dict[str, Any] = {**manifest.body, "metadata": metadata}
    if manifest.kind == "Secret":
        shown = {**shown, "data": sorted(manifest.body.get("data") or {})}
    shown.pop("status", None)
    text: str = yaml.safe_dump(shown, sort_keys=True)
    return text.splitlines(keepends=True)
