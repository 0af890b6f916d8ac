"""The operator's audit over a running laptop: it finds nothing, and it finds what is missing."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import boto3
import psycopg

from local.chaos.untold import untold_events
from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.demo.load import drive
from local.supervisor import System


def audit(places: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "console", "audit", "--places", str(places), "--settle", "40"]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


async def test_the_audit_of_a_running_laptop_names_no_offender(system: System) -> None:
    doors = doors_of(system)
    async with aiohttp.ClientSession() as session:
        result = await drive(
            Shopper(session, doors), shops=doors.shops, orders=20, advance=lambda: None
        )

    made = audit(system.folder / "places.json")

    assert result.failures == ()
    assert made.returncode == 0, made.stdout + made.stderr


def test_an_audit_that_cannot_be_made_says_so(system: System, tmp_path: Path) -> None:
    content = json.loads((system.folder / "places.json").read_text())
    unknown = tmp_path / "places.json"
    unknown.write_text(json.dumps({**content, "simulator": None}))

    missing, blind = audit(tmp_path / "nowhere.json"), audit(unknown)

    assert (missing.returncode, blind.returncode) == (2, 2)
    assert "make run" in missing.stdout
    assert "provider's books" in blind.stdout.replace("\n", " ")


@contextmanager
def untold_by_payments(system: System) -> Iterator[None]:
    """Leave an event in the outbox, too young for a sweep to take it."""
    with psycopg.connect(
        system.env_for("payments")["COMANDA_DATABASE_URL"], autocommit=True
    ) as connection:
        values = ("untold", datetime.now(UTC), b"{}")
        connection.execute(
            "INSERT INTO outbox (event_id, created_at, body) VALUES (%s, %s, %s)", values
        )
        yield
        connection.execute("DELETE FROM outbox WHERE event_id = 'untold'")


@contextmanager
def untold_by_orders(system: System) -> Iterator[None]:
    """Leave an event in the outbox index, behind all that a sweep asks for."""
    dynamodb = boto3.client(
        "dynamodb",
        endpoint_url=system.urls["ministack"],
        region_name=system.environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=system.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=system.environment["AWS_SECRET_ACCESS_KEY"],
    )
    table, key = "comanda-laptop-orders", {"pk": {"S": "OUTBOX#untold"}, "sk": {"S": "OUTBOX"}}
    pending = {"outbox_pk": {"S": "PENDING#0"}, "outbox_sk": {"S": "9999#untold"}}
    dynamodb.put_item(TableName=table, Item={**key, **pending})
    yield
    dynamodb.delete_item(TableName=table, Key=key)


def test_what_an_outbox_keeps_was_told_to_nobody(system: System) -> None:
    before = untold_events(system)
    with untold_by_payments(system), untold_by_orders(system):
        kept = untold_events(system)

    assert before == []
    assert sorted(kept) == [
        "orders keeps 1 events that nobody was told of",
        "payments keeps 1 events that nobody was told of",
    ]
