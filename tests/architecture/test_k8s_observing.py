"""Dashboards and alerts ask for metrics that exist, and every alert has its runbook."""

import importlib
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

from k8s.looking import promtool, tried_alerts
from k8s.observing.__main__ import FOLDER, stale_files
from k8s.observing.alerts import groups
from k8s.observing.dashboards import DASHBOARDS

ROOT = Path(__file__).resolve().parents[2]
# What other people's exporters say: kube-state-metrics, KEDA's operator, every Prometheus client.
FOREIGN = {
    "kube_pod_container_status_restarts_total",
    "kube_deployment_status_condition",
    "kube_horizontalpodautoscaler_status_desired_replicas",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "keda_scaler_detail_errors_total",
    "process_resident_memory_bytes",
}
_NAME = re.compile(r"\b(?:comanda|kube|keda|process)[a-z0-9_:]+\b")


def rules() -> list[dict[str, Any]]:
    return [rule for group in groups() for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    for file in sorted((FOLDER / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            yield from (target["expr"] for target in panel["targets"] if "expr" in target)


def known_metrics() -> set[str]:
    for module in ("comanda.telemetry", "workers.payments.gauges"):
        importlib.import_module(module)
    names = set()
    for family in REGISTRY.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
        names |= {family.name + suffix for suffix in suffixes.get(family.type, [""])}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    return names | recorded | FOREIGN


def test_the_files_say_what_the_code_says() -> None:
    assert stale_files() == [], "run: python -m k8s.observing"


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_an_expression_is_promql_and_each_metric_in_it_exists(expression: str) -> None:
    promql_parser.parse(expression.replace("$namespace", "comanda-dev"))
    # Label names and values are no metrics.
    bare = re.sub(r"\{[^}]*\}", "", expression)

    assert set(_NAME.findall(bare)) - {"comanda"} <= known_metrics()


def test_a_metric_of_the_edge_is_one_that_the_receiver_emits() -> None:
    source = (ROOT / "webhooks_lambda/chalicelib/metrics.py").read_text()
    edge = next(it for it in DASHBOARDS if it.uid == "comanda-edge")
    ours = [
        line.name
        for panel in edge.panels
        for line in panel.lines
        if getattr(line, "namespace", "") == "Comanda"
    ]

    assert ours
    assert all(f'"{name}"' in source for name in ours)


@pytest.mark.parametrize("alert", alerts(), ids=lambda it: it["alert"])
def test_an_alert_says_who_is_told_and_where_its_runbook_is(alert: dict[str, Any]) -> None:
    file, _, anchor = alert["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^## (.+)$", (ROOT / file).read_text(), flags=re.MULTILINE)

    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["summary"]
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_every_section_of_the_runbook_is_an_alert() -> None:
    text = (ROOT / "docs/runbooks/alerts.md").read_text()
    headings = {it.lower() for it in re.findall(r"^## (.+)$", text, flags=re.MULTILINE)}
    anchors = {it["annotations"]["runbook"].partition("#")[2] for it in alerts()}

    assert headings == anchors


def test_names_of_alerts_and_dashboards_are_unique() -> None:
    names = [it["alert"] for it in alerts()]
    uids = [it.uid for it in DASHBOARDS]

    assert len(names) == len(set(names))
    assert len(uids) == len(set(uids)) == 4


def test_the_alerts_fire_when_they_should_and_only_then(tmp_path: Path) -> None:
    if promtool() is None:
        # `make manifests` fetches it where apt is; nothing else needs it, so it is not required.
        warnings.warn("promtool is not here: the alerts were not tried on series", stacklevel=1)
        return

    assert tried_alerts(tmp_path) == ""


def test_every_alert_is_tried_on_series() -> None:
    trials = yaml.safe_load((ROOT / "tests" / "k8s_alerts.yaml").read_text())["tests"]
    fired = {
        it["alertname"] for trial in trials for it in trial["alert_rule_test"] if it["exp_alerts"]
    }
    quiet = {
        it["alertname"]
        for trial in trials
        for it in trial["alert_rule_test"]
        if not it["exp_alerts"]
    }
    names = {it["alert"] for it in alerts()}
    # One context's worker stands for all; the four speeds of a burn differ in numbers alone.
    same = {it for it in names if it.endswith("WorkerAbsent")} - {"OrdersWorkerAbsent"}
    same |= {it for it in names if "Burns" in it and not it.endswith("BurnsFast")}

    assert names - same <= fired
    assert names - same - {"PodsRestart", "RolloutStuck", "ScalerAtItsLimit"} <= quiet
