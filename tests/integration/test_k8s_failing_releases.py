"""A release that fails: how soon it is given up, what is left of it, and the way back."""

from datetime import timedelta

import pytest

from k8s.deploying import NothingToRollBackTo
from k8s.waiting import Patience, RolloutFailed, RolloutTimedOut
from tests import k8s_deploying
from tests.k8s_bed import DIGEST, Bed
from tests.k8s_deploying import (
    BROKEN,
    NEXT,
    Told,
    deployer,
    image_of,
    options,
    release_of,
    statuses,
)
from tests.k8s_store import Status

cluster_bed = k8s_deploying.cluster_bed


def test_a_failed_migration_replaces_no_pod(cluster_bed: Bed) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))

    with pytest.raises(RolloutFailed, match="BackoffLimitExceeded"):
        deployer(cluster_bed).apply(
            release_of(cluster_bed, image=NEXT, migration=BROKEN), options(cluster_bed)
        )

    assert image_of(cluster_bed) == DIGEST
    assert statuses(cluster_bed) == [(1, "complete"), (2, "failed")]


def test_a_migration_that_failed_is_tried_again_with_the_same_release(cluster_bed: Bed) -> None:
    broken = release_of(cluster_bed, migration=BROKEN)
    with pytest.raises(RolloutFailed):
        deployer(cluster_bed).apply(broken, options(cluster_bed))
    told = Told()

    with pytest.raises(RolloutFailed):
        deployer(cluster_bed, told).apply(broken, options(cluster_bed))

    assert [it for it in told.steps if it.startswith("deleting Job")]
    # It ran anew, instead of being found failed at once.
    assert any(line.endswith(": 1 running") for line in told.progress)


def test_a_broken_image_fails_fast_and_the_last_good_release_comes_back(cluster_bed: Bed) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))

    with pytest.raises(RolloutFailed, match="ProgressDeadlineExceeded"):
        deployer(cluster_bed).apply(release_of(cluster_bed, image=BROKEN), options(cluster_bed))

    assert image_of(cluster_bed) == DIGEST
    assert statuses(cluster_bed) == [(1, "complete"), (2, "failed")]


def test_a_failure_may_be_left_for_looking_at(cluster_bed: Bed) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))

    with pytest.raises(RolloutFailed):
        deployer(cluster_bed).apply(
            release_of(cluster_bed, image=BROKEN), options(cluster_bed, may_roll_back=False)
        )

    assert image_of(cluster_bed) == BROKEN


def test_the_failure_of_the_release_before_does_not_fail_the_next(cluster_bed: Bed) -> None:
    with pytest.raises(RolloutFailed):
        deployer(cluster_bed).apply(release_of(cluster_bed, image=BROKEN), options(cluster_bed))

    release = deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))

    assert release.status == "complete"


def test_pods_that_may_not_be_made_fail_fast(cluster_bed: Bed) -> None:
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    manifests = (*release_of(cluster_bed)[:-1], cluster_bed.namespace_object(**restricted))

    with pytest.raises(RolloutFailed, match="FailedCreate"):
        deployer(cluster_bed).apply(manifests, options(cluster_bed))


def test_a_rollout_that_never_ends_is_given_up(cluster_bed: Bed) -> None:
    clock = iter(range(100))
    patience = Patience(
        longest=timedelta(seconds=5), monotonic=lambda: float(next(clock)), pause=lambda _: None
    )

    with pytest.raises(RolloutTimedOut, match="migrate"):
        deployer(cluster_bed).apply(
            release_of(cluster_bed), options(cluster_bed, patience=patience)
        )


def test_an_api_server_that_is_away_for_a_moment_is_waited_for(cluster_bed: Bed) -> None:
    server = cluster_bed.server
    assert server is not None
    looks = iter(range(100))

    def pause(seconds: float) -> None:
        if next(looks) == 1:
            server.failing = [Status(503, "ServiceUnavailable", "etcd leader changed")]
        cluster_bed.pause(seconds)

    release = deployer(cluster_bed).apply(
        release_of(cluster_bed), options(cluster_bed, patience=Patience(pause=pause))
    )

    assert release.status == "complete"
    assert server.failing == []


def test_what_a_failed_release_no_longer_had_is_still_there(cluster_bed: Bed) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))
    smaller = [it for it in release_of(cluster_bed, image=BROKEN) if it.name != "worker"]

    with pytest.raises(RolloutFailed):
        deployer(cluster_bed).apply(smaller, options(cluster_bed))

    assert cluster_bed.names("Deployment", api_version="apps/v1") == {"web", "worker"}


def test_a_rollback_is_a_release_with_the_manifests_of_the_one_before(cluster_bed: Bed) -> None:
    for image in (DIGEST, NEXT):
        deployer(cluster_bed).apply(
            release_of(cluster_bed, image=image, migration=image), options(cluster_bed)
        )

    release = deployer(cluster_bed).roll_back(options(cluster_bed))

    assert release.number == 3
    assert image_of(cluster_bed) == DIGEST
    # Old code runs on the new schema; a migration is never taken back.
    assert len(cluster_bed.names("Job", api_version="batch/v1")) == 2


def test_after_a_rollback_the_next_apply_conflicts_with_nobody(cluster_bed: Bed) -> None:
    for image in (DIGEST, NEXT):
        deployer(cluster_bed).apply(release_of(cluster_bed, image=image), options(cluster_bed))
    deployer(cluster_bed).roll_back(options(cluster_bed))

    deployer(cluster_bed).apply(release_of(cluster_bed, image=NEXT), options(cluster_bed))

    assert image_of(cluster_bed) == NEXT


def test_a_rollback_may_name_its_release(cluster_bed: Bed) -> None:
    for image in (DIGEST, NEXT, DIGEST):
        deployer(cluster_bed).apply(release_of(cluster_bed, image=image), options(cluster_bed))

    deployer(cluster_bed).roll_back(options(cluster_bed), to=2)

    assert image_of(cluster_bed) == NEXT


@pytest.mark.parametrize("number", [None, 7])
def test_without_an_older_good_release_there_is_no_rollback(
    cluster_bed: Bed, number: int | None
) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))

    with pytest.raises(NothingToRollBackTo):
        deployer(cluster_bed).roll_back(options(cluster_bed), to=number)


def test_an_interrupted_release_is_a_failed_one(cluster_bed: Bed) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deployer(cluster_bed).apply(
            release_of(cluster_bed), options(cluster_bed, patience=Patience(pause=interrupt))
        )

    assert statuses(cluster_bed) == [(1, "failed")]
