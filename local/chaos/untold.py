"""Events that are committed and that nobody was told of, once nothing is on its way any more.

A worker that falls between its commit and its publishing leaves them in its outbox, and a sweep
tells them later. An outbox that stays full breaks no sum at first: its readers only never hear.
"""

from collections.abc import Iterator

import boto3
import psycopg

from comanda.settings import topology
from local.supervisor import System


def untold_events(system: System) -> list[str]:
    """Name each outbox that is not empty; raise what the stores' clients raise."""
    return [
        f"{context} keeps {count} events that nobody was told of"
        for context, count in _outboxes(system)
        if count
    ]


def _outboxes(system: System) -> Iterator[tuple[str, int]]:
    for context, it in topology()["contexts"].items():
        if "database" in it:
            yield context, _rows(system.env_for(context)["COMANDA_DATABASE_URL"])
        for table, shape in it.get("tables", {}).items():
            if "outbox" in shape.get("indexes", ()):
                yield (
                    context,
                    _items(system, f"comanda-{system.environment['COMANDA_STAGE']}-{table}"),
                )


def _rows(address: str) -> int:
    with psycopg.connect(address, connect_timeout=10) as connection:
        found = connection.execute("SELECT count(*) FROM outbox").fetchone()
    return int(found[0]) if found else 0


def _items(system: System, table: str) -> int:
    known = system.environment
    client = boto3.client(
        "dynamodb",
        endpoint_url=known.get("AWS_ENDPOINT_URL_DYNAMODB", known["AWS_ENDPOINT_URL"]),
        region_name=known["AWS_DEFAULT_REGION"],
        aws_access_key_id=known["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=known["AWS_SECRET_ACCESS_KEY"],
    )
    pages = client.get_paginator("scan").paginate(
        TableName=table, IndexName="outbox", Select="COUNT"
    )
    return sum(int(page["Count"]) for page in pages)
