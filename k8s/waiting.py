"""Wait for workloads until all are done, one has failed, or the time is up.

A list each second, not a watch: a rollout is a handful of objects for some minutes, and a list has
none of a watch's own failures (410 of a compacted log, 504 of a cache that lags).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from k8s.cluster import Cluster, ClusterUnavailable
from k8s.manifests import Manifest
from k8s.rollout import Phase, Progress, progress_of

Report = Callable[[Manifest, Progress], None]


class RolloutFailed(Exception):
    """A workload will not get there; the message names each with its reason."""


class RolloutTimedOut(RolloutFailed):
    """Nothing failed, and nothing was done in time either."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long to wait, and how often to look; both clocks may be a test's."""

    longest: timedelta = timedelta(minutes=10)
    every: timedelta = timedelta(seconds=1)
    monotonic: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


def wait_for(
    workloads: Sequence[Manifest], *, cluster: Cluster, patience: Patience, report: Report
) -> None:
    """Wait for all; raise `RolloutFailed` as soon as one has failed."""
    end = patience.monotonic() + patience.longest.total_seconds()
    open_ones = {str(workload.key): workload for workload in workloads}
    while open_ones:
        standing = _look(open_ones, cluster=cluster, report=report)
        failed = {name: it for name, it in standing.items() if it.phase is Phase.FAILED}
        if failed:
            raise RolloutFailed(_told(failed))
        open_ones = {
            name: it
            for name, it in open_ones.items()
            if name not in standing or standing[name].phase is not Phase.DONE
        }
        if open_ones and patience.monotonic() >= end:
            waiting = {name: standing[name] for name in open_ones if name in standing}
            raise RolloutTimedOut(_told(waiting) or "the cluster did not answer")
        if open_ones:
            patience.pause(patience.every.total_seconds())


def _look(
    workloads: Mapping[str, Manifest], *, cluster: Cluster, report: Report
) -> dict[str, Progress]:
    standing = {}
    for name, workload in workloads.items():
        try:
            live = cluster.get(workload)
        except ClusterUnavailable:
            # An API server may be away for a moment; the rollout goes on without it.
            continue
        gone = Progress(phase=Phase.FAILED, detail="it is not there any more")
        standing[name] = progress_of(live) if live is not None else gone
        report(workload, standing[name])
    return standing


def _told(standing: Mapping[str, Progress]) -> str:
    return "; ".join(f"{name}: {it.detail}" for name, it in standing.items())
