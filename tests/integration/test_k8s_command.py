"""The command of the deployer, as an engineer types it."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from k8s import looking
from k8s.command import app
from k8s.manifests import dump, parse
from k8s.reporting import live_listener
from k8s.rollout import Phase, Progress
from k8s.stage import HERE
from local.images.__main__ import main as images
from tests.k8s_bed import Bed, bed
from tests.k8s_stages import stage_manifests

SAMPLE = str(HERE / "samples" / "outputs.json")


@pytest.fixture
def cluster_bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    with bed(tmp_path) as opened:
        monkeypatch.setenv("KUBECONFIG", str(opened.kubeconfig))
        yield opened


def typed(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


@pytest.fixture
def file(tmp_path: Path) -> str:
    written = tmp_path / "dev.yaml"
    written.write_text(dump(stage_manifests("dev")))
    return str(written)


def test_a_dry_run_of_a_new_stage_says_that_its_namespace_is_missing(
    cluster_bed: Bed, file: str
) -> None:
    status, output = typed("apply", "--stage", "dev", "--manifests", file, "--dry-run")

    assert status == 2
    assert 'namespaces "comanda-dev" not found' in output
    assert cluster_bed.names("Deployment", api_version="apps/v1") == set()


def test_a_dry_run_of_a_stage_that_is_there_changes_nothing(cluster_bed: Bed, file: str) -> None:
    typed("apply", "--stage", "dev", "--manifests", file, "--no-wait")
    server = cluster_bed.server
    assert server is not None
    before = server.store.version

    status, output = typed("apply", "--stage", "dev", "--manifests", file, "--dry-run")

    assert status == 0, output
    assert "would take all" in output
    assert server.store.version == before


def test_applying_again_changes_no_workload(cluster_bed: Bed, file: str) -> None:
    for _ in range(2):
        assert typed("apply", "--stage", "dev", "--manifests", file, "--no-wait")[0] == 0

    server = cluster_bed.server
    assert server is not None
    generations = {
        stored.body["metadata"]["generation"]
        for (plural, _, _), stored in server.store.objects.items()
        if plural == "deployments"
    }
    assert generations == {1}


def test_without_an_older_release_a_rollback_changes_nothing(cluster_bed: Bed, file: str) -> None:
    typed("apply", "--stage", "dev", "--manifests", file, "--no-wait")

    status, output = typed("rollback", "--stage", "dev")

    assert cluster_bed.server is not None
    assert status == 2
    assert "no earlier release ended well" in output


def test_status_fails_when_a_deployment_cannot_make_pods(cluster_bed: Bed) -> None:
    cluster_bed.namespace = "comanda-dev"
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster_bed.cluster.apply(cluster_bed.namespace_object(**restricted))
    cluster_bed.cluster.apply(cluster_bed.deployment())
    cluster_bed.settled(cluster_bed.deployment(), condition="ReplicaFailure")

    status, output = typed("status", "--stage", "dev")

    assert status == 1
    assert "FailedCreate" in output


def test_a_stage_without_outputs_is_told(tmp_path: Path) -> None:
    status, output = typed("render", "--stage", "dev", "--outputs", str(tmp_path / "none.json"))

    assert status == 2
    assert "none.json cannot be read" in output


def test_without_a_kustomize_the_command_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    status, output = typed("render", "--stage", "dev", "--outputs", SAMPLE)

    assert status == 2
    assert "neither kubectl nor kustomize is here" in output


def test_a_file_that_holds_no_objects_is_refused(cluster_bed: Bed, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: [")

    assert typed("apply", "--stage", "dev", "--manifests", str(broken))[0] == 2
    assert cluster_bed.names("Deployment", api_version="apps/v1") == set()


def test_every_object_is_read_again_as_it_was_written() -> None:
    assert parse(dump(stage_manifests("production"))) == stage_manifests("production")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_shown_as_it_happens_and_a_log_gets_each_line_once(is_terminal: bool) -> None:  # noqa: FBT001  # A case, not a flag.
    console = Console(force_terminal=is_terminal, record=True, width=120, file=StringIO())
    workload = next(it for it in stage_manifests("dev") if it.kind == "Deployment")

    with live_listener(console) as listener:
        listener.step("waiting for rollouts")
        for _ in range(3):
            listener.progress(workload, Progress(phase=Phase.MOVING, detail="1 of 2 updated"))

    text = console.export_text()
    assert "waiting for rollouts" in text
    assert text.count("1 of 2 updated") == 1


def test_looking_names_every_tool_that_is_not_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(looking, "_TOOLS", tmp_path)

    status = looking.main()

    output = capsys.readouterr().out
    assert status == 0
    assert output.count("SKIPPED  ") == len(looking.looks())
    assert "promtool is not here (Debian's package prometheus)" in output


@pytest.mark.parametrize("words", [["build"], ["test"]])
def test_the_image_says_what_is_missing_to_build_or_try_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert images(words) == 0
    assert "SKIPPED" in capsys.readouterr().out
