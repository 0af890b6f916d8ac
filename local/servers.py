"""Whose PostgreSQL a run uses: its own, or one that somebody gives it."""

import signal
from functools import partial
from hashlib import sha256
from pathlib import Path

from local.postgres.cluster import Cluster
from local.provision.databases import can_connect, drop_database
from local.supervisor.parts import Part, Process, Step, SystemFailed


class OwnServer:
    """A PostgreSQL of this run's own."""

    def __init__(self, cluster: Cluster, *, port: int) -> None:
        self._cluster = cluster
        self._port = port

    @property
    def address(self) -> str:
        """Give the server's address without a password."""
        return f"postgresql://127.0.0.1:{self._port}"

    def dsn_of(self, database: str) -> str:
        """Give the address of a database with its password."""
        return self._cluster.dsn(port=self._port, database=database)

    def parts(self, *, port: int) -> tuple[Part, ...]:
        """Give the server's process."""
        return (
            Process(
                name="postgres",
                prefix=self._cluster.prefix,
                command=self._cluster.command(port=port),
                is_ready=partial(can_connect, self.dsn_of("postgres")),
                # SIGTERM would wait for every client to leave; SIGINT disconnects them.
                stop_signal=signal.SIGINT,
            ),
        )


class GivenServer:
    """A PostgreSQL that `DATABASE_URL` leads to; the databases are named after the run's folder.

    What an earlier run left in the `stale` ones is dropped: a fresh run has forgotten everything
    else, too.
    """

    def __init__(self, url: str, *, folder: Path, stale: tuple[str, ...] = ()) -> None:
        self._base, _, self._admin = url.rpartition("/")
        # Two checkouts may share a server, and both call their first run the same.
        place = sha256(str(folder.resolve()).encode()).hexdigest()[:8]
        self._run = f"{folder.name.replace('-', '_')}_{place}"
        self._stale = stale

    @property
    def address(self) -> str:
        """Give the server's address without a password."""
        return "postgresql://" + self._base.rpartition("@")[2]

    def dsn_of(self, database: str) -> str:
        """Give the address of a database with its password."""
        name = self._admin if database == "postgres" else f"comanda_{self._run}_{database}"
        return f"{self._base}/{name}"

    def parts(self, *, port: int) -> tuple[Part, ...]:  # noqa: ARG002  # Not ours to start.
        """Give the step that checks the server."""
        return (Step(name="postgres", run=self._check),)

    async def _check(self) -> None:
        if not await can_connect(self.dsn_of("postgres")):
            raise SystemFailed("DATABASE_URL leads to no PostgreSQL server that lets us in")
        for database in self._stale:
            await drop_database(self.dsn_of("postgres"), dsn=self.dsn_of(database))
