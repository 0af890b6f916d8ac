"""From a stage to its manifests: a small overlay is written, kustomize builds it.

The overlay of a release lies in `.comanda/k8s/<stage>/` and can be built by hand as well; it adds
to `k8s/overlays/<stage>` what is known only now: the image's digest, the variables, the networks.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from k8s.manifests import Manifest, parse
from k8s.stage import HERE, Stage

_BUILD_SECONDS = 60
_GROUP = "kustomize.config.k8s.io/v1beta1"
IMAGE = "comanda-workers"


class CannotRender(Exception):
    """There is no kustomize here, or it refused; the message says what it said."""


def render(stage: Stage, *, folder: Path | None = None) -> tuple[Manifest, ...]:
    """Build all manifests of a stage; raise `CannotRender`."""
    folder = folder or HERE.parent / ".comanda" / "k8s" / stage.name
    write_overlay(stage, folder=folder)
    return parse(build(folder))


def builder() -> list[str] | None:
    """Give the command that builds a kustomization, or nothing where there is none."""
    if (kubectl := shutil.which("kubectl")) is not None:
        return [kubectl, "kustomize"]
    return [kustomize, "build"] if (kustomize := shutil.which("kustomize")) else None


def build(folder: Path) -> str:
    """Build one kustomization; raise `CannotRender`."""
    command = builder()
    if command is None:
        raise CannotRender("neither kubectl nor kustomize is here; any of both will do")
    try:
        done = subprocess.run(  # noqa: S603  # Our own folders, and the kustomize of this machine.
            [*command, str(folder)],
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise CannotRender(f"kustomize was not done after {_BUILD_SECONDS} s") from exc
    if done.returncode != 0:
        raise CannotRender(done.stderr.strip())
    return done.stdout


def write_overlay(stage: Stage, *, folder: Path) -> None:
    """Write the overlay of a release."""
    folder.mkdir(parents=True, exist_ok=True)
    up = Path(*[".."] * len(folder.resolve().relative_to(HERE.parent).parts)) / HERE.name
    name, _, digest = stage.outputs.image.partition("@")
    kustomization = {
        "apiVersion": _GROUP,
        "kind": "Kustomization",
        "namespace": stage.namespace,
        "resources": [str(up / "overlays" / stage.name)],
        "components": [str(up / "components" / it) for it in stage.decisions.components],
        "images": [{"name": IMAGE, "newName": name, "digest": digest}],
        "configMapGenerator": [
            {"name": name, "literals": [f"{key}={value}" for key, value in sorted(it.items())]}
            for name, it in sorted(stage.config_maps().items())
        ],
        "patches": _patches(stage),
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization, sort_keys=False))


def _patches(stage: Stage) -> list[dict[str, Any]]:
    data = _replace("/spec/egress/0/to", _blocks(stage.outputs.data_cidrs))
    patches = [
        {
            "target": {"kind": "NetworkPolicy", "labelSelector": "comanda/egress=database"},
            "patch": json.dumps([data]),
        }
    ]
    if "gateway" in stage.decisions.components:
        balancer = {
            "from": _blocks(stage.outputs.balancer_cidrs),
            "ports": [{"protocol": "TCP", "port": 8080}],
        }
        added = {"op": "add", "path": "/spec/ingress/-", "value": balancer}
        patches.append(
            {
                "target": {"kind": "NetworkPolicy", "name": ".*-api"},
                "patch": json.dumps([added]),
            }
        )
    if "keda" in stage.decisions.components:
        region = _replace("/spec/triggers/0/metadata/awsRegion", stage.decisions.region)
        patches.append({"target": {"kind": "ScaledObject"}, "patch": json.dumps([region])})
    if "external-secrets" in stage.decisions.components:
        names = ("keys", "forwarding-keys")
        keys = [
            _replace(f"/spec/data/{place}/remoteRef/key", f"comanda/{stage.name}/console/{name}")
            for place, name in enumerate(names)
        ]
        target = {"kind": "ExternalSecret", "name": "console-keys"}
        patches.append({"target": target, "patch": json.dumps(keys)})
    return patches


def _replace(path: str, value: object) -> dict[str, object]:
    return {"op": "replace", "path": path, "value": value}


def _blocks(cidrs: tuple[str, ...]) -> list[dict[str, dict[str, str]]]:
    return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]
