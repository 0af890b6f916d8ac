"""Whole releases: what a cluster holds after an apply, and in which order it came there."""

from datetime import UTC, datetime, timedelta

import pytest

from k8s.cluster import FieldConflict
from k8s.deploying import CannotApply
from k8s.drift import differences
from k8s.releases import KEPT
from k8s.waiting import Patience
from tests import k8s_deploying
from tests.k8s_bed import DIGEST, Bed
from tests.k8s_deploying import (
    NEXT,
    Told,
    deployer,
    image_of,
    options,
    release_of,
    statuses,
    take_over,
)

cluster_bed = k8s_deploying.cluster_bed


def test_a_release_is_applied_and_waited_for(cluster_bed: Bed) -> None:
    told = Told()

    release = deployer(cluster_bed, told).apply(release_of(cluster_bed), options(cluster_bed))

    assert release.status == "complete"
    assert statuses(cluster_bed) == [(1, "complete")]
    assert told.progress[-1].endswith(": available")


def test_the_namespace_is_made_before_anything_is_rehearsed(cluster_bed: Bed) -> None:
    told = Told()

    deployer(cluster_bed, told).apply(release_of(cluster_bed), options(cluster_bed))

    assert told.steps[0] == f"applying Namespace {cluster_bed.namespace}"
    assert "dry run" in told.steps[1]


def test_migrations_are_complete_before_the_first_pod_is_replaced(cluster_bed: Bed) -> None:
    told = Told()
    deployer(cluster_bed, told).apply(release_of(cluster_bed), options(cluster_bed))

    said = [line.partition(":")[0].partition("-")[0] for line in told.progress]

    assert said.index("web") > max(i for i, name in enumerate(said) if name == "migrate")


def test_a_migration_that_ran_is_not_run_again(cluster_bed: Bed) -> None:
    for image in (DIGEST, NEXT):
        deployer(cluster_bed).apply(release_of(cluster_bed, image=image), options(cluster_bed))

    assert len(cluster_bed.names("Job", api_version="batch/v1")) == 1


def test_a_new_migration_is_a_job_of_its_own(cluster_bed: Bed) -> None:
    for image in (DIGEST, NEXT):
        deployer(cluster_bed).apply(release_of(cluster_bed, migration=image), options(cluster_bed))

    assert len(cluster_bed.names("Job", api_version="batch/v1")) == 2


def test_what_the_server_would_refuse_changes_nothing(cluster_bed: Bed) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))
    bad = (*release_of(cluster_bed, image=NEXT), cluster_bed.deployment("more", replicaz=1))

    with pytest.raises(CannotApply, match=r"Deployment .*/more: Refused"):
        deployer(cluster_bed).apply(bad, options(cluster_bed))

    assert image_of(cluster_bed) == DIGEST
    assert statuses(cluster_bed) == [(1, "complete")]


def test_missing_operators_are_all_named_before_anything_is_made(cluster_bed: Bed) -> None:
    scaler = cluster_bed.object("keda.sh/v1alpha1", "ScaledObject", "web", spec={})

    with pytest.raises(CannotApply, match=r"ScaledObject \(keda.sh/v1alpha1\)"):
        deployer(cluster_bed).apply((*release_of(cluster_bed), scaler), options(cluster_bed))

    assert cluster_bed.cluster.get(cluster_bed.namespace_object()) is None


def test_a_field_that_somebody_else_took_is_a_named_refusal(cluster_bed: Bed) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))
    take_over(cluster_bed)

    with pytest.raises(CannotApply, match=FieldConflict.__name__):
        deployer(cluster_bed).apply(release_of(cluster_bed, image=NEXT), options(cluster_bed))


def test_force_takes_it_back(cluster_bed: Bed) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))
    take_over(cluster_bed)

    deployer(cluster_bed).apply(
        release_of(cluster_bed, image=NEXT), options(cluster_bed, is_forced=True)
    )

    live = cluster_bed.cluster.get(cluster_bed.object("v1", "ConfigMap", "settings"))
    assert live is not None
    assert live.body["data"] == {"image": NEXT}


def test_what_a_release_no_longer_has_is_deleted(cluster_bed: Bed) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))
    smaller = [it for it in release_of(cluster_bed) if it.name != "worker"]

    deployer(cluster_bed).apply(smaller, options(cluster_bed))

    assert cluster_bed.names("Deployment", api_version="apps/v1") == {"web"}
    assert cluster_bed.cluster.get(cluster_bed.namespace_object()) is not None


def test_only_the_last_releases_are_kept(cluster_bed: Bed) -> None:
    quick = options(cluster_bed, must_wait=False)
    for _ in range(KEPT + 2):
        deployer(cluster_bed).apply(release_of(cluster_bed), quick)

    assert [number for number, _ in statuses(cluster_bed)] == list(range(3, KEPT + 3))


def test_a_second_deployer_is_refused_until_the_first_must_have_died(cluster_bed: Bed) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    cluster_bed.cluster.apply(cluster_bed.namespace_object())
    leave_unfinished(cluster_bed, start)

    with pytest.raises(CannotApply, match="release 1 is being applied"):
        deployer(cluster_bed, now=start + timedelta(minutes=5)).apply(
            release_of(cluster_bed), options(cluster_bed)
        )
    release = deployer(cluster_bed, now=start + timedelta(minutes=31)).apply(
        release_of(cluster_bed), options(cluster_bed)
    )

    assert release.number == 2


def leave_unfinished(opened: Bed, start: datetime) -> None:
    def die(_: float) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        deployer(opened, now=start).apply(
            release_of(opened), options(opened, patience=Patience(pause=die))
        )


def test_after_an_apply_nothing_differs_and_afterwards_drift_is_shown(cluster_bed: Bed) -> None:
    manifests = release_of(cluster_bed)
    deployer(cluster_bed).apply(manifests, options(cluster_bed))
    before = differences(manifests, cluster=cluster_bed.cluster)

    take_over(cluster_bed)

    found = differences(manifests, cluster=cluster_bed.cluster)
    assert before == ()
    assert [difference.key.kind for difference in found] == ["ConfigMap"]
    assert "-  image: by hand" in found[0].text
