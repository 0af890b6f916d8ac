"""What Terraform made, as the file that a release needs: read from SSM, EC2 and STS.

The layers publish their values under `/comanda/<stage>/<layer>/`; nothing here is a secret.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import boto3
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
_TRUST_STORE = "https://truststore.pki.rds.amazonaws.com"


class OutputsMissing(Exception):
    """A layer has not been applied, or AWS did not answer; the message says which."""


class Aws(Protocol):
    """The questions that are asked of AWS."""

    def account(self) -> str:
        """Give the number of the account."""

    def parameter(self, name: str) -> str:
        """Give a parameter; raise `OutputsMissing`."""

    def cidrs(self, subnets: Sequence[str]) -> list[str]:
        """Give the address ranges of subnets."""

    def database_ca(self) -> str:
        """Give the certificates (PEM) that sign those of RDS's servers in the region."""

    def newest_image(self, repository: str) -> str:
        """Give the image that was pushed last, by digest; raise `OutputsMissing`."""


class BotoAws:
    """AWS by the credentials of this machine."""

    def __init__(self, *, region: str) -> None:
        session = boto3.session.Session(region_name=region)
        self._region = region
        self._ssm, self._ec2, self._sts = map(session.client, ("ssm", "ec2", "sts"))
        self._ecr = session.client("ecr")

    def account(self) -> str:
        """Give the number of the account."""
        return str(_asked("sts", self._sts.get_caller_identity)["Account"])

    def parameter(self, name: str) -> str:
        """Give a parameter; raise `OutputsMissing`."""
        answer = _asked(name, lambda: self._ssm.get_parameter(Name=name))
        return str(answer["Parameter"]["Value"])

    def cidrs(self, subnets: Sequence[str]) -> list[str]:
        """Give the address ranges of subnets."""
        answer = _asked("subnets", lambda: self._ec2.describe_subnets(SubnetIds=list(subnets)))
        return sorted(str(subnet["CidrBlock"]) for subnet in answer["Subnets"])

    def database_ca(self) -> str:
        """Fetch the region's bundle from AWS's trust store, by its public certificate."""
        try:
            answer = urllib3.request(
                "GET", f"{_TRUST_STORE}/{self._region}/{self._region}-bundle.pem", timeout=20
            )
        except urllib3.exceptions.HTTPError as exc:
            raise OutputsMissing(f"the certificates of RDS: {exc}") from exc
        text = answer.data.decode("ascii", "replace")
        if answer.status != 200 or "BEGIN CERTIFICATE" not in text:
            raise OutputsMissing(f"the certificates of RDS: status {answer.status}")
        return text

    def newest_image(self, repository: str) -> str:
        """Give the image that was pushed last, by digest; raise `OutputsMissing`."""
        described = _asked(
            repository,
            lambda: self._ecr.describe_images(repositoryName=repository, maxResults=1000),
        )["imageDetails"]
        if not described:
            raise OutputsMissing(f"{repository} holds no image yet: build and push one")
        newest = max(described, key=lambda it: it["imagePushedAt"])
        registry = f"{newest['registryId']}.dkr.ecr.{self._region}.amazonaws.com"
        return f"{registry}/{repository}@{newest['imageDigest']}"


def _asked(what: str, ask: Any) -> Any:
    try:
        return ask()
    except (BotoCoreError, ClientError) as exc:
        raise OutputsMissing(f"{what}: {exc}") from exc


def gateway_url(stage: str, app: str, *, region: str, aws: Aws) -> str:
    """Give where API Gateway serves a Chalice app: `auth` or `webhooks`."""
    api = aws.parameter(f"/comanda/{stage}/chalice/{app}/rest_api_id")
    return f"https://{api}.execute-api.{region}.amazonaws.com/{stage}"


def read_outputs(stage: str, *, region: str, image: str | None, aws: Aws) -> dict[str, Any]:
    """Collect what `k8s.stage.Outputs` holds; without an image, the newest of the registry."""
    account = aws.account()
    image = image or aws.newest_image(f"comanda-{stage}/workers")
    identity = f"/comanda/{stage}/identity"
    pools = {who: aws.parameter(f"{identity}/{who}_pool_id") for who in ("customer", "staff")}
    tiers = {
        tier: aws.cidrs(aws.parameter(f"/comanda/{stage}/network/{tier}_subnet_ids").split(","))
        for tier in ("isolated", "private")
    }
    issuers = {
        who: f"https://cognito-idp.{region}.amazonaws.com/{pool}" for who, pool in pools.items()
    }
    return {
        "account": account,
        "image": image,
        "customer_issuer": issuers["customer"],
        "customer_client_id": aws.parameter(f"{identity}/customer_client_id"),
        "staff_issuer": issuers["staff"],
        "staff_client_id": aws.parameter(f"{identity}/staff_client_id"),
        "auth_url": gateway_url(stage, "auth", region=region, aws=aws),
        "database_address": aws.parameter(f"/comanda/{stage}/data/database_address"),
        "database_port": aws.parameter(f"/comanda/{stage}/data/database_port"),
        "database_ca": aws.database_ca(),
        "data_cidrs": tiers["isolated"],
        "balancer_cidrs": tiers["private"],
    }


def write_outputs(file: Path, outputs: Mapping[str, Any]) -> None:
    """Write the file that `--outputs` reads."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(outputs, indent=2) + "\n")
