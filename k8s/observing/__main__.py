"""Write the rules and dashboards, or with `--check` tell those that are stale; exit 1 then."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from k8s.observing.alerts import groups
from k8s.observing.dashboards import DASHBOARDS
from k8s.observing.grafana import rendered
from k8s.stage import HERE

FOLDER = HERE / "components" / "monitoring"
_HEAD = "# Written by `python -m k8s.observing`; change k8s/observing instead.\n"


def files() -> Mapping[Path, str]:
    """Give the content of each file."""
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "comanda", "labels": {"app.kubernetes.io/part-of": "comanda"}},
        "spec": {"groups": groups()},
    }
    written = {FOLDER / "rules.yaml": _HEAD + yaml.safe_dump(rule, sort_keys=False, width=98)}
    for dashboard in DASHBOARDS:
        text = json.dumps(rendered(dashboard), indent=2) + "\n"
        written[FOLDER / "dashboards" / f"{dashboard.uid}.json"] = text
    return written


def stale_files() -> list[Path]:
    """Give the files that do not say what the code says."""
    return [file for file, text in files().items() if not file.exists() or file.read_text() != text]


def main() -> int:
    """Write, or check."""
    stale = stale_files()
    if "--check" in sys.argv[1:]:
        for file in stale:
            sys.stderr.write(f"{file.relative_to(HERE.parent)} is stale\n")
        return 1 if stale else 0
    for file, text in files().items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
