"""Deploy both Chalice apps by `chalice deploy`, with Terraform's roles and bytecode in the zips.

Each app is copied clean, gets the configuration of its stage, and is packaged by Chalice; the
bytecode is added to that very package, which `chalice deploy` then finds and reuses. What Chalice
deployed is kept in the state bucket, so that any machine can go on.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local.packaging import APPS, add_bytecode
from terraform.addresses import Addresses, forget, note, read_addresses
from terraform.chalice_stage import stage_config, workloads_of, write_config
from terraform.gateway_answers import put_answers
from terraform.tool import REPOSITORY, stage_values

_UNWANTED = shutil.ignore_patterns("__pycache__", "deployments", "deployed", "venv")
_API = "rest_api"


class DeployFailed(Exception):
    """Chalice ended with an error; the message holds what it wrote."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One stage of the edge: what it is to be, and where what was deployed is noted."""

    stage: str
    values: Mapping[str, Any]
    addresses: Addresses
    bucket: str
    session: Any

    def client(self, service: str) -> Any:
        """Build a client; endpoint, region and keys come from the environment."""
        return self.session.client(service)


def open_deployment(stage: str) -> Deployment:
    """Read what the stage is to be and what Terraform made for it; raise `NotApplied`."""
    values = stage_values(stage)
    session = boto3.session.Session(region_name=values["region"])
    account = session.client("sts").get_caller_identity()["Account"]
    return Deployment(
        stage=stage,
        values=values,
        addresses=read_addresses(session.client("ssm"), stage=stage),
        bucket=f"comanda-{stage}-state-{account}",
        session=session,
    )


def deploy_edge(stage: str) -> None:
    """Make or renew both apps; raise `DeployFailed` or `NotApplied`."""
    deployment = open_deployment(stage)
    for app in APPS:
        deploy_app(deployment, app)


def delete_edge(stage: str) -> None:
    """Delete both apps; raise `DeployFailed`."""
    deployment = open_deployment(stage)
    for app in reversed(APPS):
        delete_app(deployment, app)


def delete_app(deployment: Deployment, app: str) -> None:
    """Delete one app; raise `DeployFailed`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = _copy(app, Path(folder), deployment)
        _chalice(copy, deployment, "delete")
    _state(deployment, app).delete()
    names = (
        f"chalice/{_short(app)}/rest_api_id",
        *(f"functions/{it}" for it in workloads_of(app)),
    )
    forget(deployment.client("ssm"), stage=deployment.stage, names=names)
    print(f"{app}: deleted from {deployment.stage}")


def deploy_app(deployment: Deployment, app: str) -> None:
    """Make or renew one app; raise `DeployFailed` or `NotApplied`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = _copy(app, Path(folder), deployment)
        _chalice(copy, deployment, "package", str(Path(folder) / "out"))
        for archive in (copy / ".chalice" / "deployments").glob("*.zip"):
            add_bytecode(archive, target=archive)
        output = _chalice(copy, deployment, "deploy")
        if "Reusing existing deployment package" not in output:
            raise DeployFailed(f"chalice did not take our package of {app}:\n{output}")
        noted = copy / ".chalice" / "deployed" / f"{deployment.stage}.json"
        _state(deployment, app).put(Body=noted.read_bytes())
        resources = _resources(noted)
    _tell(deployment, app, resources)


def _tell(deployment: Deployment, app: str, resources: Mapping[str, Mapping[str, str]]) -> None:
    api_id = resources[_API]["rest_api_id"]
    arns = {name: it["lambda_arn"] for name, it in resources.items() if "lambda_arn" in it}
    values = {
        f"chalice/{_short(app)}/rest_api_id": api_id,
        **{f"functions/{name}": arn for name, arn in arns.items() if name != "api_handler"},
    }
    note(deployment.client("ssm"), stage=deployment.stage, values=values)
    count = put_answers(deployment.client("apigateway"), api_id=api_id, stage=deployment.stage)
    print(f"{app}: {len(arns)} functions, API {api_id}, {count} answers of the gateway's own")


def _copy(app: str, work: Path, deployment: Deployment) -> Path:
    # Chalice ships whatever lies in these folders, so they are copied clean.
    for name in ("comanda", app):
        shutil.copytree(REPOSITORY / name, work / name, symlinks=True, ignore=_UNWANTED)
    copy = work / app
    config = stage_config(app, addresses=deployment.addresses, values=deployment.values)
    write_config(copy, config)
    deployed = copy / ".chalice" / "deployed"
    deployed.mkdir(exist_ok=True)
    s3 = deployment.client("s3")
    try:
        known = s3.get_object(Bucket=deployment.bucket, Key=_key(app))["Body"].read()
    except s3.exceptions.NoSuchKey:
        return copy
    (deployed / f"{deployment.stage}.json").write_bytes(known)
    return copy


def _chalice(folder: Path, deployment: Deployment, *words: str) -> str:
    program = str(Path(sys.executable).parent / "chalice")
    run = subprocess.run(
        (program, *words[:1], "--stage", deployment.stage, *words[1:]),
        cwd=folder,
        env={
            **os.environ,
            "AWS_DEFAULT_REGION": str(deployment.values["region"]),
            "PYTHONDONTWRITEBYTECODE": "1",
            # The copy is what is imported, never this checkout.
            "PYTHONPATH": str(folder.parent),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise DeployFailed(f"chalice {words[0]} of {folder.name}:\n{run.stdout}{run.stderr}")
    return run.stdout


def _resources(noted: Path) -> dict[str, dict[str, str]]:
    return {it["name"]: it for it in json.loads(noted.read_text())["resources"]}


def _state(deployment: Deployment, app: str) -> Any:
    return deployment.session.resource("s3").Object(deployment.bucket, _key(app))


def _key(app: str) -> str:
    return f"chalice/{app}.json"


def _short(app: str) -> str:
    return app.removesuffix("_lambda")
