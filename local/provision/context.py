"""What provisioning is told: the stage, the shops, and where the stand-ins are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comanda.ids import ShopId

REPOSITORY = Path(__file__).resolve().parents[2]
# Everybody knows these keys: they open nothing but the stand-ins of a laptop.
REGION, ACCESS_KEY, SECRET_KEY = "sa-east-1", "laptop", "laptop"
ON_THE_BUS = frozenset({"sns", "sqs"})


@dataclass(frozen=True, kw_only=True)
class StaffLogin:
    """Somebody who works in a shop, as the staff pool knows them."""

    shop: ShopId
    username: str
    # A representation ends in logs.
    password: str = field(repr=False)
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ProvisionContext:
    """One laptop to provision."""

    stage: str
    shops: tuple[ShopId, ...]
    aws_url: str
    bus_url: str
    python: str

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables that lead a process of ours to the stand-ins."""
        return {
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ENDPOINT_URL_SNS": self.bus_url,
            "AWS_ENDPOINT_URL_SQS": self.bus_url,
            # The profile of whoever runs this must not leak in, nor a search for a cloud host.
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "COMANDA_STAGE": self.stage,
            "COMANDA_SHOPS": ",".join(self.shops),
        }

    def endpoint(self, service: str) -> str:
        """Say where a service of AWS is played."""
        return self.bus_url if service in ON_THE_BUS else self.aws_url

    def client_options(self, service: str) -> Mapping[str, Any]:
        """Give what a boto3 or aiobotocore client must be told."""
        return {
            "endpoint_url": self.endpoint(service),
            "region_name": REGION,
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
        }
