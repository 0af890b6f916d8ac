"""The command before a cluster: a whole stage applied, compared, refused, or not answered."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import pytest
from typer.testing import CliRunner

from k8s.command import app
from k8s.manifests import Manifest, dump
from tests import k8s_deploying
from tests.k8s_bed import Bed, bed
from tests.k8s_stages import stage_manifests

cluster_bed = k8s_deploying.cluster_bed


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
