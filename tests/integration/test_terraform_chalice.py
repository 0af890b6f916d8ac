"""`chalice deploy` tried for real in a stand-in: made, renewed, deleted; its template is sound."""

import io
import json
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.provision.context import REPOSITORY
from terraform.addresses import note
from terraform.chalice_stage import stage_config, workloads_of, write_config
from terraform.edge_deploy import Deployment, delete_app, deploy_app, open_deployment
from tests.aws_world import ACCOUNT, REGION, World, empty_world, policy_text

APP = "webhooks_lambda"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with empty_world() as made:
        yield made


@pytest.fixture
def deployment(world: World, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """Give a stage in which Terraform has made roles, topics and the bucket of states."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    world.client("s3").create_bucket(
        Bucket=f"comanda-dev-state-{ACCOUNT}",
        CreateBucketConfiguration={"LocationConstraint": REGION},
    )
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = world.client("iam").create_role(
        RoleName="comanda-dev-webhooks-api",
        AssumeRolePolicyDocument=policy_text({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    told = {
        "identity/roles/webhooks-api": role,
        "messaging/webhooks/topic_arn": world.topic_arn("webhooks"),
    }
    note(world.client("ssm"), stage="dev", values=told)
    return open_deployment("dev")


def test_an_app_is_made_renewed_in_place_and_deleted(world: World, deployment: Deployment) -> None:
    deploy_app(deployment, APP)
    first = addresses(world)
    deploy_app(deployment, APP)
    second = addresses(world)

    function = world.client("lambda").get_function(FunctionName="webhooks_lambda-dev")
    answer = world.client("apigateway").get_gateway_response(
        restApiId=second["chalice/webhooks/rest_api_id"], responseType="UNAUTHORIZED"
    )
    assert second == first
    assert function["Configuration"]["Role"].endswith(":role/comanda-dev-webhooks-api")
    assert has_bytecode(function)
    assert answer["statusCode"] == "401"

    delete_app(open_deployment("dev"), APP)

    assert world.client("lambda").list_functions()["Functions"] == []
    assert world.client("apigateway").get_rest_apis()["items"] == []
    assert "chalice/webhooks/rest_api_id" not in addresses(world)


def addresses(world: World) -> dict[str, str]:
    pages = world.client("ssm").get_parameters_by_path(Path="/comanda/dev/", Recursive=True)
    return {it["Name"].removeprefix("/comanda/dev/"): it["Value"] for it in pages["Parameters"]}


def has_bytecode(function: dict[str, Any]) -> bool:
    with urllib.request.urlopen(function["Code"]["Location"]) as answer:
        names = zipfile.ZipFile(io.BytesIO(answer.read())).namelist()
    return any(it.endswith(".pyc") for it in names) and "comanda/events.py" in names


@pytest.mark.parametrize("app", ["auth_lambda", "webhooks_lambda"])
def test_the_template_of_an_app_has_no_fault_that_cfn_lint_knows(app: str, tmp_path: Path) -> None:
    from terraform.addresses import Addresses

    class Everything(dict[str, str]):
        def __missing__(self, name: str) -> str:
            return f"arn:aws:iam::111122223333:role/{name.rpartition('/')[2]}"

    copy = tmp_path / app
    for name in ("comanda", app):
        unwanted = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
        shutil.copytree(REPOSITORY / name, tmp_path / name, symlinks=True, ignore=unwanted)
    # The template does not depend on what the zip holds, so nothing need be fetched for it.
    (copy / "requirements.txt").write_text("")
    values = {"shops": ["ana"], "region": REGION}
    told = Addresses(stage="dev", values=Everything())
    write_config(copy, stage_config(app, addresses=told, values=values))

    run(copy, "chalice", "package", "--stage", "dev", str(tmp_path / "out"))

    template = tmp_path / "out" / "sam.json"
    run(copy, "cfn-lint", "--regions", REGION, "--", str(template))
    resources = json.loads(template.read_text())["Resources"].values()
    kinds = [it["Type"] for it in resources]
    assert kinds.count("AWS::Serverless::Function") == len(workloads_of(app))
    assert "AWS::IAM::Role" not in kinds


def run(folder: Path, program: str, *words: str) -> None:
    path = str(Path(sys.executable).parent / program)
    environment = {
        "AWS_DEFAULT_REGION": REGION,
        "PYTHONPATH": str(folder.parent),
        "PATH": "/usr/bin",
    }
    done = subprocess.run(
        (path, *words), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
