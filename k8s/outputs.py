"""What Terraform made, as the file that a release needs: read from SSM, EC2 and STS.

The layers publish their values under `/comanda/<stage>/<layer>/`; nothing here is a secret.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError


class OutputsMissing(Exception):
    """A layer has not been applied, or AWS did not answer; the message says which."""


class Aws(Protocol):
    """The three questions that are asked of AWS."""

    def account(self) -> str:
        """Give the number of the account."""

    def parameter(self, name: str) -> str:
        """Give a parameter; raise `OutputsMissing`."""

    def cidrs(self, subnets: Sequence[str]) -> list[str]:
        """Give the address ranges of subnets."""


class BotoAws:
    """AWS by the credentials of this machine."""

    def __init__(self, *, region: str) -> None:
        session = boto3.session.Session(region_name=region)
        self._ssm, self._ec2, self._sts = map(session.client, ("ssm", "ec2", "sts"))

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


def _asked(what: str, ask: Any) -> Any:
    try:
        return ask()
    except (BotoCoreError, ClientError) as exc:
        raise OutputsMissing(f"{what}: {exc}") from exc


def read_outputs(stage: str, *, region: str, image: str, aws: Aws) -> dict[str, Any]:
    """Collect what `k8s.stage.Outputs` holds."""
    account = aws.account()
    identity = f"/comanda/{stage}/identity"
    pools = {who: aws.parameter(f"{identity}/{who}_pool_id") for who in ("customer", "staff")}
    door = aws.parameter(f"/comanda/{stage}/chalice/auth/rest_api_id")
    tiers = {
        tier: aws.cidrs(aws.parameter(f"/comanda/{stage}/network/{tier}_subnet_ids").split(","))
        for tier in ("isolated", "private")
    }
    issuers = {
        who: f"https://cognito-idp.{region}.amazonaws.com/{pool}" for who, pool in pools.items()
    }
    gateway = f"https://{door}.execute-api.{region}.amazonaws.com"
    return {
        "account": account,
        "image": image,
        "customer_issuer": issuers["customer"],
        "customer_client_id": aws.parameter(f"{identity}/customer_client_id"),
        "staff_issuer": issuers["staff"],
        "staff_client_id": aws.parameter(f"{identity}/staff_client_id"),
        "guest_jwks_url": f"{gateway}/{stage}/apis/auth/jwks.json",
        "data_cidrs": tiers["isolated"],
        "balancer_cidrs": tiers["private"],
    }


def write_outputs(file: Path, outputs: Mapping[str, Any]) -> None:
    """Write the file that `--outputs` reads."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(outputs, indent=2) + "\n")
