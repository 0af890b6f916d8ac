"""A PostgreSQL server for as long as a `with` block lasts; for tests that need nothing else."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg

from local.postgres.cluster import Cluster, prepare_cluster
from local.postgres.ordinary_user import PostgresUnavailable
from local.supervisor.child import guarded
from local.supervisor.ports import reserve_ports


@contextmanager
def running_postgres(folder: Path, *, cache: Path | None = None) -> Iterator[str]:
    """Serve the cluster in `folder`, making it when it is new; give the address of `postgres`.

    With a `cache` folder the template made by initdb is kept there for the next caller.
    """
    with serving(prepare_cluster(folder, cache=cache or folder / "cache"), folder=folder) as dsn:
        yield dsn


@contextmanager
def serving(cluster: Cluster, *, folder: Path) -> Iterator[str]:
    """Serve a cluster, with a log in `folder`; give the address of `postgres`."""
    with reserve_ports(1) as (port,), (folder / "postgres.log").open("ab") as log:
        server = _start(cluster, port=port, log=log.fileno())
        try:
            dsn = cluster.dsn(port=port)
            _wait_until_ready(server, dsn, deadline=timedelta(seconds=20))
            yield dsn
        finally:
            # SIGTERM would wait for every client to leave; SIGINT disconnects them.
            server.send_signal(signal.SIGINT)
            server.wait(timeout=20)


def can_answer(dsn: str) -> bool:
    """Tell whether the server takes connections."""
    try:
        with psycopg.connect(dsn, connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _start(cluster: Cluster, *, port: int, log: int) -> subprocess.Popen[bytes]:
    command = (*cluster.prefix, *guarded(cluster.command(port=port), python=sys.executable))
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def _wait_until_ready(server: subprocess.Popen[bytes], dsn: str, *, deadline: timedelta) -> None:
    until = time.monotonic() + deadline.total_seconds()
    while not can_answer(dsn):
        if server.poll() is not None:
            raise PostgresUnavailable(f"the server left with status {server.returncode}")
        if time.monotonic() > until:
            server.kill()
            raise PostgresUnavailable(f"no answer within {deadline}")
        time.sleep(0.02)
