"""The stores of the real handler: PostgreSQL with fsync on, and DynamoDB played by ministack."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psycopg

from benchmarks.workers.bedside import KEYS, REGION
from benchmarks.workers.processes import ROOT, running
from local.postgres import prepare_cluster
from local.postgres.server import can_answer
from local.provision.tables import table_request
from local.supervisor.child import guarded
from local.supervisor.ports import reserve_ports
from workers.runtime.postgres import INBOX_OUTBOX_DDL

_PATIENCE = 30.0
# No key: a second effect of one event must be seen, not refused.
EFFECT = "INSERT INTO effect (event_id, order_id) VALUES (%s, %s)"
INBOX = "INSERT INTO inbox (event_id, handled_at) VALUES (%s, now()) ON CONFLICT DO NOTHING"
OUTBOX = "INSERT INTO outbox (event_id, created_at, body) VALUES (%s, now(), %s)"
_EFFECT_DDL = "CREATE TABLE effect (event_id text NOT NULL, order_id text NOT NULL);"
_SHAPE = {
    "hash_key": "pk",
    "range_key": "sk",
    "indexes": {
        "outbox": {"hash_key": "outbox_pk", "range_key": "outbox_sk", "projection": "ALL"},
    },
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """Where a handler's effects go: what leads a consumer there, the process, how to count.

    `count` gives the effects, the distinct events among them and the outbox rows left.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    pid: int | None = None
    count: Callable[[], tuple[int, int, int]] = lambda: (0, 0, 0)


@contextmanager
def opened(handler: str, *, folder: Path) -> Iterator[Callable[[], Store]]:
    """Start the server that a handler needs; what is given makes a fresh store on it."""
    try:
        if handler == "postgres":
            with postgres(folder) as (server, pid):
                yield lambda: _on_postgres(fresh_database(server), pid)
        elif handler == "dynamodb":
            with dynamodb(folder) as (address, pid):
                yield lambda: _on_dynamodb(address, pid)
        else:
            yield Store
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _on_postgres(address: str, pid: int) -> Store:
    return Store(environment={"DATABASE_URL": address}, pid=pid, count=lambda: effects_in(address))


def _on_dynamodb(address: str, pid: int) -> Store:
    table = f"bench-{time.time_ns()}"
    table_client(address).create_table(**table_request(table, _SHAPE))
    settings = {"AWS_ENDPOINT_URL_DYNAMODB": address, "BENCH_TABLE": table}
    return Store(environment=settings, pid=pid, count=lambda: effects_at(address, table))


@contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, int]]:
    """Serve PostgreSQL with fsync on, as a real one has it; give its address and process."""
    cluster = prepare_cluster(folder / "postgres", cache=folder.parent / "cache")
    with reserve_ports(1) as (port,):
        # The last setting of a name wins. The laptop runs without fsync; a commit that costs
        # nothing would flatter whoever commits most.
        program = (*cluster.command(port=port), "-c", "fsync=on", "-c", "full_page_writes=on")
        command = (*cluster.prefix, *guarded(program))
        address = cluster.dsn(port=port)
        log = folder / "postgres.log"
        with running(command, env=os.environ, log=log, by=signal.SIGINT) as process:
            _wait(process, lambda: can_answer(address), log=log)
            yield address, process.pid


def fresh_database(address: str) -> str:
    """Make a database with inbox, outbox and effects; give its address."""
    name = f"bench_{time.time_ns()}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    made = f"{address.rpartition('/')[0]}/{name}"
    with psycopg.connect(made, autocommit=True) as connection:
        connection.execute((INBOX_OUTBOX_DDL + _EFFECT_DDL).encode())
    return made


def prefill(store: Store, rows: int) -> None:
    """Give the inbox and the effects a past of so many events; nothing where there is no table."""
    address = store.environment.get("DATABASE_URL")
    if address is None:
        return
    with psycopg.connect(address, autocommit=True) as connection:
        past = " SELECT 'past-' || n, {} FROM generate_series(1, %s) AS n"
        connection.execute(f"INSERT INTO inbox{past.format('now()')}".encode(), (rows,))
        connection.execute(f"INSERT INTO effect{past.format('n::text')}".encode(), (rows,))
        connection.execute("ANALYZE")


def effects_in(address: str) -> tuple[int, int, int]:
    """Count effects, distinct events among them, and outbox rows left."""
    with psycopg.connect(address) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM effect), (SELECT count(DISTINCT event_id) FROM effect),"
            " (SELECT count(*) FROM outbox)"
        ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


@contextmanager
def dynamodb(folder: Path) -> Iterator[tuple[str, int]]:
    """Serve DynamoDB; give its address and process."""
    folder.mkdir(parents=True, exist_ok=True)
    python = ROOT / ".venv-ministack" / "bin" / "python"
    script = ROOT / "local" / "ministack" / "serve.py"
    with reserve_ports(1) as (port,):
        command = (str(python), str(script), "--port", str(port), "--data", str(folder))
        environment = {"PATH": "/usr/bin:/bin", **KEYS}
        with running(command, env=environment, log=folder / "ministack.log") as process:
            _wait(process, lambda: _is_open(port), log=folder / "ministack.log")
            address = f"http://127.0.0.1:{port}"
            yield address, process.pid


def table_client(address: str) -> Any:
    """Open a client of the stand-in."""
    return boto3.client(
        "dynamodb",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )


def effects_at(address: str, table: str) -> tuple[int, int, int]:
    """Count effects, distinct events among them, and outbox items left."""
    effects = distinct = left = 0
    pages = table_client(address).get_paginator("scan").paginate(TableName=table)
    for item in (item for page in pages for item in page["Items"]):
        if item["sk"]["S"] == "EFFECT":
            effects += int(item["effects"]["N"])
            distinct += 1
        elif item["sk"]["S"] == "OUTBOX":
            left += 1
    return effects, distinct, left


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _wait(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], *, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while not is_ready():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"a store did not start; see {log}")
        time.sleep(0.05)
