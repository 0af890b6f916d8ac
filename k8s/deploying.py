"""Apply a release: check it whole, migrate, roll out, wait, forget what it no longer has.

Nothing is changed before the server has taken every object in a dry run, save the namespace, for
without it there is no dry run. Migrations are finished before the first pod is replaced, because
old code runs on the new schema and not the other way round.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from comanda.clock import utc_now
from k8s.cluster import Cluster, ClusterError, KindUnknown
from k8s.manifests import Key, Manifest, in_order
from k8s.releases import Release, Releases, next_release
from k8s.rollout import Phase, Progress, progress_of
from k8s.waiting import Patience, RolloutFailed, RolloutTimedOut, wait_for

# What holds other things, or other people's: its absence from a release deletes nothing.
_NEVER_PRUNED = frozenset({"Namespace", "PriorityClass", "Secret", "Job"})
# Who has not ended by then has died.
_LONGEST_APPLY = timedelta(minutes=30)


class CannotApply(Exception):
    """The cluster would not take the release; the message lists every fault. Nothing changed."""


class NothingToRollBackTo(Exception):
    """No older release ended well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listener:
    """Who is told what happens, as it happens."""

    step: Callable[[str], None] = lambda _: None
    progress: Callable[[Manifest, Progress], None] = lambda _, __: None


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How to apply."""

    is_forced: bool = False
    must_wait: bool = True
    may_roll_back: bool = True
    patience: Patience = field(default_factory=Patience)


class Deployer:
    """Apply releases to one namespace of one cluster."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        namespace: str,
        listener: Listener | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._cluster = cluster
        self._releases = Releases(cluster, namespace=namespace)
        self._listener = listener or Listener()
        self._clock = clock

    def rehearse(self, manifests: Sequence[Manifest], *, is_forced: bool = False) -> None:
        """Have the server judge every object and change none; raise `CannotApply`."""
        faults = []
        for manifest in in_order(with_names_of_release(manifests)):
            try:
                self._cluster.apply(manifest, is_dry_run=True, is_forced=is_forced)
            except ClusterError as exc:
                faults.append(f"{manifest.key}: {type(exc).__name__}: {exc}")
        if faults:
            raise CannotApply("\n".join(faults))

    def apply(self, manifests: Sequence[Manifest], options: Options) -> Release:
        """Apply and wait; on failure apply the last good release again. Raise `RolloutFailed`."""
        ordered = in_order(with_names_of_release(manifests))
        self._refuse_unknown_kinds(ordered)
        self._make_namespaces(ordered, options)
        self._listener.step("asking the server about every object (dry run)")
        self.rehearse(ordered, is_forced=options.is_forced)
        known = self._releases.all()
        self._refuse_a_second_deployer(known, options)
        release = next_release(known, manifests=ordered, now=self._clock())
        self._releases.save(release)
        try:
            self._carry_out(ordered, options)
        except KeyboardInterrupt:
            # Whoever interrupts sees where it stands by `status`, and decides.
            self._releases.save(replace(release, status="failed"))
            raise
        except (RolloutFailed, ClusterError) as exc:
            self._undo(exc, known, options)
            self._releases.save(replace(release, status="failed"))
            raise
        self._prune(known, release=release)
        done = replace(release, status="complete")
        self._releases.save(done)
        return done

    def roll_back(self, options: Options, *, to: int | None = None) -> Release:
        """Apply an older good release again, without its migrations, as a release of its own."""
        known = self._releases.all()
        chosen = _good_one(known[:-1] if to is None else known, number=to)
        self._listener.step(f"rolling back to release {chosen.number}")
        return self.apply(_without_jobs(chosen.manifests), replace(options, may_roll_back=False))

    def _refuse_unknown_kinds(self, manifests: Sequence[Manifest]) -> None:
        unknown = {it.kind: it.api_version for it in manifests if not self._cluster.knows(it)}
        if unknown:
            named = ", ".join(f"{kind} ({version})" for kind, version in sorted(unknown.items()))
            raise CannotApply(f"the cluster does not know: {named}; install their operators first")

    def _refuse_a_second_deployer(self, known: Sequence[Release], options: Options) -> None:
        for release in known:
            is_young = self._clock() - release.applied_at < _LONGEST_APPLY
            if release.status == "applying" and is_young and not options.is_forced:
                raise CannotApply(
                    f"release {release.number} is being applied since {release.applied_at:%H:%M}"
                    " UTC; if nobody does, use --force"
                )

    def _make_namespaces(self, manifests: Sequence[Manifest], options: Options) -> None:
        for manifest in manifests:
            if manifest.kind == "Namespace":
                self._listener.step(f"applying {manifest.key}")
                self._cluster.apply(manifest, is_forced=options.is_forced)

    def _carry_out(self, manifests: Sequence[Manifest], options: Options) -> None:
        jobs = [it for it in manifests if it.kind == "Job"]
        deployments = [it for it in manifests if it.kind == "Deployment"]
        self._clear_failed(jobs, options)
        last_job = max((manifests.index(it) for it in jobs), default=-1)
        self._apply_all(manifests[: last_job + 1], options)
        if options.must_wait and jobs:
            self._listener.step("waiting for migrations")
            self._wait(jobs, options)
        self._apply_all(manifests[last_job + 1 :], options)
        if options.must_wait:
            self._listener.step("waiting for rollouts")
            self._wait(deployments, options)

    def _clear_failed(self, jobs: Sequence[Manifest], options: Options) -> None:
        """Delete migrations that failed before, or they would stay failed for ever."""
        patience = options.patience
        end = patience.monotonic() + patience.longest.total_seconds()
        for job in jobs:
            live = self._cluster.get(job)
            if live is None or progress_of(live).phase is not Phase.FAILED:
                continue
            self._listener.step(f"deleting {job.key}, which failed before")
            self._cluster.delete(job.key, api_version=job.api_version)
            # Deleting goes on in the background; applied too early, the new one would go with it.
            while self._cluster.get(job) is not None:
                if patience.monotonic() >= end:
                    raise RolloutTimedOut(f"{job.key} does not go away")
                patience.pause(patience.every.total_seconds())

    def _apply_all(self, manifests: Sequence[Manifest], options: Options) -> None:
        for manifest in manifests:
            if manifest.kind != "Namespace":
                self._cluster.apply(manifest, is_forced=options.is_forced)
                self._listener.step(f"applied {manifest.key}")

    def _wait(self, workloads: Sequence[Manifest], options: Options) -> None:
        wait_for(
            workloads,
            cluster=self._cluster,
            patience=options.patience,
            report=self._listener.progress,
        )

    def _undo(self, exc: Exception, known: Sequence[Release], options: Options) -> None:
        self._listener.step(f"failed: {exc}")
        if not options.may_roll_back:
            return
        try:
            last = _good_one(known, number=None)
        except NothingToRollBackTo:
            self._listener.step("there is no earlier good release to go back to")
            return
        self._listener.step(f"going back to release {last.number}, without waiting")
        try:
            self._apply_all(in_order(_without_jobs(last.manifests)), options)
        except ClusterError as failure:
            # What is told is why the release failed; this only adds to it.
            self._listener.step(f"going back failed as well: {failure}")

    def _prune(self, known: Sequence[Release], *, release: Release) -> None:
        """Delete what releases had and this one has not, or a scaler left behind would fight."""
        kept = {manifest.key for manifest in release.manifests}
        gone: dict[Key, str] = {
            manifest.key: manifest.api_version
            for old in known
            for manifest in old.manifests
            if manifest.key not in kept and manifest.kind not in _NEVER_PRUNED
        }
        for key, version in gone.items():
            try:
                self._cluster.delete(key, api_version=version)
            except KindUnknown:
                continue  # With its definition all its objects went.
            self._listener.step(f"deleted {key}, which this release no longer has")


def with_names_of_release(manifests: Sequence[Manifest]) -> tuple[Manifest, ...]:
    """Name each Job after its content: Jobs cannot be changed, and one that ran is not run again.

    A name that has its mark already stays as it is.
    """
    return tuple(_marked(it) if it.kind == "Job" else it for it in manifests)


_MARK = "comanda/content"


def _marked(job: Manifest) -> Manifest:
    if _MARK in (job.metadata.get("annotations") or {}):
        return job
    content = hashlib.sha256(json.dumps(job.spec, sort_keys=True).encode()).hexdigest()[:10]
    notes = {**(job.metadata.get("annotations") or {}), _MARK: content}
    metadata = {**job.metadata, "name": f"{job.name}-{content}", "annotations": notes}
    return Manifest({**job.body, "metadata": metadata})


def _good_one(known: Sequence[Release], *, number: int | None) -> Release:
    for release in reversed(known):
        if release.number == number or (number is None and release.status == "complete"):
            return release
    wanted = f"release {number} is not kept" if number else "no earlier release ended well"
    raise NothingToRollBackTo(wanted)


def _without_jobs(manifests: Sequence[Manifest]) -> tuple[Manifest, ...]:
    return tuple(manifest for manifest in manifests if manifest.kind != "Job")
