"""Make the databases of a stage and who may sign in to them; run again, it changes nothing.

Each context with a database gets one, an owner whose migrations make its tables, and a user who
reads and writes them. Both sign in by IAM alone, so there is no password to keep. The master's
password, which RDS keeps and turns, is needed here and nowhere else.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psycopg
from psycopg import sql

from comanda.settings import topology

_ROWS = sql.SQL("SELECT, INSERT, UPDATE, DELETE")


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """A context's database and its two users."""

    name: str
    owner: str
    user: str


def databases() -> tuple[Database, ...]:
    """Give the databases of all contexts that have one."""
    return tuple(
        Database(name=it["database"], owner=f"{context}_owner", user=f"{context}_app")
        for context, it in topology()["contexts"].items()
        if "database" in it
    )


def certificates(outputs: Path) -> Path:
    """Write RDS's certificates beside the outputs of a release that hold them; give the file."""
    file = outputs.with_name("rds-ca.pem")
    file.write_text(json.loads(outputs.read_text())["database_ca"])
    return file


def master_address(stage: str, *, region: str, hostaddr: str | None, authority: Path) -> str:
    """Give the master's connection string; `hostaddr` is the near end of a tunnel."""
    session = boto3.session.Session(region_name=region)
    ssm, secrets = session.client("ssm"), session.client("secretsmanager")

    def parameter(name: str) -> str:
        found = ssm.get_parameter(Name=f"/comanda/{stage}/data/{name}")
        return str(found["Parameter"]["Value"])

    secret = secrets.get_secret_value(SecretId=parameter("database_secret_arn"))
    master: dict[str, Any] = json.loads(secret["SecretString"])
    return psycopg.conninfo.make_conninfo(
        host=parameter("database_address"),
        port=parameter("database_port"),
        hostaddr=hostaddr,
        user=master["username"],
        password=master["password"],
        sslmode="verify-full",
        sslrootcert=str(authority),
    )


def prepare_databases(master: str, wanted: Sequence[Database]) -> list[str]:
    """Make what is missing and say what that was; raise `psycopg.Error`."""
    made: list[str] = []
    with psycopg.connect(master, dbname="postgres", autocommit=True) as connection:
        for it in wanted:
            made += _make_users(connection, it)
            made += _make_database(connection, it)
    for it in wanted:
        with psycopg.connect(master, dbname=it.name, autocommit=True) as connection:
            for statement in _grants(it):
                connection.execute(statement)
    return made


def _make_users(connection: psycopg.Connection[Any], it: Database) -> Iterator[str]:
    for name in (it.owner, it.user):
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
            yield f"user {name}"
        connection.execute(sql.SQL("GRANT rds_iam TO {}").format(sql.Identifier(name)))
    # RDS's master is no superuser: it gives a database only to whom it could be itself.
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(it.owner)))


def _make_database(connection: psycopg.Connection[Any], it: Database) -> Iterator[str]:
    name, owner = sql.Identifier(it.name), sql.Identifier(it.owner)
    found = connection.execute(
        "SELECT 1 FROM pg_database WHERE datname = %s", (it.name,)
    ).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
        yield f"database {it.name}"
    else:
        # RDS makes the first one itself, for its master.
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, owner))
    connection.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(it.user))
    )


def _grants(it: Database) -> Iterator[sql.Composed]:
    owner, user = sql.Identifier(it.owner), sql.Identifier(it.user)
    kinds = ((sql.SQL("TABLES"), _ROWS), (sql.SQL("SEQUENCES"), sql.SQL("USAGE, SELECT")))
    for kind, rights in kinds:
        # What is there already, and what the owner's migrations will make.
        yield sql.SQL("GRANT {} ON ALL {} IN SCHEMA public TO {}").format(rights, kind, user)
        yield sql.SQL(
            "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT {} ON {} TO {}"
        ).format(owner, rights, kind, user)
