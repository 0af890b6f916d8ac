"""A full disk is real: writes are refused, nothing that was acknowledged is lost, and it heals."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from local.chaos.breakable import Moved
from local.postgres import prepare_cluster
from local.postgres.ordinary_user import OrdinaryUser
from local.postgres.server import serving
from local.postgres.volume import Volume, small_volume
from workers.runtime.errors import StoreUnavailable
from workers.runtime.postgres_pool import postgres_pool, reaching_postgres

MEGABYTES = 120


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with small_volume(tmp_path / "volume", megabytes=MEGABYTES) as mounted:
        assert mounted is not None
        yield mounted


@pytest.fixture
def dsn(volume: Volume, tmp_path: Path) -> Iterator[str]:
    cluster = prepare_cluster(tmp_path / "server", cache=tmp_path / "cache")
    Moved.to(volume, cluster.data)
    there = replace(cluster, data=volume.folder / "data", user=OrdinaryUser(prefix=volume.prefix))
    with serving(there, folder=tmp_path) as address:
        yield address


def test_a_volume_refuses_the_byte_too_many_and_takes_it_when_it_is_freed(volume: Volume) -> None:
    volume.fill()
    with pytest.raises(OSError, match="No space left"):
        (volume.outside / "more").write_bytes(bytes(8192))

    volume.free()
    (volume.outside / "more").write_bytes(bytes(8192))

    # Nobody outside sees it there.
    assert not (volume.folder / "more").exists()


async def test_a_full_disk_is_an_outage_of_the_store_until_there_is_room_again(
    dsn: str, volume: Volume
) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE notes (note text)")
        connection.execute("INSERT INTO notes VALUES ('kept')")
    async with postgres_pool(dsn) as pool:
        volume.fill()
        with pytest.raises(StoreUnavailable) as refused:
            async with reaching_postgres(), pool.connection() as connection:
                await connection.execute(
                    "INSERT INTO notes SELECT repeat('x', 1000) FROM generate_series(1, 1000)"
                )
        volume.free()
        async with reaching_postgres(), pool.connection() as connection:
            await connection.execute("INSERT INTO notes VALUES ('later')")
            found = await (await connection.execute("SELECT note FROM notes")).fetchall()

    assert isinstance(refused.value.__cause__, psycopg.errors.DiskFull)
    assert [row["note"] for row in found] == ["kept", "later"]


def test_what_was_committed_is_there_after_the_server_was_killed(
    volume: Volume, tmp_path: Path
) -> None:
    cluster = prepare_cluster(tmp_path / "server", cache=tmp_path / "cache")
    Moved.to(volume, cluster.data)
    there = replace(cluster, data=volume.folder / "data", user=OrdinaryUser(prefix=volume.prefix))
    with serving(there, folder=tmp_path) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE TABLE notes AS SELECT 7 AS seven")
        server = int((volume.outside / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(server, signal.SIGKILL)

    (volume.outside / "data" / "postmaster.pid").unlink()
    with serving(there, folder=tmp_path) as dsn, psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT seven FROM notes").fetchall() == [(7,)]
