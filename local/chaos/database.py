"""What can be done to PostgreSQL besides killing it: cut, lock, make slow."""

import asyncio

import psycopg
from psycopg import AsyncConnection, sql

_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_SLEEPER = """
CREATE OR REPLACE FUNCTION chaos_sleeps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(0.3);
    RETURN NEW;
END $$
"""
_SLOW = "CREATE TRIGGER chaos_is_slow BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION"
_TRIES = 20


class Database:
    """One database, through connections of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def cut(self) -> None:
        """End every connection to the server."""
        async with await AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            await connection.execute(_CUT)

    async def lock(self, table: str, *, seconds: float) -> None:
        """Let nobody read or write a table."""
        async with await AsyncConnection.connect(self._dsn) as connection:
            locked = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
            await connection.execute(locked.format(sql.Identifier(table)))
            await asyncio.sleep(seconds)

    async def slow(self, table: str, *, seconds: float) -> None:
        """Let each row that is written to a table take a third of a second."""
        async with await AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            await connection.execute(_SLEEPER)
            made = sql.SQL(_SLOW + " chaos_sleeps()").format(sql.Identifier(table))
            await connection.execute(made)
            await asyncio.sleep(seconds)
        await self.hurry()

    async def hurry(self) -> None:
        """Take back what makes it slow; raise `psycopg.Error` if the server does not come back."""
        for tries in range(_TRIES):
            try:
                async with await AsyncConnection.connect(self._dsn, autocommit=True) as connection:
                    # It takes every trigger that stands on it along.
                    await connection.execute("DROP FUNCTION IF EXISTS chaos_sleeps CASCADE")
            except psycopg.Error:
                if tries == _TRIES - 1:
                    raise
                await asyncio.sleep(0.5)
            else:
                return
