"""A network that forgets a connection costs a worker its patience, never its shop's messages."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local.postgres import running_postgres
from local.proxy import Link, Misdeed
from workers.runtime.errors import StoreUnavailable
from workers.runtime.postgres_pool import postgres_pool, reaching_postgres

SILENCE = timedelta(seconds=0.5)


@pytest.fixture
async def linked(tmp_path: Path) -> AsyncIterator[tuple[Link, str]]:
    with running_postgres(tmp_path) as dsn:
        place = urlsplit(dsn)
        assert place.port is not None
        link = Link(host="127.0.0.1", port=place.port)
        await link.serve()
        yield link, dsn.replace(f":{place.port}/", f":{link.port}/")
        await link.close()


async def test_a_forgotten_connection_is_an_outage_and_the_next_one_works(
    linked: tuple[Link, str],
) -> None:
    link, dsn = linked
    async with postgres_pool(dsn, longest_silence=SILENCE) as pool:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            async with reaching_postgres(), pool.connection() as connection:
                await connection.execute("SELECT 1")
                link.misbehave(Misdeed.FORGET)
                link.behave()
                await connection.execute("SELECT 2")
        waited = time.monotonic() - began
        # What else was in the pool is forgotten, too; each is found out when it is used.
        answers = []
        while not answers:
            try:
                async with reaching_postgres(), pool.connection() as connection:
                    answers = await (await connection.execute("SELECT 3 AS three")).fetchall()
            except StoreUnavailable:
                continue

    assert waited < 5
    assert answers == [{"three": 3}]


async def test_a_server_that_accepts_and_says_nothing_is_tried_anew(
    linked: tuple[Link, str],
) -> None:
    link, dsn = linked
    link.misbehave(Misdeed.FORGET)
    began = time.monotonic()
    opening = asyncio.create_task(_ask(dsn))
    while not link.struck:
        await asyncio.sleep(0.01)
    link.behave()

    assert await opening == 1
    assert time.monotonic() - began < 20


async def _ask(dsn: str) -> int:
    async with postgres_pool(dsn, longest_silence=SILENCE) as pool, pool.connection() as connection:
        (row,) = await (await connection.execute("SELECT 1 AS one")).fetchall()
        return int(row["one"])


async def test_a_statement_that_takes_its_time_is_not_hung_up_on(linked: tuple[Link, str]) -> None:
    _, dsn = linked
    async with postgres_pool(dsn) as pool, pool.connection() as connection:
        cursor = await connection.execute("SELECT pg_sleep(0.2), 7 AS seven")

        assert (await cursor.fetchall())[0]["seven"] == 7
