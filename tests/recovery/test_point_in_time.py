"""Each database comes back as it was at a point in time: no later, no earlier, nothing torn."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.ministack.journal import Journal
from local.postgres import running_postgres
from local.recovery.postgres import back_up, newest_segment_age, restore
from local.recovery.tables import NoBackup, Shipper

pytestmark = pytest.mark.timeout(120)


def write(dsn: str, text: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("INSERT INTO notes VALUES (%s)", (text,))


def read(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM notes ORDER BY text")]


def wait_for_archive(archive: Path, *, since: float) -> None:
    until = time.monotonic() + 30
    while newest_segment_age(archive, now=time.time()) > time.time() - since:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_postgres_comes_back_with_what_was_committed_until_then(tmp_path: Path) -> None:
    folder, backup = tmp_path / "pg", tmp_path / "backup"
    (folder / "archive").mkdir(parents=True)
    with running_postgres(folder) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE TABLE notes (text text)")
        write(dsn, "1 before the backup")
        back_up(dsn, data=folder / "data", target=backup)
        write(dsn, "2 after the backup")
        until = datetime.now(UTC)
        write(dsn, "3 too late")
        wait_for_archive(folder / "archive", since=time.time())

    restore(backup, folder=folder, until=until)

    with running_postgres(folder) as dsn:
        assert read(dsn) == ["1 before the backup", "2 after the backup"]
        write(dsn, "4 life goes on")
    with running_postgres(folder) as dsn:
        assert read(dsn) == ["1 before the backup", "2 after the backup", "4 life goes on"]


def journal_in(folder: Path) -> Journal:
    return Journal(folder, encode=str, decode=lambda found: found, least=1 << 20)


def restored(shipper: Shipper, folder: Path, *, until: datetime) -> list[Any]:
    shipper.restore(folder, until=until)
    return list(journal_in(folder).records())


def test_tables_come_back_with_what_was_committed_until_then(tmp_path: Path) -> None:
    source, target = tmp_path / "tables", tmp_path / "shipped"
    journal, shipper = journal_in(source), Shipper(source, target=target)
    journal.compact({"tables": ["orders"]})
    journal.append(["put", "1"])
    shipper.ship()
    first = datetime.now(UTC)
    time.sleep(0.01)
    journal.append(["put", "2"])
    shipper.ship()
    second = datetime.now(UTC)

    assert restored(shipper, source, until=first) == [["put", "1"]]
    assert journal_in(source).snapshot() == {"tables": ["orders"]}
    assert restored(shipper, source, until=second) == [["put", "1"], ["put", "2"]]


def test_a_line_that_is_being_written_is_shipped_when_it_is_whole(tmp_path: Path) -> None:
    source = tmp_path / "tables"
    journal, shipper = journal_in(source), Shipper(source, target=tmp_path / "shipped")
    journal.compact({})
    journal.append(["put", "1"])
    whole = json.dumps(["put", "2"])
    with (source / "journal-1.jsonl").open("a") as file:
        file.write(whole[:4])
    shipper.ship()
    half = datetime.now(UTC)
    with (source / "journal-1.jsonl").open("a") as file:
        file.write(whole[4:] + "\n")
    time.sleep(0.01)
    shipper.ship()

    assert restored(shipper, tmp_path / "half", until=half) == [["put", "1"]]
    assert restored(shipper, source, until=datetime.now(UTC)) == [["put", "1"], ["put", "2"]]


def test_a_new_generation_is_shipped_with_its_snapshot(tmp_path: Path) -> None:
    source = tmp_path / "tables"
    journal, shipper = journal_in(source), Shipper(source, target=tmp_path / "shipped")
    journal.compact({"n": 1})
    journal.append(["put", "1"])
    shipper.ship()
    journal.compact({"n": 2})
    journal.append(["put", "2"])
    shipper.ship()

    assert restored(shipper, source, until=datetime.now(UTC)) == [["put", "2"]]
    assert journal_in(source).snapshot() == {"n": 2}


def test_a_time_before_the_first_backup_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "tables"
    shipper = Shipper(source, target=tmp_path / "shipped")
    before = datetime.now(UTC)
    journal_in(source).compact({})
    shipper.ship()

    with pytest.raises(NoBackup):
        shipper.restore(source, until=before)
