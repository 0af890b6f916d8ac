"""Back up a PostgreSQL cluster while it works, and restore it as it was at a point in time.

The server's own low-level backup: a copy of the data folder between `pg_backup_start` and
`pg_backup_stop`, and all write-ahead log since (`archive`, by `local.postgres.cluster`). On AWS,
RDS does both.
"""

import shlex
import shutil
from datetime import datetime
from pathlib import Path

import psycopg

from local.postgres.ordinary_user import ordinary_user

_TEMPORARY = shutil.ignore_patterns("postmaster.pid", "postmaster.opts", "pgsql_tmp*")


def back_up(dsn: str, *, data: Path, target: Path) -> None:
    """Copy the data folder of a server that goes on working; the target must be new."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_backup_start('comanda', fast => true)")
        _copy(data, target)
        label = connection.execute("SELECT labelfile FROM pg_backup_stop(wait_for_archive => true)")
        (row,) = label.fetchall()
    (target / "backup_label").write_text(row[0])
    # What is needed of the log comes from the archive; that of the copy may be torn.
    shutil.rmtree(target / "pg_wal")
    (target / "pg_wal").mkdir(mode=0o700)


def restore(backup: Path, *, folder: Path, until: datetime) -> None:
    """Put the backup where the cluster's data were; the server, once started, goes on to `until`.

    Commits after `until` are left out. The server takes no connections before it is there, and
    does not start where nothing in the archive is as late as `until`.
    """
    data, archive = folder / "data", folder / "archive"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(backup, data)
    settings = {
        "restore_command": f"cp {shlex.quote(str(archive))}/%f %p",
        "recovery_target_time": until.isoformat(),
        "recovery_target_action": "promote",
        "hot_standby": "off",
    }
    lines = [
        f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()
    ]
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write("\n".join(lines) + "\n")
    (data / "recovery.signal").touch()
    ordinary_user().adopt(folder)


def newest_segment_age(archive: Path, *, now: float) -> float:
    """Give the seconds since a segment last reached the archive: what a loss now would cost."""
    return now - max(_arrivals(archive))


def segments_since(archive: Path, *, moment: float) -> int:
    """Count the segments that reached the archive after a moment (seconds since the epoch)."""
    return sum(arrived > moment for arrived in _arrivals(archive))


def _arrivals(archive: Path) -> list[float]:
    return [path.stat().st_mtime for path in archive.iterdir() if "." not in path.name]


def _copy(data: Path, target: Path) -> None:
    def copy(source: str, into: str) -> str:
        try:
            return shutil.copy2(source, into)
        except FileNotFoundError:
            return into  # A file that the server removed meanwhile is removed by its log, too.

    shutil.copytree(data, target, copy_function=copy, ignore=_TEMPORARY)
