"""While a release rolls out, code of the one before runs on the new schema, and may stay there."""

import importlib
import json
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.postgres import running_postgres
from tests.corpus.record import CORPUS, newest_revision, statements

RELEASED = sorted((CORPUS / "statements").glob("*.json"))
CONTEXTS = ("catalog", "payments")
# What a step took away or made stricter although older code knew it, with why that does no harm.
# Widened: the constraint of the same name allows more than before.
KNOWN_LOSSES = {
    ("payments", "index charged_once"): (
        "made anew as (charge_id, resource_id); old code never names it in ON CONFLICT, and writes"
        " one resource, '', for each charge"
    ),
    ("payments", "check ledger.ledger_kind_check"): "widened",
}
# Rules that a step laid upon a table that older code writes, and why they let its rows pass.
KNOWN_RULES = {
    ("catalog", "check products.products_position_check"): "the default, 0, is within it",
    ("payments", "check charges.charges_flavour_check"): "the default, 'orders', is within it",
    ("payments", "check cases.closed_says_why"): "holds when neither column is filled",
}
_COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type, c.numeric_precision, c.numeric_scale,
       c.is_nullable = 'YES' AS is_nullable,
       c.column_default IS NOT NULL OR c.is_nullable = 'YES' OR c.is_identity = 'YES'
           OR c.is_generated = 'ALWAYS' AS may_be_left_out
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.table_name <> %s
"""
_CHECKS = """
SELECT 'check ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'u', 'f', 'x')
"""
_UNIQUE = """
SELECT 'index ' || c.relname, pg_get_indexdef(c.oid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
"""


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("recovery-pg")) as dsn:
        yield dsn


def at(dsn: str, context: str, revision: str) -> str:
    """Make a database of one context at one revision; give its address."""
    name = f"{context}_{revision}_{next(_numbers)}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = dsn.rpartition("/")[0] + f"/{name}"
    importlib.import_module(f"workers.{context}.migrate").migrate(url, revision=revision)
    return url


_numbers = count()


def numbered(statement: str) -> str:
    """Turn psycopg's placeholders into the server's own."""
    places: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        name = found[1] or f"unnamed {len(places)}"
        return f"${places.setdefault(name, len(places) + 1)}"

    return re.sub(r"%(?:\((\w+)\))?[sbt]", place, statement).replace("%%", "%")


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_every_statement_of_released_code_is_planned_by_the_newest_schema(
    dsn: str, released: Path
) -> None:
    context, _, _ = released.stem.partition("-")
    refused = {}

    with psycopg.connect(at(dsn, context, "head"), autocommit=True) as connection:
        for name, statement in json.loads(released.read_text(encoding="utf-8")).items():
            try:
                # Names, types and the index of each ON CONFLICT are looked up for this.
                connection.execute(f"EXPLAIN (GENERIC_PLAN) {numbered(statement)}")  # type: ignore[arg-type]
            except psycopg.Error as exc:
                refused[name] = str(exc).splitlines()[0]

    assert refused == {}


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_step_of_the_schema_only_adds(dsn: str, context: str) -> None:
    lost = []
    for before, after in steps(context):
        with psycopg.connect(at(dsn, context, before)) as connection:
            old, old_rules = columns(connection), rules(connection)
        with psycopg.connect(at(dsn, context, after)) as connection:
            new, new_rules = columns(connection), rules(connection)

        assert {key: new.get(key) for key in old} == old, f"{before} to {after}"
        tables = {table for table, _ in old}
        needed = [k for k in new.keys() - old.keys() if k[0] in tables and not new[k][-1]]
        assert needed == [], "old code would leave these out, and be refused"
        lost += [name for name, text in old_rules.items() if new_rules.get(name) != text]

    assert {(context, name) for name in lost} == {k for k in KNOWN_LOSSES if k[0] == context}


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_new_rule_about_an_old_table_is_known_to_let_old_code_pass(
    dsn: str, context: str
) -> None:
    added = []
    for before, after in steps(context):
        with psycopg.connect(at(dsn, context, before)) as connection:
            tables, old = {table for table, _ in columns(connection)}, rules(connection)
        with psycopg.connect(at(dsn, context, after)) as connection:
            new = rules(connection)
        added += [
            name for name, text in new.items() if table_of(name, text) in tables and name not in old
        ]

    assert {(context, name) for name in added} == {k for k in KNOWN_RULES if k[0] == context}


def test_a_statement_that_the_schema_does_not_know_is_noticed(dsn: str) -> None:
    with psycopg.connect(at(dsn, "payments", "head"), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute("EXPLAIN (GENERIC_PLAN) SELECT gone FROM charges WHERE shop_id = $1")
        with pytest.raises(psycopg.errors.InvalidColumnReference):
            connection.execute(
                "EXPLAIN (GENERIC_PLAN) INSERT INTO ledger (charge_id) VALUES ($1)"
                " ON CONFLICT (charge_id) WHERE kind = 'charged' DO NOTHING"
            )


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_statements_of_today_are_recorded_or_run_on_the_recorded_schema(context: str) -> None:
    newest = CORPUS / "statements" / f"{context}-{newest_revision(context)}.json"

    # A new migration: `python -m tests.corpus.record NAME` at the release that brings it.
    assert newest in RELEASED
    assert statements(context)


def steps(context: str) -> list[tuple[str, str]]:
    last = int(newest_revision(context))
    return [(f"{n:04}", f"{n + 1:04}") for n in range(1, last)]


def columns(connection: psycopg.Connection[Any]) -> dict[tuple[str, str], tuple[Any, ...]]:
    rows = connection.execute(_COLUMNS, ("alembic_version",)).fetchall()
    return {(table, column): tuple(facts) for table, column, *facts in rows}


def rules(connection: psycopg.Connection[Any]) -> dict[str, str]:
    return dict(connection.execute(_CHECKS).fetchall() + connection.execute(_UNIQUE).fetchall())


def table_of(name: str, text: str) -> str:
    if name.startswith("check "):
        return name.removeprefix("check ").partition(".")[0]
    return re.findall(r" ON public\.(\w+)", text)[0]
