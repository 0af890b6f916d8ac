"""Whole releases: what a cluster holds after an apply, a failure, a rollback."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from k8s.cluster import FieldConflict
from k8s.command import app
from k8s.deploying import CannotApply, Deployer, Listener, NothingToRollBackTo, Options
from k8s.drift import differences
from k8s.manifests import Manifest, dump
from k8s.releases import KEPT, Releases
from k8s.waiting import Patience, RolloutFailed, RolloutTimedOut
from tests.k8s_bed import DIGEST, Bed, bed
from tests.k8s_stages import stage_manifests
from tests.k8s_store import Status

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


def test_a_failed_migration_replaces_no_pod(cluster_bed: Bed) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))

    with pytest.raises(RolloutFailed, match="BackoffLimitExceeded"):
        deployer(cluster_bed).apply(
            release_of(cluster_bed, image=NEXT, migration=BROKEN), options(cluster_bed)
        )

    assert image_of(cluster_bed) == DIGEST
    assert statuses(cluster_bed) == [(1, "complete"), (2, "failed")]


def test_a_migration_that_ran_is_not_run_again(cluster_bed: Bed) -> None:
    for image in (DIGEST, NEXT):
        deployer(cluster_bed).apply(release_of(cluster_bed, image=image), options(cluster_bed))

    assert len(cluster_bed.names("Job", api_version="batch/v1")) == 1


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


def test_a_new_migration_is_a_job_of_its_own(cluster_bed: Bed) -> None:
    for image in (DIGEST, NEXT):
        deployer(cluster_bed).apply(release_of(cluster_bed, migration=image), options(cluster_bed))

    assert len(cluster_bed.names("Job", api_version="batch/v1")) == 2


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


def take_over(opened: Bed) -> None:
    """Change our settings as `kubectl edit` would."""
    assert opened.server is not None
    store = opened.server.store
    kind = next(it for it in opened.server.kinds if it.kind == "ConfigMap")
    body = deepcopy(store.get(kind, opened.namespace, "settings").body)
    body["data"]["image"] = "by hand"
    store.update(kind, opened.namespace, "settings", body, manager="kubectl-edit")


def test_what_a_release_no_longer_has_is_deleted(cluster_bed: Bed) -> None:
    deployer(cluster_bed).apply(release_of(cluster_bed), options(cluster_bed))
    smaller = [it for it in release_of(cluster_bed) if it.name != "worker"]

    deployer(cluster_bed).apply(smaller, options(cluster_bed))

    assert cluster_bed.names("Deployment", api_version="apps/v1") == {"web"}
    assert cluster_bed.cluster.get(cluster_bed.namespace_object()) is not None


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


def test_an_interrupted_release_is_a_failed_one(cluster_bed: Bed) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deployer(cluster_bed).apply(
            release_of(cluster_bed), options(cluster_bed, patience=Patience(pause=interrupt))
        )

    assert statuses(cluster_bed) == [(1, "failed")]


def test_after_an_apply_nothing_differs_and_afterwards_drift_is_shown(cluster_bed: Bed) -> None:
    manifests = release_of(cluster_bed)
    deployer(cluster_bed).apply(manifests, options(cluster_bed))
    before = differences(manifests, cluster=cluster_bed.cluster)

    take_over(cluster_bed)

    found = differences(manifests, cluster=cluster_bed.cluster)
    assert before == ()
    assert [difference.key.kind for difference in found] == ["ConfigMap"]
    assert "-  image: by hand" in found[0].text


def run(opened: Bed, words: Sequence[str], *, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.setenv("KUBECONFIG", str(opened.kubeconfig))
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def test_the_command_applies_a_whole_stage_and_then_sees_no_drift(
    cluster_bed: Bed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "dev.yaml"
    file.write_text(dump(stage_manifests("dev")))
    words = ["--stage", "dev", "--manifests", str(file)]

    applied = run(cluster_bed, ["apply", *words, "--no-wait"], monkeypatch=monkeypatch)
    differing = run(cluster_bed, ["diff", *words], monkeypatch=monkeypatch)
    shown = run(cluster_bed, ["status", "--stage", "dev"], monkeypatch=monkeypatch)

    assert applied[0] == 0, applied[1]
    assert differing[0] == 0, differing[1]
    assert shown[0] == 0
    assert "orders-worker" in shown[1]


@pytest.mark.parametrize("command", ["apply", "check"])
def test_the_command_refuses_manifests_that_break_a_promise(
    cluster_bed: Bed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    manifests = [Manifest(deepcopy(it.body)) for it in stage_manifests("dev")]
    web = next(it for it in manifests if it.name == "orders-api" and it.kind == "Deployment")
    web.spec["replicas"] = 3
    file = tmp_path / "dev.yaml"
    file.write_text(dump(manifests))

    words = [command, "--stage", "dev", "--manifests", str(file)]
    status, output = run(cluster_bed, words, monkeypatch=monkeypatch)

    assert status == 2
    assert "a scaler owns the number of replicas" in output


def test_the_command_tells_that_no_cluster_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bed(tmp_path) as opened:
        gone = opened

    status, output = run(gone, ["status", "--stage", "dev"], monkeypatch=monkeypatch)

    assert status == 2
    assert "ClusterUnavailable" in output
