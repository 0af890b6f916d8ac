"""Slow queries, locks and cuts befall one table or all connections, and are over when they are."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local.chaos.database import Database
from local.postgres import running_postgres


@pytest.fixture
def dsn(tmp_path: Path) -> Iterator[str]:
    with running_postgres(tmp_path) as address:
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE charges (id int)")
        yield address


async def insert(dsn: str) -> float:
    """Write a row; give the seconds that it took."""
    began = time.monotonic()
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute("INSERT INTO charges VALUES (1)")
    return time.monotonic() - began


async def until_made(dsn: str) -> None:
    """Wait until the table has its slow trigger."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        while True:
            cursor = await connection.execute(
                "SELECT 1 FROM pg_trigger WHERE tgname = 'chaos_is_slow'"
            )
            if await cursor.fetchone():
                return
            await asyncio.sleep(0.01)


async def test_rows_are_slow_while_they_are_told_to_be(dsn: str) -> None:
    slowing = asyncio.create_task(Database(dsn).slow("charges", seconds=1))
    await until_made(dsn)
    slow = await insert(dsn)
    await slowing

    assert slow >= 0.3
    assert await insert(dsn) < slow


async def test_what_a_broken_run_left_slow_is_healed(dsn: str) -> None:
    slowing = asyncio.create_task(Database(dsn).slow("charges", seconds=60))
    await until_made(dsn)
    slowing.cancel()
    await asyncio.gather(slowing, return_exceptions=True)

    await Database(dsn).hurry()

    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute("SELECT 1 FROM pg_trigger WHERE tgname = 'chaos_is_slow'")
        assert await cursor.fetchone() is None


async def test_a_locked_table_lets_nobody_write_until_it_is_over(dsn: str) -> None:
    locking = asyncio.create_task(Database(dsn).lock("charges", seconds=0.5))
    await asyncio.sleep(0.2)

    waited = await insert(dsn)
    await locking

    assert waited > 0.1


async def test_a_cut_ends_every_connection_but_its_own(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await Database(dsn).cut()

        with pytest.raises(psycopg.OperationalError):
            await connection.execute("SELECT 1")
    assert await insert(dsn) < 5
