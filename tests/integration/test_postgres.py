"""The PostgreSQL launcher: real, ready at once, crash-safe, and gone afterwards."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from local.postgres import PostgresUnavailable, prepare_cluster, running_postgres
from local.postgres.ordinary_user import CHANGED_USER, NAMESPACE, OrdinaryUser, choose_user
from local.postgres.server import can_answer
from local.supervisor.child import guarded
from local.supervisor.ports import reserve_ports


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_a_second_cluster_comes_from_the_template_and_answers(tmp_path: Path, cache: Path) -> None:
    prepare_cluster(tmp_path / "first", cache=cache)

    with (
        running_postgres(tmp_path / "second", cache=cache) as dsn,
        psycopg.connect(dsn) as connection,
    ):
        row = connection.execute("SHOW server_version").fetchone()

    assert row is not None
    assert row[0].startswith("18.")


def test_data_outlives_a_stop(tmp_path: Path, cache: Path) -> None:
    with running_postgres(tmp_path, cache=cache) as dsn, psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE dishes AS SELECT 'feijoada' AS name")

    with running_postgres(tmp_path, cache=cache) as dsn, psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT name FROM dishes").fetchone() == ("feijoada",)


def test_a_wrong_password_is_refused(tmp_path: Path, cache: Path) -> None:
    with running_postgres(tmp_path, cache=cache) as dsn:
        secret = dsn.partition("comanda:")[2].partition("@")[0]

        assert can_answer(dsn)
        assert not can_answer(dsn.replace(secret, "guess"))


def test_every_acknowledged_commit_survives_sigkill(tmp_path: Path, cache: Path) -> None:
    cluster = prepare_cluster(tmp_path, cache=cache)
    with reserve_ports(1) as (port,):
        dsn = cluster.dsn(port=port)
        server = _serve(cluster.prefix, cluster.command(port=port), dsn)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE numbers (n int)")
            for number in range(300):
                connection.execute("INSERT INTO numbers VALUES (%s)", (number,))
            server.kill()
            server.wait()

        again = prepare_cluster(tmp_path, cache=cache)
        server = _serve(again.prefix, again.command(port=port), dsn)
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*) FROM numbers").fetchone()
        server.send_signal(signal.SIGINT)
        server.wait(timeout=10)

    assert row == (300,)


def _serve(
    prefix: tuple[str, ...], command: tuple[str, ...], dsn: str
) -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(
        [*prefix, *guarded(command, python=sys.executable)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not can_answer(dsn):
        assert time.monotonic() < until, "the server did not come up"
        time.sleep(0.02)
    return server


def test_the_server_dies_with_its_parent_even_in_a_user_namespace(
    tmp_path: Path, cache: Path
) -> None:
    program = (
        "import os, sys, time; from pathlib import Path; from local.postgres import *\n"
        f"with running_postgres(Path({str(tmp_path)!r}), cache=Path({str(cache)!r})) as dsn:\n"
        "    print(dsn, flush=True); time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    dsn = parent.stdout.readline().strip()
    assert can_answer(dsn)

    parent.kill()
    parent.communicate()

    until = time.monotonic() + 30
    while can_answer(dsn):
        assert time.monotonic() < until, "the server outlived its parent"
        time.sleep(0.02)


def test_only_root_needs_to_become_somebody_else() -> None:
    assert choose_user(uid=1000, works=lambda _: False) == OrdinaryUser()


def test_root_prefers_a_namespace_then_another_user_then_says_what_would_help() -> None:
    assert choose_user(uid=0, works=lambda _: True).prefix == NAMESPACE
    assert choose_user(uid=0, works=lambda prefix: prefix == CHANGED_USER).prefix == CHANGED_USER
    with pytest.raises(PostgresUnavailable, match="DATABASE_URL"):
        choose_user(uid=0, works=lambda _: False)
