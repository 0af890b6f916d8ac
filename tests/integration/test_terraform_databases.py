"""What a stage's PostgreSQL is prepared with, on a real server whose master is as weak as RDS's."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege

from local.postgres import running_postgres
from terraform.databases import databases, prepare_databases
from terraform.policies import statements
from workers.catalog.migrate import migrate as migrate_catalog
from workers.payments.migrate import migrate as migrate_payments

PASSWORD = "not-needed-on-rds"  # A laptop has no IAM; RDS takes tokens instead.
MIGRATIONS = {"payments": migrate_payments, "catalog": migrate_catalog}


@dataclass(frozen=True, kw_only=True)
class Server:
    """The address of the superuser, whom RDS keeps to itself."""

    root: str

    def as_(self, user: str, database: str = "postgres") -> str:
        return make_conninfo(self.root, user=user, password=PASSWORD, dbname=database)

    def url(self, user: str, database: str) -> str:
        parts = psycopg.conninfo.conninfo_to_dict(self.root)
        return f"postgresql://{user}:{PASSWORD}@{parts['host']}:{parts['port']}/{database}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_postgres(tmp_path_factory.mktemp("pg")) as root:
        with psycopg.connect(root, autocommit=True) as connection:
            for statement in (
                "CREATE ROLE rds_iam",
                f"CREATE ROLE master LOGIN CREATEDB CREATEROLE PASSWORD '{PASSWORD}'",
                "GRANT rds_iam TO master WITH ADMIN OPTION",
                # RDS makes the first database itself.
                f"CREATE DATABASE {databases()[0].name} OWNER master",
            ):
                connection.execute(statement)
        yield Server(root=root)


@pytest.fixture(scope="module")
def prepared(server: Server) -> Server:
    prepare_databases(server.as_("master"), databases())
    with psycopg.connect(server.root, autocommit=True) as connection:
        for it in databases():
            for name in (it.owner, it.user):
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), PASSWORD)
                )
    for it in databases():
        MIGRATIONS[it.name](server.url(it.owner, it.name))
    return server


def test_preparing_again_changes_nothing(prepared: Server) -> None:
    assert prepare_databases(prepared.as_("master"), databases()) == []


@pytest.mark.parametrize("it", databases(), ids=lambda it: it.name)
def test_a_context_reads_and_writes_its_rows_and_cannot_change_its_tables(
    prepared: Server, it: object
) -> None:
    (database,) = (one for one in databases() if one == it)
    with psycopg.connect(prepared.as_(database.user, database.name)) as connection:
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )
        ]
        for table in tables:
            rights = connection.execute(
                "SELECT has_table_privilege(%s, 'SELECT') AND has_table_privilege(%s, 'INSERT')"
                " AND has_table_privilege(%s, 'UPDATE') AND has_table_privilege(%s, 'DELETE')",
                (table,) * 4,
            ).fetchone()
            assert rights == (True,), table

    assert len(tables) > 3
    for statement in (f"DROP TABLE {tables[0]}", "CREATE TABLE mine (x int)"):
        with (
            psycopg.connect(prepared.as_(database.user, database.name)) as connection,
            pytest.raises(InsufficientPrivilege),
        ):
            connection.execute(statement)


def test_a_context_cannot_look_into_the_database_of_another(prepared: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(prepared.as_("payments_app", "catalog"))


def test_both_users_may_sign_in_by_iam_and_the_policies_name_them(prepared: Server) -> None:
    with psycopg.connect(prepared.root) as connection:
        members = {
            name
            for (name,) in connection.execute(
                "SELECT member::regrole::text FROM pg_auth_members"
                " WHERE roleid = 'rds_iam'::regrole"
            )
        }
    named = {
        statement["Resource"].rpartition("/")[2]
        for context in MIGRATIONS
        for role in ("api", "worker", "migrate")
        for statement in statements(f"{context}-{role}")
        if statement["Action"] == ["rds-db:connect"]
    }

    assert named == {name for it in databases() for name in (it.owner, it.user)}
    assert named | {"master"} == members
