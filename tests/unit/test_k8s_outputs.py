"""A release finds what Terraform and the build made, and names what is not there yet."""

import json
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import boto3
import pytest
from moto import mock_aws

from k8s import outputs
from k8s.outputs import BotoAws, OutputsMissing, read_outputs, write_outputs
from k8s.stage import HERE, read_stage
from tests.k8s_stages import sample_stage

REGION = "sa-east-1"
KIND = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": KIND, "config": {}, "layers": []})


class FakeAws:
    """An account in which Terraform has been, except for what a test takes away."""

    def __init__(self, missing: str = "") -> None:
        self._missing = missing

    def account(self) -> str:
        return "123456789012"

    def parameter(self, name: str) -> str:
        if self._missing and self._missing in name:
            raise OutputsMissing(f"{name}: ParameterNotFound")
        return "subnet-1,subnet-2" if name.endswith("_subnet_ids") else name.rpartition("/")[2]

    def cidrs(self, subnets: Sequence[str]) -> list[str]:
        return [f"10.20.{number}.0/24" for number, _ in enumerate(subnets)]

    def database_ca(self) -> str:
        return "-----BEGIN CERTIFICATE-----\n"

    def newest_image(self, repository: str) -> str:
        return f"registry/{repository}@sha256:{'1' * 64}"


def test_what_terraform_published_makes_a_whole_stage(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    image = sample_stage("dev").outputs.image
    write_outputs(file, read_outputs("dev", region="sa-east-1", image=image, aws=FakeAws()))

    stage = read_stage("dev", outputs=file)

    assert stage.outputs.data_cidrs == ("10.20.0.0/24", "10.20.1.0/24")
    assert stage.outputs.customer_issuer.endswith("amazonaws.com/customer_pool_id")


def test_without_an_image_the_newest_of_the_registry_is_deployed() -> None:
    found = read_outputs("dev", region="sa-east-1", image=None, aws=FakeAws())

    assert found["image"] == f"registry/comanda-dev/workers@sha256:{'1' * 64}"


def test_a_layer_that_was_not_applied_is_named() -> None:
    with pytest.raises(OutputsMissing, match="/comanda/dev/network/isolated_subnet_ids"):
        read_outputs("dev", region="sa-east-1", image="x", aws=FakeAws(missing="network"))


def test_every_parameter_that_is_asked_for_terraform_publishes() -> None:
    asked: list[str] = []

    class Listening(FakeAws):
        def parameter(self, name: str) -> str:
            asked.append(name)
            return super().parameter(name)

    read_outputs("dev", region="sa-east-1", image="x", aws=Listening())
    root = HERE.parent / "terraform"
    written = "\n".join(it.read_text() for it in [*root.glob("*/main.tf"), *root.glob("*.py")])

    for name in asked:
        last = name.rpartition("/")[2]
        tier, is_tier, _ = last.partition("_subnet_ids")
        assert (tier if is_tier else last) in written


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


@pytest.mark.usefixtures("account")
def test_an_image_that_was_pushed_is_named_by_digest_and_its_absence_is_told() -> None:
    ecr = boto3.client("ecr", region_name=REGION)
    for name in ("comanda-dev/workers", "comanda-dev/empty"):
        ecr.create_repository(repositoryName=name)
    made = ecr.put_image(repositoryName="comanda-dev/workers", imageManifest=MANIFEST)
    aws = BotoAws(region=REGION)

    digest = made["image"]["imageId"]["imageDigest"]
    assert aws.newest_image("comanda-dev/workers") == (
        f"{aws.account()}.dkr.ecr.{REGION}.amazonaws.com/comanda-dev/workers@{digest}"
    )
    for name in ("comanda-dev/empty", "comanda-dev/unknown"):
        with pytest.raises(OutputsMissing, match=name):
            aws.newest_image(name)


class _TrustStore(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_known = self.path == f"/{REGION}/{REGION}-bundle.pem"
        self.send_response(200 if is_known else 404)
        self.end_headers()
        self.wfile.write(b"-----BEGIN CERTIFICATE-----\n" if is_known else b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.usefixtures("account")
def test_the_certificates_of_the_region_are_fetched_or_the_release_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with HTTPServer(("127.0.0.1", 0), _TrustStore) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(outputs, "_TRUST_STORE", f"http://127.0.0.1:{server.server_port}")

        assert BotoAws(region=REGION).database_ca().startswith("-----BEGIN CERTIFICATE-----")
        with pytest.raises(OutputsMissing, match="status 404"):
            BotoAws(region="us-east-1").database_ca()

        server.shutdown()
        thread.join()
