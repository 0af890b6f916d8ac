"""Dashboards as Grafana imports them, from panels, lines and metrics."""

from dataclasses import dataclass
from typing import Any

_PROMETHEUS = {"type": "prometheus", "uid": "${prometheus}"}
_CLOUDWATCH = {"type": "cloudwatch", "uid": "${cloudwatch}"}
_ACROSS, _TALL = 12, 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One expression of PromQL and what its lines are called."""

    expr: str
    legend: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A metric of CloudWatch, one line for each value of its dimension."""

    namespace: str
    name: str
    dimension: str
    statistic: str = "Sum"


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """A picture with the question that it answers as its title."""

    title: str
    lines: tuple[Line | Metric, ...]
    unit: str = "short"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dashboard:
    """Panels in the order in which they are read."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def rendered(dashboard: Dashboard) -> dict[str, Any]:
    """Give a dashboard as Grafana imports it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["comanda"],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": [_panel(panel, place) for place, panel in enumerate(dashboard.panels)],
    }


def _variables() -> list[dict[str, Any]]:
    namespaces = "label_values(comanda_messages_in_flight, namespace)"
    return [
        {"name": "prometheus", "type": "datasource", "query": "prometheus"},
        {"name": "cloudwatch", "type": "datasource", "query": "cloudwatch"},
        {"name": "namespace", "type": "query", "datasource": _PROMETHEUS, "query": namespaces},
    ]


def _panel(panel: Panel, place: int) -> dict[str, Any]:
    row, column = divmod(place, 2)
    is_ours = isinstance(panel.lines[0], Line)
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": _PROMETHEUS if is_ours else _CLOUDWATCH,
        "gridPos": {"x": column * _ACROSS, "y": row * _TALL, "w": _ACROSS, "h": _TALL},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            _target(line, letter) for line, letter in zip(panel.lines, "ABCDEF", strict=False)
        ],
    }


def _target(line: Line | Metric, letter: str) -> dict[str, Any]:
    if isinstance(line, Line):
        return {"refId": letter, "expr": line.expr, "legendFormat": line.legend}
    return {
        "refId": letter,
        "namespace": line.namespace,
        "metricName": line.name,
        "dimensions": {line.dimension: "*"},
        "statistic": line.statistic,
        "region": "default",
        "period": "60",
        "matchExact": True,
    }
