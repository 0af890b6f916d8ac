"""Make the DynamoDB tables with their indexes and their time to live."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from local.provision.context import ProvisionContext
from local.provision.plan import Plan


async def provision_tables(context: ProvisionContext, *, plan: Plan) -> None:
    """Make what is not there yet; a table that exists is left as it is."""
    from aiobotocore.session import get_session

    options = context.client_options("dynamodb")
    async with get_session().create_client("dynamodb", **options) as dynamodb:
        await asyncio.gather(*(_table(dynamodb, name, shape) for name, shape in plan.tables))


def table_request(name: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    """Give the request that makes a table of this shape; all keys are strings."""
    indexes: Mapping[str, Mapping[str, Any]] = shape["indexes"]
    keyed = (shape, *indexes.values())
    attributes = sorted({it[key] for it in keyed for key in ("hash_key", "range_key")})
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _key_schema(shape),
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes
        ],
    }
    if indexes:
        request["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index,
                "KeySchema": _key_schema(it),
                "Projection": {"ProjectionType": it["projection"]},
            }
            for index, it in indexes.items()
        ]
    return request


async def _table(dynamodb: Any, name: str, shape: Mapping[str, Any]) -> None:
    with suppress(dynamodb.exceptions.ResourceInUseException):
        await dynamodb.create_table(**table_request(name, shape))
    await dynamodb.get_waiter("table_exists").wait(
        TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    lifetime = {"Enabled": True, "AttributeName": shape["ttl_attribute"]}
    current = await dynamodb.describe_time_to_live(TableName=name)
    # Enabling it twice is refused.
    if current["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED":
        await dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=lifetime)


def _key_schema(keys: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"AttributeName": keys["hash_key"], "KeyType": "HASH"},
        {"AttributeName": keys["range_key"], "KeyType": "RANGE"},
    ]
