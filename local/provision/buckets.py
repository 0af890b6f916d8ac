"""Make the S3 buckets, each with the lifecycle that the topology says."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from local.provision.context import REGION, ProvisionContext
from local.provision.plan import Plan


async def provision_buckets(context: ProvisionContext, *, plan: Plan) -> None:
    """Make what is not there yet; a bucket that exists gets its lifecycle again."""
    from aiobotocore.session import get_session

    async with get_session().create_client("s3", **context.client_options("s3")) as s3:
        await asyncio.gather(*(_bucket(s3, name, shape) for name, shape in plan.buckets))


def lifecycle(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Give the rule by which a bucket forgets."""
    days = {"Days": shape["expire_days"]}
    return {
        "Rules": [
            {"ID": "forget", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": days}
        ]
    }


async def _bucket(s3: Any, name: str, shape: Mapping[str, Any]) -> None:
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        place = {"LocationConstraint": REGION}
        await s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
    rules = lifecycle(shape)
    await s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=rules)
