"""Which secrets of a stage are empty: Terraform makes them, and people put what is in them."""

from typing import Any

import boto3


def missing_secrets(stage: str, *, region: str, client: Any = None) -> list[str]:
    """Name the secrets under `comanda/<stage>/` that have no value, in order."""
    secrets = client or boto3.session.Session(region_name=region).client("secretsmanager")
    pages = secrets.get_paginator("list_secrets").paginate(
        Filters=[{"Key": "name", "Values": [f"comanda/{stage}/"]}]
    )
    return sorted(
        it["Name"]
        for page in pages
        for it in page["SecretList"]
        # A secret without a value has no version; its value is not asked for, only whether it is.
        if "AWSCURRENT" not in {s for v in it.get("SecretVersionsToStages", {}).values() for s in v}
    )
