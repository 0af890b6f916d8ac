"""Everything that a running laptop keeps, as text: what an erasure has to have reached."""

import gzip
from collections.abc import Iterator
from typing import Any

import boto3
import psycopg
from psycopg import sql

from local.queues import client_of, queues_of
from local.supervisor import System

DATABASES = ("payments", "catalog")


def kept_by(system: System) -> Iterator[tuple[str, str]]:
    """Give everything with where it lies: rows, items, objects, users, messages and log lines.

    The mail that was sent and the provider's own books are outside: they are not ours to erase.
    """
    for context in DATABASES:
        yield from _rows(system.env_for(context)["COMANDA_DATABASE_URL"], context)
    yield from _items(system)
    yield from _objects(system)
    yield from _users(system)
    yield from _messages(system)
    for log in sorted((system.folder / "logs").glob("*.log")):
        yield from ((f"log {log.name}", line) for line in log.read_text().splitlines())
    for spans in (system.folder / "traces").glob("*.jsonl"):
        yield from (("traces", line) for line in spans.read_text().splitlines())


def _rows(dsn: str, context: str) -> Iterator[tuple[str, str]]:
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            # Bytes are shown as what they spell, for an address in hexadecimal is found by nobody.
            connection.execute("SET bytea_output = 'escape'")
            statement = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))
            for (row,) in connection.execute(statement):
                yield f"{context}.{table}", row


def _items(system: System) -> Iterator[tuple[str, str]]:
    dynamodb = _client(system, "dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                yield f"{table} {item['pk']['S']} {item['sk']['S']}", str(item)


def _objects(system: System) -> Iterator[tuple[str, str]]:
    s3 = _client(system, "s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for it in page.get("Contents", ()):
                body = s3.get_object(Bucket=bucket["Name"], Key=it["Key"])["Body"].read()
                plain = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
                for line in plain.decode(errors="replace").split("\n"):
                    yield f"s3 {it['Key']}", line


def _users(system: System) -> Iterator[tuple[str, str]]:
    cognito = _client(system, "cognito-idp")
    for pool in cognito.list_user_pools(MaxResults=60)["UserPools"]:
        for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool["Id"]):
            for user in page["Users"]:
                yield f"cognito {pool['Name']}", str(user)


def _messages(system: System) -> Iterator[tuple[str, str]]:
    sqs = client_of(system.environment, "sqs")
    for name in queues_of(system.environment):
        for queue in (name, f"{name}-dlq"):
            url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
            # What is seen here is shown to its consumer a second later, as if it were put off.
            found = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1, WaitTimeSeconds=0
            )
            yield from ((f"queue {queue}", it["Body"]) for it in found.get("Messages", ()))


def _client(system: System, service: str) -> Any:
    told = system.environment
    return boto3.session.Session().client(
        service,
        endpoint_url=told.get(f"AWS_ENDPOINT_URL_{service.upper()}", told["AWS_ENDPOINT_URL"]),
        region_name=told["AWS_DEFAULT_REGION"],
        aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
    )
