"""`make deploy` goes from nothing to the smoke test in one order, and says what it waits for."""

import shutil
import subprocess
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from k8s.stage import HERE
from terraform.secrets import missing_secrets
from terraform.tool import REPOSITORY

REGION = "sa-east-1"


def test_each_step_of_a_deploy_finds_what_the_one_before_it_made() -> None:
    make = shutil.which("make")
    assert make is not None

    said = subprocess.run(
        (make, "--dry-run", "--assume-old=.venv/app.stamp", "deploy", "STAGE=dev"),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    words = [line.partition(" -m ")[2].split()[:2] for line in said.splitlines() if " -m " in line]
    assert words == [
        ["terraform", "apply"],
        ["terraform", "secrets"],
        ["k8s", "outputs"],
        ["terraform", "databases"],
        ["k8s", "apply"],
        ["k8s", "smoke"],
    ]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


@pytest.mark.usefixtures("account")
def test_secrets_that_nobody_has_put_are_named_and_no_others() -> None:
    client = boto3.client("secretsmanager", region_name=REGION)
    client.create_secret(Name="comanda/dev/cpf-key")
    client.create_secret(Name="comanda/dev/console/keys", SecretString="{}")
    client.create_secret(Name="comanda/production/cpf-key")

    assert missing_secrets("dev", region=REGION) == ["comanda/dev/cpf-key"]


def test_a_stage_of_terraform_and_of_kubernetes_are_the_same_ones() -> None:
    named = {
        folder: {file.stem for file in (folder / "stages").glob("*.json")}
        for folder in (HERE, REPOSITORY / "terraform")
    }

    assert len(set(map(frozenset, named.values()))) == 1
